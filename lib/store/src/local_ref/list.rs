//! Lists the refs of a repository while other processes write to it.
//!
//! `git pack-refs`, which `git gc` runs, moves loose refs into one file. A reader that reads that file first and the
//! loose refs afterwards misses those that were moved in between; git reads them in the reverse order. gix does not,
//! and fails if a file vanishes after it was listed and before it is read. So a listing counts only if the packed
//! refs have not changed since it began.

use std::{io, thread, time::Duration};

use gix::{
    bstr::BStr,
    refs::{FullName, Reference, file::find::ReferenceDecode},
};

use super::packed::Stamp;

/// The number of attempts, of which the last one counts in any case.
const ATTEMPTS: u32 = 10;
/// The pause after the second attempt; it grows by as much with each further one.
const PAUSE: Duration = Duration::from_millis(2);

/// Returns the refs whose names begin with `prefix`, which ends with a slash, sorted by name.
///
/// # Errors
///
/// If one of them cannot be read.
pub fn list(repo: &gix::Repository, prefix: &BStr) -> gix::Result<Vec<Reference>> {
    steady(repo, prefix, |found| Ok(found?.detach()))
}

/// Returns the names of those refs, including existing ones that cannot be read: a power failure may have left them
/// empty.
///
/// # Errors
///
/// If they cannot be listed.
pub fn names(repo: &gix::Repository, prefix: &BStr) -> gix::Result<Vec<FullName>> {
    steady(repo, prefix, |found| match found {
        Ok(found) => Ok(found.name().to_owned()),
        Err(error) => unreadable(&error).ok_or(error),
    })
}

/// Lists the results of `made` for each ref, while `packed-refs` does not change.
fn steady<T>(
    repo: &gix::Repository,
    prefix: &BStr,
    made: impl Fn(gix::Result<gix::Reference<'_>>) -> gix::Result<T>,
) -> gix::Result<Vec<T>> {
    let list_once = || repo.references()?.prefixed(prefix)?.map(&made).collect();
    for attempt in 1..ATTEMPTS {
        let before = Stamp::of(repo)?;
        let listed: gix::Result<Vec<T>> = list_once();
        let was_moved = match &listed {
            Ok(_) => Stamp::of(repo)? != before,
            Err(error) => error.iter_errors().any(is_gone),
        };
        if !was_moved {
            return listed;
        }
        // To pack many refs takes longer than to list them several times.
        thread::sleep(PAUSE * (attempt - 1));
    }
    list_once()
}

/// Returns the name of the ref whose content cannot be read.
fn unreadable(error: &gix::Error) -> Option<FullName> {
    let undecoded = error.iter_errors().find_map(|error| error.downcast_ref::<ReferenceDecode>())?;
    gix::path::into_bstr(undecoded.relative_path.as_path()).ok()?.into_owned().try_into().ok()
}

fn is_gone(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use testkit::World;

    use super::*;

    #[test]
    fn no_ref_is_missed_while_they_are_packed() {
        let world = World::new();
        let repo = world.init("ours");
        repo.write("a.md", "a\n");
        repo.commit_all("a");
        for number in 0..20 {
            repo.git(["branch", &format!("many/{number}")]);
        }
        let (path, done) = (repo.path().to_owned(), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..20 {
                    repo.git(["pack-refs", "--all"]);
                    // It is a loose ref again.
                    repo.git(["branch", "--force", "many/7", "main"]);
                    repo.git(["update-ref", "--create-reflog", "refs/heads/many/7", "main"]);
                    repo.git(["branch", "-D", "-q", "many/9"]);
                    repo.git(["branch", "many/9"]);
                }
                done.store(true, Ordering::SeqCst);
            });
            while !done.load(Ordering::SeqCst) {
                let listed = list(&gix::open(&path).unwrap(), "refs/heads/many/".into()).unwrap();
                // One of them is missing at times.
                let stays = listed.iter().filter(|one| one.name.as_bstr() != "refs/heads/many/9");
                assert_eq!(stays.count(), 19);
            }
        });
    }
}
