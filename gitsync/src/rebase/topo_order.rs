//! Lists the commits of a range, oldest first, in the order in which git replays them.
//!
//! If the history has merges, the order determines which conflicts occur, so it must be git's.

use std::collections::HashMap;

use anyhow::Context as _;
use gix::ObjectId;
use store::History;

/// A commit of the range.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// Its parents' ids.
    pub parents: Vec<ObjectId>,
}

impl Commit {
    /// Whether it is a merge. A rebase leaves merges out: the commits that they merged are replayed one by one.
    pub fn is_merge(&self) -> bool {
        self.parents.len() > 1
    }
}

/// Returns the commits that are reachable from `head` but not from `hidden`, parents before children. What is `known`
/// of the history is not read again.
///
/// # Errors
/// A commit cannot be read.
pub fn commits(
    repo: &gix::Repository,
    known: &History,
    hidden: ObjectId,
    head: ObjectId,
) -> anyhow::Result<Vec<Commit>> {
    let newest_first = known.between(repo, vec![head], vec![hidden]).context("cannot walk the history")?;
    let commits = newest_first.into_iter();
    let mut sorted =
        topologically(commits.map(|it| Commit { id: it.id, parents: it.parents.into_vec() }).collect());
    sorted.reverse();
    Ok(sorted)
}

/// Sorts commits so that children come before their parents and branches are not mixed, as git's `--topo-order` does.
fn topologically(commits: Vec<Commit>) -> Vec<Commit> {
    let mut children: HashMap<ObjectId, usize> = commits.iter().map(|commit| (commit.id, 0)).collect();
    for parent in commits.iter().flat_map(|commit| &commit.parents) {
        if let Some(count) = children.get_mut(parent) {
            *count += 1;
        }
    }
    let count = commits.len();
    let mut ready: Vec<ObjectId> =
        commits.iter().rev().map(|commit| commit.id).filter(|id| children.get(id) == Some(&0)).collect();
    let mut waiting: HashMap<ObjectId, Commit> =
        commits.into_iter().map(|commit| (commit.id, commit)).collect();
    let mut sorted = Vec::with_capacity(count);
    while let Some(commit) = ready.pop().and_then(|id| waiting.remove(&id)) {
        for parent in &commit.parents {
            if let Some(count) = children.get_mut(parent) {
                *count -= 1;
                if *count == 0 {
                    ready.push(*parent);
                }
            }
        }
        sorted.push(commit);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[number; 20])
    }

    fn commit(number: u8, parents: &[u8]) -> Commit {
        Commit { id: id(number), parents: parents.iter().map(|parent| id(*parent)).collect() }
    }

    fn order(commits: Vec<Commit>) -> Vec<u8> {
        topologically(commits).iter().map(|commit| commit.id.as_bytes()[0]).collect()
    }

    #[test]
    fn branches_are_not_mixed() {
        // 5 merges the branches 4-2 and 3-1, whose commits alternate by date.
        let commits =
            vec![commit(5, &[4, 3]), commit(4, &[2]), commit(3, &[1]), commit(2, &[0]), commit(1, &[0])];
        assert_eq!(order(commits), [5, 3, 1, 4, 2]);
    }

    #[test]
    fn parents_come_after_children_whatever_their_dates_say() {
        assert_eq!(order(vec![commit(1, &[2]), commit(3, &[1]), commit(2, &[])]), [3, 1, 2]);
    }
}
