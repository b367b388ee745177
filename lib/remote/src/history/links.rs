//! What walks need of a commit.

use std::io;

use gix::{
    ObjectId, commitgraph,
    objs::{CommitRefIter, commit::ref_iter::Token},
    traverse::commit::ParentIds,
};

/// What a commit leads to, and its place in time.
#[derive(Debug, Clone)]
pub(super) struct Links {
    pub tree: ObjectId,
    pub parents: ParentIds,
    /// When it was made, in seconds since 1970.
    pub time: i64,
}

impl Links {
    /// Those of a commit as git stores it.
    ///
    /// # Errors
    ///
    /// It is none.
    pub fn of(commit: &[u8], hash: gix::hash::Kind) -> gix::Result<Self> {
        let (mut tree, mut parents) = (None, ParentIds::new());
        for token in CommitRefIter::from_bytes(commit, hash) {
            match (token?, tree) {
                (Token::Tree { id }, _) => tree = Some(id),
                (Token::Parent { id }, _) => parents.push(id),
                (Token::Committer { signature }, Some(tree)) => {
                    return Ok(Self { tree, parents, time: signature.seconds() });
                }
                _ => {}
            }
        }
        Err(gix::Error::from_error(io::Error::other("a commit has neither tree nor committer")))
    }

    /// Those of a commit in a commit-graph.
    ///
    /// # Errors
    ///
    /// The graph is damaged.
    pub fn stored(graph: &commitgraph::Graph, commit: &commitgraph::file::Commit<'_>) -> gix::Result<Self> {
        let parents: Result<ParentIds, _> =
            commit.iter_parents().map(|parent| parent.map(|at| graph.id_at(at).to_owned())).collect();
        let time = i64::try_from(commit.committer_timestamp()).unwrap_or(i64::MAX);
        Ok(Self { tree: commit.root_tree_id().to_owned(), parents: parents?, time })
    }
}
