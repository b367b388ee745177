//! Updates local refs after a fetch: decides which are written, pruned or left alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use gix::{
    ObjectId,
    refs::{Category, FullName},
    refspec::{MatchGroup, RefSpec, match_group::Item},
};
use store::local_ref::{self, RefError, RefStore, RefUpdate, UpdateOutcome, Value};

use super::{
    Fetched, Moved, Rejected, Why,
    want::{Force, Target},
};
use crate::{Change, RefAdvertisement, Remote, RemoteError, RemoteName, Watcher, checked_out::checked_out};

/// What the decision about one target depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    category: Option<Category<'static>>,
    relation: Relation,
    force: Force,
    checked_out: bool,
}

/// How the remote's value relates to the local one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// There is no local ref.
    New,
    Same,
    /// The local value is an ancestor of the remote's.
    Ahead,
    /// The local value has commits that the remote's lacks.
    Diverged,
    /// Not both are commits, so neither can be ahead.
    Incomparable,
}

/// What to do about one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Keep,
    /// Write the ref, with this as the end of the reflog message.
    Write(&'static str),
    Reject(Why),
}

/// Writes the targets that may be written, and records the results in `fetched`.
pub(super) fn update(
    remote: &Remote<'_>,
    targets: Vec<Target>,
    action: &str,
    watcher: &dyn Watcher,
    fetched: &mut Fetched,
) -> Result<(), RemoteError> {
    let repo = remote.repo;
    const DOING: &str = "updating the refs that follow the remote";
    let local = |error: gix::Error| RemoteError::local(DOING, error);
    let busy = busy(repo, &targets).map_err(local)?;
    let mut updates = Vec::new();
    for Target { local: name, theirs, force } in targets {
        let old = match local_ref::read(repo, name.as_ref()).map_err(local)? {
            Value::Absent => None,
            Value::Object(id) => Some(id),
            // The refspec names the symbolic ref, not its target.
            Value::Symbolic => continue,
        };
        let facts = Facts {
            category: category(&name),
            relation: relation(remote, old, theirs).map_err(local)?,
            force,
            checked_out: busy.contains_key(&name),
        };
        match decide(facts) {
            Decision::Keep => {}
            Decision::Reject(why) => fetched.rejected.push(Rejected { local: name, theirs, why }),
            Decision::Write(end) => {
                watcher.may_change(Change::LocalRef(&name)).map_err(RemoteError::Stopped)?;
                updates.push(Update { name, old, theirs, reason: format!("{action}: {end}") });
            }
        }
    }
    let answers = RefStore::new(repo).write_all(&updates.iter().map(Update::edit).collect::<Vec<_>>());
    for (Update { name, old, theirs, .. }, answer) in updates.into_iter().zip(answers) {
        let why = match answer {
            Ok(UpdateOutcome::Updated) => {
                fetched.moved.push(Moved { local: name, old, new: Some(theirs) });
                continue;
            }
            Ok(UpdateOutcome::Stale) => Why::MovedMeanwhile,
            Err(RefError::NameTaken { .. }) => Why::NameTaken,
            Err(failed) => return Err(RemoteError::local(DOING, failed)),
        };
        fetched.rejected.push(Rejected { local: name, theirs, why });
    }
    Ok(())
}

/// A ref to be written.
struct Update {
    name: FullName,
    old: Option<ObjectId>,
    theirs: ObjectId,
    reason: String,
}

impl Update {
    fn edit(&self) -> RefUpdate<'_> {
        RefUpdate { name: self.name.as_ref(), expected: self.old, new: self.theirs, reason: &self.reason }
    }
}

/// Returns the values of all refs of `repo`.
pub(crate) fn tips(repo: &gix::Repository) -> gix::Result<Vec<ObjectId>> {
    let mut tips = Vec::new();
    for found in local_ref::list(repo, "refs/".into())? {
        tips.extend(found.target.try_id().map(ToOwned::to_owned));
    }
    Ok(tips)
}

/// Applies git's rules, see <https://git-scm.com/docs/git-fetch#_refspec>.
fn decide(facts: Facts) -> Decision {
    let forced = facts.force == Force::Allowed;
    match facts.relation {
        Relation::Same => Decision::Keep,
        _ if facts.checked_out => Decision::Reject(Why::CheckedOut),
        Relation::New => Decision::Write(match facts.category {
            Some(Category::Tag) => "storing tag",
            Some(Category::LocalBranch | Category::RemoteBranch) => "storing head",
            _ => "storing ref",
        }),
        _ if facts.category == Some(Category::Tag) => {
            if forced {
                Decision::Write("updating tag")
            } else {
                Decision::Reject(Why::TagExists)
            }
        }
        Relation::Ahead => Decision::Write("fast-forward"),
        Relation::Incomparable => Decision::Write("storing ref"),
        Relation::Diverged if forced => Decision::Write("forced-update"),
        Relation::Diverged => Decision::Reject(Why::NotFastForward),
    }
}

fn category(name: &FullName) -> Option<Category<'static>> {
    match name.category() {
        Some(Category::Tag) => Some(Category::Tag),
        Some(Category::LocalBranch) => Some(Category::LocalBranch),
        Some(Category::RemoteBranch) => Some(Category::RemoteBranch),
        _ => None,
    }
}

fn relation(remote: &Remote<'_>, old: Option<ObjectId>, new: ObjectId) -> gix::Result<Relation> {
    let repo = remote.repo;
    let Some(old) = old else { return Ok(Relation::New) };
    if old == new {
        return Ok(Relation::Same);
    }
    let commit = |id: ObjectId| -> gix::Result<Option<ObjectId>> {
        // A ref whose object is missing is worthless, and must not block the remote's value.
        let Some(object) = repo.try_find_object(id)? else { return Ok(None) };
        Ok(object.peel_to_kind(gix::object::Kind::Commit).ok().map(|commit| commit.id))
    };
    let (Some(old), Some(new)) = (commit(old)?, commit(new)?) else { return Ok(Relation::Incomparable) };
    Ok(match remote.history.base(repo, old, new) {
        Ok(Some(base)) if base == old => Relation::Ahead,
        _ => Relation::Diverged,
    })
}

/// Returns the branches checked out in worktrees; looks them up only if a target is a branch.
fn busy(repo: &gix::Repository, targets: &[Target]) -> gix::Result<BTreeMap<FullName, PathBuf>> {
    if targets.iter().all(|target| target.local.category() != Some(Category::LocalBranch)) {
        return Ok(BTreeMap::new());
    }
    checked_out(repo)
}

/// Deletes tracking refs whose ref at the remote is gone, if this is configured. Local notes stay: where a refspec
/// fetches into them, git also deletes notes refs that were never pushed, together with their reflog, the only record
/// of them.
pub(super) fn prune(
    remote: &Remote<'_>,
    specs: &[RefSpec],
    listing: &RefAdvertisement,
    watcher: &dyn Watcher,
    fetched: &mut Fetched,
) -> Result<(), RemoteError> {
    if !remote.prunes() {
        return Ok(());
    }
    const DOING: &str = "pruning refs that the remote no longer has";
    let gone = stale(remote, specs, listing).map_err(|error| RemoteError::local(DOING, error))?;
    for (name, _) in &gone {
        watcher.may_change(Change::LocalRef(name)).map_err(RemoteError::Stopped)?;
    }
    let answers =
        RefStore::new(remote.repo).delete(&gone).map_err(|failed| RemoteError::local(DOING, failed))?;
    let pruned = gone.into_iter().zip(answers).filter(|(_, answer)| *answer == UpdateOutcome::Updated);
    fetched.moved.extend(pruned.map(|((local, old), _)| Moved { local, old: Some(old), new: None }));
    Ok(())
}

fn are_own_notes(name: &FullName, remote: &RemoteName) -> bool {
    let name = name.as_bstr();
    name.starts_with(b"refs/notes/") && !name.starts_with(format!("refs/notes/{remote}/").as_bytes())
}

/// Returns the local refs that match the right side of `specs` where the remote lists no ref for the left side.
fn stale(
    remote: &Remote<'_>,
    specs: &[RefSpec],
    listing: &RefAdvertisement,
) -> gix::Result<Vec<(FullName, ObjectId)>> {
    let mut ours = Vec::new();
    for found in local_ref::list(remote.repo, "refs/".into())? {
        if let Some(id) = found.target.try_id().filter(|_| !are_own_notes(&found.name, remote.name())) {
            ours.push((found.name.clone(), id.to_owned()));
        }
    }
    let theirs: BTreeSet<&[u8]> = listing.refs.iter().map(|listed| listed.name.as_bstr().as_ref()).collect();
    let items =
        ours.iter().map(|(name, id)| Item { full_ref_name: name.as_bstr(), target: id, object: None });
    let followed = MatchGroup::from_fetch_specs(specs.iter().map(RefSpec::to_ref)).match_rhs(items);
    let (mut alive, mut gone) = (BTreeSet::new(), BTreeSet::new());
    for mapping in followed.mappings {
        let Some(at) = mapping.item_index else { continue };
        let source: &[u8] = match &mapping.lhs {
            gix::refspec::match_group::SourceRef::FullName(name) => name.as_ref(),
            gix::refspec::match_group::SourceRef::ObjectId(_) => continue,
        };
        if theirs.contains(source) {
            alive.insert(at)
        } else {
            gone.insert(at)
        };
    }
    Ok(gone.difference(&alive).map(|at| ours[*at].clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRANCH: Facts = Facts {
        category: Some(Category::RemoteBranch),
        relation: Relation::Ahead,
        force: Force::Forbidden,
        checked_out: false,
    };

    #[test]
    fn only_a_plus_lets_a_branch_lose_commits() {
        let diverged = Facts { relation: Relation::Diverged, ..BRANCH };
        assert_eq!(decide(BRANCH), Decision::Write("fast-forward"));
        assert_eq!(decide(diverged), Decision::Reject(Why::NotFastForward));
        assert_eq!(decide(Facts { force: Force::Allowed, ..diverged }), Decision::Write("forced-update"));
    }

    #[test]
    fn a_tag_is_never_moved_without_a_plus_not_even_forward() {
        let tag = Facts { category: Some(Category::Tag), ..BRANCH };
        assert_eq!(decide(tag), Decision::Reject(Why::TagExists));
        assert_eq!(decide(Facts { force: Force::Allowed, ..tag }), Decision::Write("updating tag"));
    }

    #[test]
    fn what_a_work_tree_has_checked_out_is_not_pulled_from_under_it() {
        let forced = Facts { force: Force::Allowed, checked_out: true, ..BRANCH };
        assert_eq!(decide(forced), Decision::Reject(Why::CheckedOut));
        assert_eq!(decide(Facts { relation: Relation::Same, ..forced }), Decision::Keep);
    }
}
