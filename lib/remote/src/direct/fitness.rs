//! Which remotes can do without a server program, and which pushes.
//!
//! What git's programs do is known by what configures it; of anything that is not known to mean nothing here, they are
//! left to make something. See <https://git-scm.com/docs/git-upload-pack> and
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

use crate::history::replaces;

/// Variables that change what a server program shows and does.
const VARIABLES: [&str; 2] = ["GIT_NAMESPACE", "GIT_QUARANTINE_PATH"];

/// Sections that say what a server may show, do and refuse.
const OF_SERVERS: [&str; 6] = ["uploadpack", "uploadpackfilter", "receive", "transfer", "lsrefs", "hook"];

/// The hooks that a server runs, see <https://git-scm.com/docs/githooks>.
const HOOKS: [&str; 6] =
    ["pre-receive", "update", "proc-receive", "post-receive", "post-update", "reference-transaction"];

/// Whether `repo` has all that belongs to its refs, so that it can be told what is missing from what it has.
pub(super) fn is_whole(repo: &Repository) -> bool {
    let config = repo.config_snapshot();
    let promised = config.plumbing().sections_by_name("remote").is_some_and(|mut sections| {
        sections.any(|section| {
            section.value("promisor").is_some() || section.value("partialclonefilter").is_some()
        })
    });
    !promised && !repo.is_shallow().unwrap_or(true) && !repo.common_dir().join("info/grafts").exists()
}

/// Opens the repository at `path`, if it is a bare one that is entirely the user's own, and such that a server program
/// would show all of it to them, as it is.
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
        && !replaces(&repo)
        && is_left_as_it_is(&repo);
    is_plain.then_some(repo)
}

/// Where nothing is said of it, a server flushes packs and nothing else, see `core.fsync` of
/// <https://git-scm.com/docs/git-config>. So it is with what is stored there without one: all of it is here as well,
/// where it has been flushed.
fn flush_as_git_does(repo: &mut Repository) -> Option<()> {
    if repo.config_snapshot().string("core.fsync").is_none() {
        let mut config = repo.config_snapshot_mut();
        config.set_raw_value("core.fsync", "-loose-object,-reference,-index").ok()?;
        config.commit().ok()?;
    }
    Some(())
}

/// Of the places that git looks at, the one of a bare repository, if that comes first.
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

/// Whether nothing is configured that a server would go by.
fn is_left_as_it_is(repo: &Repository) -> bool {
    let config = repo.config_snapshot();
    config.plumbing().sections().all(|section| {
        let name = section.header().name().to_str_lossy().to_ascii_lowercase();
        match name.as_str() {
            // The one extension that says nothing new: which object names there are is looked at.
            "extensions" => section.value_names().all(|key| key.eq_ignore_ascii_case("objectFormat")),
            // Clearing up after a push is looked at in time, other chores are git's.
            "maintenance" => section.value_names().all(|key| key.eq_ignore_ascii_case("auto")),
            name => !OF_SERVERS.contains(&name),
        }
    })
}

/// Whether a server that takes a push would do no more than to take it: it has no hooks, nobody works in the branches,
/// and there is nothing to clear up.
pub(super) fn only_stores(repo: &Repository) -> bool {
    let has_worktrees =
        fs::read_dir(repo.common_dir().join("worktrees")).is_ok_and(|mut all| all.next().is_some());
    // Who shares it with others wants them to be able to write, too, and there are modes for that.
    let is_shared = repo.config_snapshot().string("core.sharedRepository").is_some();
    !has_worktrees && !is_shared && !has_hooks(repo) && !is_due(repo)
}

fn has_hooks(repo: &Repository) -> bool {
    let configured = repo.config_snapshot().trusted_path("core.hooksPath");
    let folder = match configured {
        Ok(None) => repo.common_dir().join("hooks"),
        Ok(Some(path)) => repo.git_dir().join(path),
        // What git makes of it, it says.
        Err(_) => return true,
    };
    HOOKS.iter().any(|hook| folder.join(hook).exists())
}

/// Whether git would clear up after a push, see `gc.auto` and `gc.autoPackLimit` of <https://git-scm.com/docs/git-gc>.
/// It goes by the number of objects in one of 256 folders, too.
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
