//! Decides which remotes can be accessed without a server program, and which pushes.
//!
//! Configuration determines what git's server programs do. Where anything is set that is not known to be irrelevant
//! here, the operation is left to those programs. See <https://git-scm.com/docs/git-upload-pack> and
//! <https://git-scm.com/docs/git-receive-pack>.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use gix::{
    Repository,
    bstr::{BStr, ByteSlice},
    sec::Trust,
};
use store::has_replace_refs;

/// Environment variables that change what a server program shows and does.
const VARIABLES: [&str; 2] = ["GIT_NAMESPACE", "GIT_QUARANTINE_PATH"];

/// Configuration sections that determine what a server shows, does and refuses.
const OF_SERVERS: [&str; 6] = ["uploadpack", "uploadpackfilter", "receive", "transfer", "lsrefs", "hook"];

/// The hooks that a server runs, see <https://git-scm.com/docs/githooks>.
const HOOKS: [&str; 6] =
    ["pre-receive", "update", "proc-receive", "post-receive", "post-update", "reference-transaction"];

/// Whether `repo` has every object reachable from its refs, so that its refs show what is missing: it is neither
/// partial nor shallow, and has no grafts.
pub(super) fn is_whole(repo: &Repository) -> bool {
    let config = repo.config_snapshot();
    let promised = config.plumbing().sections_by_name("remote").is_some_and(|mut sections| {
        sections.any(|section| {
            section.value("promisor").is_some() || section.value("partialclonefilter").is_some()
        })
    });
    !promised && !repo.is_shallow().unwrap_or(true) && !repo.common_dir().join("info/grafts").exists()
}

/// Opens the repository at `path`, if it is a bare repository that belongs entirely to the user, and a server program
/// would show all of it unchanged.
pub(super) fn open(ours: &Repository, path: &Path) -> Option<Repository> {
    if VARIABLES.iter().any(|name| env::var_os(name).is_some()) {
        return None;
    }
    let folder = folder(path)?;
    if Trust::from_path_ownership(&folder).ok()? != Trust::Full {
        return None;
    }
    let mut options = ours.open_options().clone().open_path_as_is(true).with(Trust::Full);
    options.permissions.config.env = false;
    let mut repo = gix::open_opts(folder, options).ok()?;
    flush_as_git_does(&mut repo)?;
    let is_plain = repo.is_bare()
        && repo.common_dir() == repo.git_dir()
        && repo.object_hash() == ours.object_hash()
        && is_whole(&repo)
        && !has_replace_refs(&repo)
        && is_left_as_it_is(&repo);
    is_plain.then_some(repo)
}

/// Flushes what a server would flush: without `core.fsync`, packs only, see `core.fsync` of
/// <https://git-scm.com/docs/git-config>. Objects that are stored there without a flush exist in this repository as
/// well, where they have been flushed.
fn flush_as_git_does(repo: &mut Repository) -> Option<()> {
    if repo.config_snapshot().string("core.fsync").is_none() {
        let mut config = repo.config_snapshot_mut();
        config.set_raw_value("core.fsync", "-loose-object,-reference,-index").ok()?;
        config.commit().ok()?;
    }
    Some(())
}

/// Of the paths that git tries for a repository, returns that of a bare one, if it is the first that exists.
fn folder(path: &Path) -> Option<PathBuf> {
    let with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    if path.join(".git").exists() {
        return None;
    }
    if path.join("HEAD").exists() {
        return Some(path.to_owned());
    }
    let bare = with(".git");
    (!path.join("objects").exists() && bare.join("HEAD").exists() && !bare.join(".git").exists())
        .then_some(bare)
}

/// Whether nothing is configured that would change what a server does.
fn is_left_as_it_is(repo: &Repository) -> bool {
    let config = repo.config_snapshot();
    config.plumbing().sections().all(|section| {
        let name = section.header().name().to_str_lossy().to_ascii_lowercase();
        match name.as_str() {
            // The only extension without further effect: the object format is compared in [`open`].
            "extensions" => section.value_names().all(|key| key.eq_ignore_ascii_case("objectFormat")),
            // `maintenance.auto` concerns the cleanup after a push, which [`is_due`] checks; other maintenance is
            // left to git.
            "maintenance" => section.value_names().all(|key| key.eq_ignore_ascii_case("auto")),
            name => !OF_SERVERS.contains(&name),
        }
    })
}

/// Whether a server that receives a push would only store it: there are no hooks, no worktrees in which a branch
/// could be checked out, and no cleanup is due.
pub(super) fn only_stores(repo: &Repository) -> bool {
    let has_worktrees =
        fs::read_dir(repo.common_dir().join("worktrees")).is_ok_and(|mut all| all.next().is_some());
    // Others must be able to write to a shared repository, which takes special file modes.
    let is_shared = repo.config_snapshot().string("core.sharedRepository").is_some();
    !has_worktrees && !is_shared && !has_hooks(repo) && !is_due(repo)
}

fn has_hooks(repo: &Repository) -> bool {
    let configured = repo.config_snapshot().trusted_path("core.hooksPath");
    let folder = match configured {
        Ok(None) => repo.common_dir().join("hooks"),
        Ok(Some(path)) => repo.git_dir().join(path),
        // Git reports what is wrong with the path.
        Err(_) => return true,
    };
    HOOKS.iter().any(|hook| folder.join(hook).exists())
}

/// Whether git would clean up after a push, see `gc.auto` and `gc.autoPackLimit` of
/// <https://git-scm.com/docs/git-gc>. Like git, it estimates the number of loose objects from one of the 256 fan-out
/// directories.
fn is_due(repo: &Repository) -> bool {
    let config = repo.config_snapshot();
    let limit = |key: &str, usual: i64| config.integer(key).unwrap_or(usual);
    let objects = limit("gc.auto", 6700);
    if objects <= 0 {
        return false;
    }
    let store = repo.objects.store_ref().path();
    let count = |folder: &str, wanted: &dyn Fn(&BStr) -> bool| {
        let entries = fs::read_dir(store.join(folder)).into_iter().flatten().flatten();
        let names =
            entries.map(|entry| gix::path::os_string_into_bstring(entry.file_name()).unwrap_or_default());
        names.filter(|name| wanted(name.as_bstr())).count() as i64
    };
    let packs = limit("gc.autoPackLimit", 50);
    (packs > 0 && count("pack", &|name| name.ends_with(b".pack")) >= packs)
        || count("17", &|name| name.len() == 38) >= (objects + 255) / 256
}
