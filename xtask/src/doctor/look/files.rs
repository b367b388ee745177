//! Reads the facts on disk: hooks, locks, session logs, the vault, the directory of commands.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use camino::{Utf8Path, Utf8PathBuf};
use contract::Repo;
use gix::bstr::{BString, ByteSlice as _};
use lock::{LockPaths, LockState, Verdict, describe, judge};
use phase::{Fault, IdentityFile, Named, SessionLogs};
use scan::{Ignored, Index, Target};

use crate::doctor::facts::{Commands, Hook, Lock, LockFile, Logs, Told, Vault};

/// The hooks that a run starts, by their names in githooks(5).
const HOOKS: [&str; 4] = ["pre-commit", "commit-msg", "post-commit", "pre-push"];

/// After how long without a sign of life a lock counts as stale by default.
const STALE_AFTER: Duration = Duration::from_secs(600);

/// Returns the hooks that exist, and `core.hooksPath` if it is not a directory.
pub fn hooks(repo: &gix::Repository) -> (Vec<Hook>, Option<String>) {
    let configured = repo.config_snapshot().trusted_path("core.hooksPath").ok().flatten();
    let folder = match (&configured, repo.workdir()) {
        (Some(path), Some(root)) => root.join(path),
        (Some(path), None) => path.to_path_buf(),
        (None, _) => repo.common_dir().join("hooks"),
    };
    let hook = |name: &str| {
        let path = folder.join(name);
        let metadata = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
        let (executable, foreign) = rights(&metadata);
        Some(Hook { path: path.display().to_string(), executable, foreign })
    };
    let missing = configured.is_some() && !folder.is_dir();
    (HOOKS.into_iter().filter_map(hook).collect(), missing.then(|| folder.display().to_string()))
}

/// Returns whether a file is executable, and whether it belongs to another user than this one or root.
#[cfg(unix)]
fn rights(metadata: &std::fs::Metadata) -> (bool, bool) {
    use std::os::unix::fs::MetadataExt as _;
    let me = rustix::process::geteuid().as_raw();
    (metadata.mode() & 0o111 != 0, ![me, 0].contains(&metadata.uid()))
}

#[cfg(not(unix))]
fn rights(_: &std::fs::Metadata) -> (bool, bool) {
    (true, false)
}

/// Returns the state of the run's lock.
pub fn lock(common_dir: &str) -> Lock {
    let place = LockPaths::new(common_dir);
    match LockState::look(&place) {
        Err(error) => Lock::Unreadable(format!("{}: {error}", place.lock().display())),
        Ok(LockState::Free) => Lock::Free,
        Ok(LockState::Obstacle(kind)) => Lock::Obstacle(format!("{} is {kind}", place.lock().display())),
        Ok(LockState::Taken(taken)) => {
            let owner = describe(&taken.owner());
            match judge(&taken.facts(), STALE_AFTER) {
                _ if taken.is_ahead_of_time() => Lock::Ahead(owner),
                Verdict::Held => Lock::Held(owner),
                Verdict::Stale(_) => Lock::Stale(owner),
            }
        }
    }
}

/// Returns git's own lock files, in all places where it creates them. The run's own lock is not among them.
pub fn lock_files(repo: &gix::Repository) -> Vec<LockFile> {
    let mut paths: BTreeSet<PathBuf> = BTreeSet::new();
    for folder in [repo.git_dir(), repo.common_dir()] {
        collect_locks(folder, Depth::This, &mut paths);
    }
    collect_locks(&repo.common_dir().join("refs"), Depth::All, &mut paths);
    paths.remove(&LockPaths::new(repo.common_dir()).lock());
    let age = |path: &Path| {
        let written = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
        Some(SystemTime::now().duration_since(written).unwrap_or_default())
    };
    let lock_file = |path: PathBuf| Some(LockFile { age: age(&path)?, path: path.display().to_string() });
    paths.into_iter().filter_map(lock_file).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    This,
    All,
}

fn collect_locks(folder: &Path, depth: Depth, found: &mut BTreeSet<PathBuf>) {
    // A directory that cannot be read is treated as empty.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        if kind.is_dir() && depth == Depth::All {
            collect_locks(&path, depth, found);
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "lock") {
            found.insert(path);
        }
    }
}

/// Returns how many session logs are tracked, and where new ones would be ignored.
pub fn logs(repo: &gix::Repository) -> Logs {
    let logs = match SessionLogs::of(repo) {
        Ok(logs) => logs,
        Err(fault) => return Logs::Broken(fault.into()),
    };
    // The default patterns match in known directories only; configured ones may match anywhere.
    let configured = logs.may_lie_in("anywhere".into());
    let none = Logs::Found { configured, tracked: 0, ignored: Vec::new() };
    let Ok(index) = Index::read(repo, &repo.index_path()) else { return none };
    let paths = (0..index.len()).map(|at| index.path(at));
    let tracked: Vec<BString> = paths.filter(|path| logs.contain(path)).map(ToOwned::to_owned).collect();
    // The directories of new logs: those of existing logs, and that of the default patterns.
    let folder = |path: &BString| path.rfind_byte(b'/').and_then(|end| path.get(..=end)).map(BString::from);
    let mut folders: BTreeSet<BString> = tracked.iter().filter_map(folder).collect();
    if !configured {
        folders.insert("session-logs/".into());
    }
    let Ok(mut rules) = Ignored::of(repo.clone(), &index) else { return none };
    let mut is_ignored = |folder: &BString| {
        let mut probe = folder.clone();
        probe.extend_from_slice(b"a-new-log.md");
        rules.holds(probe.as_bstr(), Target::File).unwrap_or(false)
    };
    let ignored = folders.iter().filter(|folder| is_ignored(folder)).map(ToString::to_string).collect();
    Logs::Found { configured, tracked: tracked.len(), ignored }
}

/// Whether a file exists in the working tree that git neither tracks nor ignores: the next commit of everything would
/// include it.
pub fn is_exposed(repo: &gix::Repository, path: &str) -> bool {
    let is_there = repo.workdir().is_some_and(|root| root.join(path).is_file());
    let Some(index) = Index::read(repo, &repo.index_path()).ok().filter(|_| is_there) else { return false };
    let Ok(mut rules) = Ignored::of(repo.clone(), &index) else { return false };
    let is_kept_out = rules.holds(path.into(), Target::File).unwrap_or(true);
    index.find(path.into()).is_none() && !is_kept_out
}

/// Returns the state of the vault that `.claude/identity.json` names.
pub fn vault(identity: &Result<IdentityFile, Fault>, main: &Repo) -> Vault {
    let Some(path) = identity.as_ref().ok().and_then(|identity| identity.vault_path.clone()) else {
        return Vault::None;
    };
    let help =
        "vault_path in .claude/identity.json names the root of a clone; remove it where there is no vault";
    let broken = |message: String| Vault::Broken(Told { message, help: Some(help.into()) });
    let root = Utf8PathBuf::from(main.worktree.clone().unwrap_or_default());
    let path = match (path.strip_prefix("~"), home()) {
        (Ok(below), Some(home)) => home.join(below),
        (Ok(_), None) => return broken(format!("the vault is at {path}, and there is no home directory")),
        (Err(_), _) => root.join(&path),
    };
    if !path.exists() {
        return broken(format!("the vault is missing: there is no {path}"));
    }
    match phase::discover_named(&path, Named::Otherwise(help))
        .and_then(|repo| phase::place(&repo).map(|place| (repo, place)))
    {
        Err(fault) => Vault::Broken(fault.into()),
        Ok((_, place)) if place.common_dir == main.common_dir => broken(if place.worktree == main.worktree {
            format!("the vault at {path} is this repository itself")
        } else {
            format!("the vault at {path} is another work tree of this repository")
        }),
        Ok((repo, place)) => match place.worktree {
            None => broken(format!("the vault at {path} is a bare repository")),
            Some(root) if !super::can_commit(&repo) => Vault::Broken(Told {
                message: format!("git does not know who commits in the vault at {root}"),
                help: Some(
                    "git config --global user.name 'YOUR NAME' && git config --global user.email YOU@EXAMPLE.ORG"
                        .into(),
                ),
            }),
            Some(root) => Vault::Fine(root),
        },
    }
}

/// Returns the state of the directory that commands are copied to: its nearest existing ancestor, or itself, must be
/// a writable directory.
pub fn commands(worktree: Option<&Utf8Path>) -> Commands {
    let from = worktree.map(|root| root.join(".claude").join("commands"));
    let (Some(_), Some(home)) = (from.filter(|from| from.is_dir()), home()) else { return Commands::None };
    let to = home.join(".claude").join("commands");
    let there = to.ancestors().find(|folder| folder.symlink_metadata().is_ok());
    match there {
        Some(folder) if folder.is_dir() && may_write(folder) => Commands::Writable(to.into_string()),
        Some(folder) => Commands::NotWritable(folder.to_string()),
        None => Commands::NotWritable(to.into_string()),
    }
}

#[cfg(unix)]
fn may_write(folder: &Utf8Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder.as_std_path(), Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn may_write(folder: &Utf8Path) -> bool {
    folder.metadata().is_ok_and(|metadata| !metadata.permissions().readonly())
}

fn home() -> Option<Utf8PathBuf> {
    Utf8PathBuf::try_from(std::env::home_dir()?).ok()
}

/// Returns the file with the latest modification time, among tracked files (by the index) and some of git's own.
pub fn newest(repo: &gix::Repository) -> Option<(String, SystemTime)> {
    let own = ["HEAD", "index", "config"].into_iter().filter_map(|name| {
        let path = repo.git_dir().join(name);
        Some((path.display().to_string(), std::fs::metadata(&path).ok()?.modified().ok()?))
    });
    let index = repo.index_or_empty().ok();
    let tracked = index.as_ref().and_then(|index| {
        let newest = index.entries().iter().max_by_key(|entry| entry.stat.mtime.secs)?;
        let seconds = Duration::from_secs(newest.stat.mtime.secs.into());
        Some((newest.path(index).to_string(), SystemTime::UNIX_EPOCH + seconds))
    });
    own.chain(tracked).max_by_key(|(_, changed)| *changed)
}
