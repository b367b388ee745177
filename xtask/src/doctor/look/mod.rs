//! Gathers plain facts about a repository; changes and judges nothing.

mod config;
mod files;
mod network;

use std::time::SystemTime;

use camino::Utf8Path;
use gix::bstr::ByteSlice as _;
use phase::{Fault, IdentityFile, Operation, programs::program};
use store::local_ref;

use super::facts::{Binary, Facts, Head, People, Told};
use crate::binaries;

/// Gathers the facts about the repository around `directory`, and asks the remote if `ask_the_remote` says so.
///
/// # Errors
/// A fault if there is no usable repository.
pub fn look(directory: &Utf8Path, ask_the_remote: bool) -> Result<Facts, Fault> {
    // The path is passed as given first: only for `.` does `discover` check that git's environment variables do not
    // name another repository.
    phase::discover(directory)?;
    // With the real path, paths in messages can be typed in any directory.
    let directory = phase::real_path(directory).unwrap_or_else(|_| directory.to_owned());
    let repo = phase::discover(&directory)?;
    let place = phase::place(&repo)?;
    let worktree = place.worktree.as_deref().map(Utf8Path::new);
    let identity = match worktree {
        Some(worktree) => IdentityFile::read(worktree),
        None => Ok(IdentityFile::default()),
    };
    let head = head(&repo);
    let upstream = config::upstream(&repo, &head);
    let remotes: Vec<String> = repo.remote_names().iter().map(ToString::to_string).collect();
    let (hooks, missing_hooks_path) = files::hooks(&repo);
    Ok(Facts {
        now: SystemTime::now(),
        unreadable_index: repo
            .index_or_empty()
            .err()
            .map(|error| format!("{:#}", anyhow::Error::from(error))),
        in_progress: Operation::in_progress(&repo).map(Operation::command),
        people: people(&repo, &identity),
        remote: network::remote(&repo, &remotes, &upstream, ask_the_remote),
        remotes,
        upstream,
        hooks,
        missing_hooks_path,
        lock: files::lock(&place.common_dir),
        lock_files: files::lock_files(&repo),
        keys: config::keys(&repo),
        logs: files::logs(&repo),
        vault: files::vault(&identity, &place),
        commands: files::commands(worktree),
        ssh_agent: std::env::var_os("SSH_AUTH_SOCK").is_some_and(|socket| !socket.is_empty()),
        newest: files::newest(&repo),
        is_partial: is_partial(&repo),
        alternates: alternates(&repo),
        head,
        worktree: place.worktree,
    })
}

/// Returns the binaries next to this one, with the version that each reports.
pub fn binaries() -> Vec<Binary> {
    let program_itself = std::env::current_exe().unwrap_or_default();
    let folder = program_itself.parent().unwrap_or(std::path::Path::new("."));
    let version = |name: &str| {
        let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let output = program(path).arg("--version").output().ok().filter(|output| output.status.success())?;
        // The output is, for example, "gitsync 0.1.0".
        let words = String::from_utf8(output.stdout).ok()?;
        words.split_whitespace().nth(1).map(str::to_owned)
    };
    binaries::ALL.into_iter().map(|name| Binary { name, version: version(name) }).collect()
}

fn head(repo: &gix::Repository) -> Head {
    match repo.head() {
        Err(_) => Head::Unreadable,
        Ok(head) => match (&head.kind, head.referent_name()) {
            (gix::head::Kind::Unborn(name), _) => Head::Unborn(name.shorten().to_string()),
            (gix::head::Kind::Symbolic(_), Some(name)) => match local_ref::follow(repo, name.to_owned()) {
                // A ref may name a commit that is missing because of a disk error.
                Ok(name) if repo.head_tree_id().is_ok() => Head::Branch(name.shorten().to_string()),
                Ok(_) | Err(_) => Head::Unreadable,
            },
            (gix::head::Kind::Symbolic(_), None) => Head::Unreadable,
            (gix::head::Kind::Detached { .. }, _) => Head::Detached,
        },
    }
}

fn is_partial(repo: &gix::Repository) -> bool {
    let config = repo.config_snapshot();
    let mut remotes = repo.remote_names().into_iter();
    let promises =
        remotes.any(|name| config.boolean(format!("remote.{name}.promisor").as_str()) == Some(true));
    promises || config.string("extensions.partialClone").is_some()
}

/// Returns the alternates that are missing: other faults may follow from them.
fn alternates(repo: &gix::Repository) -> Vec<Told> {
    let gone = phase::alternates::gone(repo);
    let told = |folder: &std::path::PathBuf| Told {
        message: phase::alternates::told(folder),
        help: Some(phase::alternates::remedy(repo, folder)),
    };
    gone.iter().map(told).collect()
}

fn people(repo: &gix::Repository, identity: &Result<IdentityFile, Fault>) -> People {
    People {
        user: identity.as_ref().map(|identity| identity.user.clone()).map_err(|fault| fault.clone().into()),
        file_is_exposed: files::is_exposed(repo, ".claude/identity.json"),
        git_name: repo.config_snapshot().string("user.name").map(|name| name.to_string()),
        can_commit: can_commit(repo),
    }
}

/// Whether git knows an author and a committer.
fn can_commit(repo: &gix::Repository) -> bool {
    let known = |person: Option<gix::Result<gix::actor::SignatureRef<'_>>>| matches!(person, Some(Ok(person)) if !person.name.trim().is_empty());
    known(repo.author()) && known(repo.committer())
}
