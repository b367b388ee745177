//! Refuses to push submodules at commits that no remote has.
//!
//! Whoever pulls a commit that refers to one of these gets a submodule that cannot be checked out. If
//! `push.recurseSubmodules` asks for it, git pushes such submodules first, or refuses. A submodule is a repository of
//! its own, with a branch and a remote that a run knows nothing of; here it is therefore always refused, and named.
//! See <https://git-scm.com/docs/git-config#Documentation/git-config.txt-pushrecurseSubmodules>.

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BStr, BString};
use phase::Fault;
use store::History;

use crate::{changes, commit, refuse};

/// Checks the submodules whose commit in `local` differs from that in `theirs`.
///
/// # Errors
/// A fault with exit 1 that names those that have to be pushed first; or a tree cannot be read.
pub fn refuse(repo: &gix::Repository, theirs: Option<ObjectId>, local: ObjectId) -> anyhow::Result<()> {
    if !is_asked_for(repo) {
        return Ok(());
    }
    let (before, after) = (commit::tree_of(repo, theirs)?, commit::tree_of(repo, Some(local))?);
    let mut unpushed: Vec<BString> = Vec::new();
    for change in changes::between(repo, before, after)? {
        if let Some((_, id)) = change.after.filter(|(mode, _)| mode.is_commit())
            && is_only_here(repo, change.path.as_ref(), id)
        {
            unpushed.push(change.path);
        }
    }
    let Some(first) = unpushed.first() else { return Ok(()) };
    let folder = sanitize::quoted(&first.to_string());
    let to = if is_on_no_branch(repo, first.as_ref()) { " origin HEAD:BRANCH" } else { "" };
    Err(Fault::failed(format!(
        "nothing is pushed, as push.recurseSubmodules has it: no remote has the commits that these submodules are at: {}",
        refuse::named(&unpushed)
    ))
    .help(format!("push them first: `git -C {folder} push{to}`, then run this again"))
    .into())
}

/// Whether the submodule has a detached `HEAD`, as `git submodule update` leaves it: then git has to be told where to
/// push to.
fn is_on_no_branch(repo: &gix::Repository, path: &BStr) -> bool {
    open(repo, path).is_ok_and(|submodule| submodule.head_name().is_ok_and(|name| name.is_none()))
}

fn open(repo: &gix::Repository, path: &BStr) -> anyhow::Result<gix::Repository> {
    let root = repo.workdir().context("a bare repository has no submodules")?;
    let options = gix::open::Options::isolated().strict_config(false);
    Ok(gix::open_opts(root.join(gix::path::from_bstr(path)?), options)?)
}

fn is_asked_for(repo: &gix::Repository) -> bool {
    let config = repo.config_snapshot();
    match config.string("push.recurseSubmodules") {
        Some(how) => ["check", "on-demand", "only"].iter().any(|word| how == *word),
        None => config.boolean("submodule.recurse").unwrap_or(false),
    }
}

/// Whether `id` is on none of the submodule's remotes, as far as is known locally. As in git, a submodule that is not
/// checked out, that does not have the commit, or that has no tracking refs is not checked.
fn is_only_here(repo: &gix::Repository, path: &BStr, id: ObjectId) -> bool {
    let look = || -> anyhow::Result<bool> {
        let submodule = open(repo, path)?;
        let mut known = Vec::new();
        for reference in submodule.references()?.prefixed("refs/remotes/")?.flatten() {
            known.extend(reference.into_fully_peeled_id().map(gix::Id::detach));
        }
        if known.is_empty() || !submodule.has_object(id) {
            return Ok(false);
        }
        Ok(!History::of(&submodule).between(&submodule, vec![id], known)?.is_empty())
    };
    look().unwrap_or(false)
}
