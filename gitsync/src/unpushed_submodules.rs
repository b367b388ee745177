//! Submodules at commits that nobody else can get.
//!
//! Whoever pulls a commit that leads to such has a submodule that cannot be checked out. Where `push.recurseSubmodules`
//! asks for it git pushes those submodules first, or refuses. A submodule is a repository of its own, with a branch and
//! a remote that a run knows nothing of: so here it is refused, and named. See
//! <https://git-scm.com/docs/git-config#Documentation/git-config.txt-pushrecurseSubmodules>.

use gix::ObjectId;
use gix::bstr::{BStr, BString};
use phase::Fault;
use remote::History;

use crate::{changes, commit, refuse};

/// Looks at the submodules that a push of `local` moves on from where they are in `theirs`.
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
    Err(Fault::failed(format!(
        "nothing is pushed, as push.recurseSubmodules has it: no remote has the commits that these submodules are at: {}",
        refuse::named(&unpushed)
    ))
    .help(format!(
        "push them first: `git -C {} push`, then run this again",
        words::quoted(&first.to_string())
    ))
    .into())
}

fn is_asked_for(repo: &gix::Repository) -> bool {
    let config = repo.config_snapshot();
    match config.string("push.recurseSubmodules") {
        Some(how) => ["check", "on-demand", "only"].iter().any(|word| how == *word),
        None => config.boolean("submodule.recurse").unwrap_or(false),
    }
}

/// Whether none of the submodule's remotes has `id`, as far as is known here. Of one that is not checked out, that does
/// not have the commit, or that has never heard of a remote, git does not ask it either.
fn is_only_here(repo: &gix::Repository, path: &BStr, id: ObjectId) -> bool {
    let look = || -> anyhow::Result<bool> {
        let Some(root) = repo.workdir() else { return Ok(false) };
        let options = gix::open::Options::isolated().strict_config(false);
        let submodule = gix::open_opts(root.join(gix::path::from_bstr(path)?), options)?;
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
