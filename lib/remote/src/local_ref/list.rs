//! The refs of a repository while others write to it.
//!
//! `git pack-refs`, which `git gc` runs, moves refs from files of their own into one file. Whoever has read that one
//! before, and looks for the others after, misses what was moved meanwhile; git reads them the other way round. gix does
//! not, and fails where a file goes away between its being listed and read. So a listing counts only if the packed refs
//! are still those that it began with.

use std::io;

use gix::{
    bstr::BStr,
    refs::{FullName, Reference, file::find::ReferenceDecode},
};

use super::packed::Stamp;

/// How often a listing is made before it counts as it is.
const ATTEMPTS: usize = 10;

/// The refs whose names begin with `prefix`, which ends with a slash, by name.
///
/// # Errors
///
/// One of them cannot be read.
pub fn list(repo: &gix::Repository, prefix: &BStr) -> gix::Result<Vec<Reference>> {
    steady(repo, prefix, |found| Ok(found?.detach()))
}

/// The names of those refs, also of such as are there and cannot be read: a power cut may have left nothing in them.
///
/// # Errors
///
/// They cannot be listed.
pub fn names(repo: &gix::Repository, prefix: &BStr) -> gix::Result<Vec<FullName>> {
    steady(repo, prefix, |found| match found {
        Ok(found) => Ok(found.name().to_owned()),
        Err(error) => unreadable(&error).ok_or(error),
    })
}

/// Lists what is `made` of each ref, at a moment at which nobody packs them.
fn steady<T>(
    repo: &gix::Repository,
    prefix: &BStr,
    made: impl Fn(gix::Result<gix::Reference<'_>>) -> gix::Result<T>,
) -> gix::Result<Vec<T>> {
    let list_once = || repo.references()?.prefixed(prefix)?.map(&made).collect();
    for _ in 1..ATTEMPTS {
        let before = Stamp::of(repo)?;
        let listed: gix::Result<Vec<T>> = list_once();
        let was_moved = match &listed {
            Ok(_) => Stamp::of(repo)? != before,
            Err(error) => error.iter_errors().any(is_gone),
        };
        if !was_moved {
            return listed;
        }
    }
    list_once()
}

/// The name of the ref that holds nothing which could be read.
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
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

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
                    // In a file of its own again.
                    repo.git(["branch", "--force", "many/7", "main"]);
                    repo.git(["update-ref", "--create-reflog", "refs/heads/many/7", "main"]);
                    repo.git(["branch", "-D", "-q", "many/9"]);
                    repo.git(["branch", "many/9"]);
                }
                done.store(true, Ordering::SeqCst);
            });
            while !done.load(Ordering::SeqCst) {
                let listed = list(&gix::open(&path).unwrap(), "refs/heads/many/".into()).unwrap();
                // One of them is not there now and then.
                let stays = listed.iter().filter(|one| one.name.as_bstr() != "refs/heads/many/9");
                assert_eq!(stays.count(), 19);
            }
        });
    }
}
