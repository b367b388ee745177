//! Which commits lie behind some and not behind others.
//!
//! This is git's [limited walk](https://git-scm.com/docs/git-rev-list#_commit_limiting): the newest commit first, and the
//! parents of what is hidden are hidden too. It ends where only what is hidden is left, and all of that is older than what
//! was found: a commit is rarely older than its parents. So unrelated histories that are hidden as well, such as the
//! branches of a remote where notes are asked for, are not walked to their end.

use std::{cmp::Reverse, collections::BinaryHeap};

use gix::{ObjectId, hashtable::HashMap};

use super::{Commit, links::Links};

/// How many more commits are passed when nothing can be found any more, in case a clock was wrong; as git does.
const SLOP: usize = 5;

/// The commits behind `tips` that are not behind `hidden`, the newer ones first. `links` reads a commit.
///
/// # Errors
///
/// The first one of reading.
pub(super) fn difference(
    tips: Vec<ObjectId>,
    hidden: Vec<ObjectId>,
    links: &mut dyn FnMut(ObjectId) -> gix::Result<Links>,
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

/// Which commits are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Wanted,
    Hidden,
}

#[derive(Default)]
struct Walk {
    commits: HashMap<ObjectId, Met>,
    /// Those that come next: the newest first, and of several as new the one that was met first.
    queue: BinaryHeap<(i64, Reverse<usize>, ObjectId)>,
    /// How many were put into the queue.
    queued: usize,
    /// How many in the queue are wanted.
    open: usize,
    /// Those that were passed while they seemed to be wanted.
    found: Vec<ObjectId>,
    /// When the oldest of these was made.
    oldest: Option<i64>,
}

/// A commit that was met.
struct Met {
    links: Links,
    side: Side,
    is_queued: bool,
}

impl Walk {
    /// Comes upon a commit.
    fn meet(
        &mut self,
        id: ObjectId,
        side: Side,
        links: &mut dyn FnMut(ObjectId) -> gix::Result<Links>,
    ) -> gix::Result<()> {
        let time = match self.commits.get_mut(&id) {
            None => {
                let links = links(id)?;
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
                // What is behind it has to learn of it.
                met.is_queued = true;
                met.links.time
            }
            Some(_) => return Ok(()),
        };
        self.queued += 1;
        self.queue.push((time, Reverse(self.queued), id));
        Ok(())
    }

    /// Goes on to what is behind a commit.
    fn pass(
        &mut self,
        id: ObjectId,
        time: i64,
        links: &mut dyn FnMut(ObjectId) -> gix::Result<Links>,
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
            let Met { links: Links { tree, parents, .. }, .. } =
                self.commits.remove(&id).filter(|met| met.side == Side::Wanted)?;
            Some(Commit { id, tree, parents })
        });
        commits.collect()
    }
}
