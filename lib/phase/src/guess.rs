//! Opens the likely repository while the previous phase is still running.
//!
//! The document names the run's repository, but it arrives last. It is nearly always the repository named on the
//! command line or the one around the current directory. So that one is opened in the meantime, and used if the guess
//! was right and its configuration has not changed since. Without this, every step of a pipeline would add the time
//! for opening the repository to the total.

use std::{
    collections::BTreeSet,
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use camino::Utf8Path;
use contract::Repo;
use gix::{ObjectId, objs::Exists as _};

use crate::{CommonArgs, Looked, repository};

/// How much older than the time of reading a file must be for it to count as unchanged since: some file systems store
/// times in steps of two seconds.
const OLD: Duration = Duration::from_secs(3);

/// A repository that was opened before the document arrived.
pub(crate) struct Guess {
    repo: gix::Repository,
    place: Repo,
    began: SystemTime,
    looked: Looked,
}

impl Guess {
    /// Opens the repository that a document on stdin is likely to name. Errors are dropped here and reported only if
    /// it turns out to be the one.
    pub(crate) fn make(args: &CommonArgs) -> Option<Self> {
        let began = SystemTime::now();
        let repo = repository::discover(args.repo.as_deref().unwrap_or(Utf8Path::new("."))).ok()?;
        let place = repository::place(&repo).ok()?;
        Some(Self { repo, place, began, looked: Looked::Nowhere })
    }

    /// Returns the repository, whether or not the guess is right.
    pub(crate) fn repo(&self) -> &gix::Repository {
        &self.repo
    }

    /// Records what was read from it.
    pub(crate) fn was_looked_at(&mut self, looked: Looked) {
        self.looked = looked;
    }

    /// Returns its paths.
    pub(crate) fn place(&self) -> &Repo {
        &self.place
    }

    /// Returns the repository if it is the one at `place` and its configuration has not changed.
    pub(crate) fn repo_at(self, place: &Repo) -> Option<gix::Repository> {
        (self.place == *place && self.is_configured_as_read()).then(|| {
            if self.looked == Looked::AtObjects && self.may_have_new_packs() {
                look_for_new_packs(&self.repo);
            }
            self.repo
        })
    }

    /// Whether none of the files that the configuration was read from can have changed since, including the user's
    /// and the system's, and the worktree has not got a `config.worktree` since.
    fn is_configured_as_read(&self) -> bool {
        let config = self.repo.config_snapshot();
        let read = config.plumbing().sections().filter_map(|section| section.meta().path.as_deref());
        let read: BTreeSet<&Path> = read.collect();
        let own = self.repo.git_dir().join("config.worktree");
        (read.contains(own.as_path()) || !own.exists()) && read.into_iter().all(|path| self.is_as_read(path))
    }

    /// Whether packs, or another repository in the alternates, can have been added since.
    fn may_have_new_packs(&self) -> bool {
        let objects = self.repo.objects.store_ref().path();
        objects.join("info/alternates").exists() || !self.is_as_read(&objects.join("pack"))
    }

    /// Whether a file cannot have changed since it was read.
    fn is_as_read(&self, path: &Path) -> bool {
        changed_last(path).is_ok_and(|changed| changed + OLD < self.began)
    }
}

/// Makes a repository whose packs were already listed see those that earlier steps have added. Code that expects many
/// objects to be missing turns off the search for new packs.
fn look_for_new_packs(repo: &gix::Repository) {
    if repo.objects.store_ref().metrics().num_refreshes > 0 {
        // Looking up an object that does not exist makes gix refresh its list of packs.
        let _ = repo.objects.exists(&ObjectId::null(repo.object_hash()));
    }
}

/// Returns when a file's content or metadata last changed.
#[cfg(unix)]
fn changed_last(path: &Path) -> io::Result<SystemTime> {
    use std::os::unix::fs::MetadataExt as _;
    let seconds = fs::metadata(path)?.ctime();
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(not(unix))]
fn changed_last(path: &Path) -> io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use camino::Utf8PathBuf;

    use super::*;

    fn guess(directory: &Utf8PathBuf) -> (Guess, Repo) {
        let args = CommonArgs { repo: Some(directory.clone()), ..CommonArgs::default() };
        let guess = Guess::make(&args).unwrap();
        let place = guess.place.clone();
        (guess, place)
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "git makes what is tested with")]
    fn a_repository_is_taken_as_it_was_opened_only_while_its_configuration_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        assert!(Command::new("git").args(["init", "-q", directory.as_str()]).status().unwrap().success());

        let (young, place) = guess(&directory);
        assert!(young.repo_at(&place).is_none(), "the configuration was written just now");

        let (mut later, place) = guess(&directory);
        later.began += 2 * OLD;
        assert!(later.repo_at(&place).is_some());

        let (mut removed, place) = guess(&directory);
        removed.began += 2 * OLD;
        let config = directory.join(".git/config");
        let text = fs::read(&config).unwrap();
        fs::remove_file(&config).unwrap();
        assert!(removed.repo_at(&place).is_none(), "what was read is gone");
        fs::write(&config, text).unwrap();

        let (mut elsewhere, mut place) = guess(&directory);
        elsewhere.began += 2 * OLD;
        place.common_dir.push_str("-of-another");
        assert!(elsewhere.repo_at(&place).is_none());
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "git makes what is tested with")]
    fn a_repository_whose_packs_were_looked_at_sees_those_that_came_since() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        let git = |args: &str| {
            let mut git = Command::new("git");
            git.args(["-C", directory.as_str(), "-c", "user.name=m", "-c", "user.email=m@x"]);
            let output = git.args(args.split(' ')).output().unwrap();
            assert!(output.status.success(), "git {args}");
            ObjectId::from_hex(output.stdout.trim_ascii()).ok()
        };
        let commit = |message: &str| {
            git(&format!("commit -q --allow-empty -m {message}"));
            git("repack -q -d");
            git("rev-parse HEAD").unwrap()
        };
        git("init -q");
        let old = commit("old");
        let (mut guess, _) = guess(&directory);
        assert!(guess.repo().objects.exists(&old));
        let new = commit("new");
        guess.repo.objects.refresh = gix::odb::store::RefreshMode::Never;
        assert!(!guess.repo().objects.exists(&new), "nobody has looked for it");
        assert!(guess.may_have_new_packs());
        guess.repo.objects.refresh = gix::odb::store::RefreshMode::AfterAllIndicesLoaded;
        look_for_new_packs(guess.repo());
        guess.repo.objects.refresh = gix::odb::store::RefreshMode::Never;
        assert!(guess.repo().objects.exists(&new));

        guess.began += 2 * OLD;
        assert!(!guess.may_have_new_packs(), "the folder of packs is older than the look at it");
        fs::write(directory.join(".git/objects/info/alternates"), "/srv/another.git/objects\n").unwrap();
        assert!(guess.may_have_new_packs(), "another repository may have got some");
    }
}
