//! Walks the commits reachable from some tips but not from others.
//!
//! This is git's [limited walk](https://git-scm.com/docs/git-rev-list#_commit_limiting): the newest commit first, and
//! the parents of hidden commits are hidden too. It ends when only hidden commits are left and all of them are older
//! than the commits found, since a commit is rarely older than its parents. So unrelated hidden histories, such as
//! the branches of a remote in a query for notes, are not walked to their end.

use std::{cmp::Reverse, collections::BinaryHeap};

use gix::{ObjectId, hashtable::HashMap};

use super::{Commit, links::CommitHeader};

/// The number of commits that are still visited when no more can be expected, in case of clock skew; git does the
/// same.
const SLOP: usize = 5;

/// Returns the commits reachable from `tips` but not from `hidden`, the newest first. `links` reads a commit.
///
/// # Errors
///
/// The first failure to read a commit.
pub(super) fn difference(
    tips: Vec<ObjectId>,
    hidden: Vec<ObjectId>,
    links: &mut dyn FnMut(ObjectId) -> gix::Result<CommitHeader>,
) -> gix::Result<Vec<Commit>> {
    let mut walk = Walk::default();
    for (ids, side) in [(tips, Side::Wanted), (hidden, Side::Hidden)] {
        for id in ids {
            walk.meet(id, side, links)?;
        }
    }
    let mut slop = SLOP;
    while let Some((time, _, id)) = walk.queue.pop() {
        if walk.open == 0 {
            let Some(oldest) = walk.oldest else { break };
            slop = if time < oldest { slop - 1 } else { SLOP };
            if slop == 0 {
                break;
            }
        }
        walk.pass(id, time, links)?;
    }
    Ok(walk.into_found())
}

/// Whether a commit is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Wanted,
    Hidden,
}

#[derive(Default)]
struct Walk {
    commits: HashMap<ObjectId, Met>,
    /// The commits to visit next: the newest first, and of those with the same date the one that was met first.
    queue: BinaryHeap<(i64, Reverse<usize>, ObjectId)>,
    /// The number of commits that were ever queued.
    queued: usize,
    /// The number of wanted commits in the queue.
    open: usize,
    /// The commits that appeared to be wanted when they were visited.
    found: Vec<ObjectId>,
    /// The date of the oldest of these.
    oldest: Option<i64>,
}

/// A commit that was met.
struct Met {
    links: CommitHeader,
    side: Side,
    is_queued: bool,
}

impl Walk {
    /// Adds a commit to the queue, unless it is known already.
    fn meet(
        &mut self,
        id: ObjectId,
        side: Side,
        links: &mut dyn FnMut(ObjectId) -> gix::Result<CommitHeader>,
    ) -> gix::Result<()> {
        let time = match self.commits.get_mut(&id) {
            None => {
                let links = match links(id) {
                    // What is hidden need not be complete: a ref may lead to objects that are gone, and a tip of the
                    // remote may be left of a history that `git gc` has removed. A wanted commit that leads here fails.
                    Err(_) if side == Side::Hidden => return Ok(()),
                    links => links?,
                };
                let time = links.time;
                self.commits.insert(id, Met { links, side, is_queued: true });
                self.open += usize::from(side == Side::Wanted);
                time
            }
            Some(met) if side == Side::Hidden && met.side == Side::Wanted => {
                met.side = Side::Hidden;
                if met.is_queued {
                    self.open -= 1;
                    return Ok(());
                }
                // Its ancestors have to be marked as hidden, too.
                met.is_queued = true;
                met.links.time
            }
            Some(_) => return Ok(()),
        };
        self.queued += 1;
        self.queue.push((time, Reverse(self.queued), id));
        Ok(())
    }

    /// Visits a commit, and adds its parents to the queue.
    fn pass(
        &mut self,
        id: ObjectId,
        time: i64,
        links: &mut dyn FnMut(ObjectId) -> gix::Result<CommitHeader>,
    ) -> gix::Result<()> {
        let Some(met) = self.commits.get_mut(&id) else { return Ok(()) };
        met.is_queued = false;
        let (side, parents) = (met.side, met.links.parents.clone());
        if side == Side::Wanted {
            self.open -= 1;
            self.found.push(id);
            self.oldest = Some(self.oldest.map_or(time, |oldest| oldest.min(time)));
        }
        parents.into_iter().try_for_each(|parent| self.meet(parent, side, links))
    }

    fn into_found(mut self) -> Vec<Commit> {
        let commits = self.found.into_iter().filter_map(|id| {
            let Met { links: CommitHeader { tree, parents, .. }, .. } =
                self.commits.remove(&id).filter(|met| met.side == Side::Wanted)?;
            Some(Commit { id, tree, parents })
        });
        commits.collect()
    }
}
