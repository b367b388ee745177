//! `git add -A`: everything that changed in the work tree, as objects, an index and a tree.
//!
//! It is done in two steps. [`scan`] only looks, and says what differs and what cannot be taken; [`prepare`] reads the
//! files, stores their objects and builds index and tree, both still in memory. The caller makes the commit, moves the
//! branch and lets the index be written, in this order, so that a run that dies in between has changed nothing that
//! a person would see. Nothing is half-done: one path that cannot be taken and none is.

pub mod content;
mod pathspecs;
mod prepare;
mod refusal;
mod scan;
pub mod sink;

use gix::bstr::{BString, ByteSlice as _};
use gix::index::entry::Stat;

pub use pathspecs::unmatched_in;
pub use prepare::{Staged, prepare, reread};
pub use refusal::{Refusal, Why};
pub use scan::{scan, sort};

use crate::submodules::{self, Outdated};

/// What is to be staged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// All that `git add -A` takes.
    #[default]
    Everything,
    /// What matches one of these pathspecs, relative to the work tree's root; and nothing else is committed, staged or
    /// not, as for `git commit --only`.
    Only(Vec<BString>),
}

/// What to do, as the user asked for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What is to be staged.
    pub scope: Scope,
}

/// What may differ from the index, found by looking at stat data only.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Sorted by path, each path once.
    pub candidates: Vec<Candidate>,
    /// What cannot be committed. If there is any, nothing is.
    pub refused: Vec<Refusal>,
    /// Files outside of the sparse checkout; git leaves them alone, and so does the run.
    pub outside_sparse: Vec<BString>,
    /// Pathspecs that match nothing.
    pub unmatched: Vec<BString>,
    /// What would make the next scan quicker, if it were written.
    pub learnt: Option<::scan::Learnt>,
}

impl Changes {
    /// Lets the next scan know what this one has learnt. That it cannot be written is no reason to stop: it only saves
    /// time.
    pub fn remember(&self) {
        let _ = self.learnt.as_ref().map(::scan::Learnt::write);
    }

    /// Leaves out the submodules that are merely out of date, and says what has changed and is not to be committed, or not
    /// with all that is in it. `index` is what was compared.
    ///
    /// # Errors
    /// The configuration is wrong, or the index damaged.
    pub fn leave_out(
        &mut self,
        repo: &gix::Repository,
        index: &::scan::Index,
        outdated: &Outdated,
    ) -> anyhow::Result<LeftOut> {
        let is_outdated = |it: &mut Candidate| it.seen != Seen::Gone && outdated.holds(it.path.as_bstr());
        let outdated: Vec<Candidate> = self.candidates.extract_if(.., is_outdated).collect();
        let (removed, moved): (Vec<_>, Vec<_>) =
            outdated.into_iter().partition(|it| it.seen == Seen::NewRepository);
        let paths = |candidates: Vec<Candidate>| candidates.into_iter().map(|it| it.path).collect();
        let repositories = self.candidates.iter().filter(|it| it.seen == Seen::NewRepository);
        Ok(LeftOut {
            outside_sparse: content::changed(repo, index, std::mem::take(&mut self.outside_sparse))?,
            outdated_submodules: paths(moved),
            removed_submodules: paths(removed),
            embedded: submodules::without_source(repo, repositories.map(|it| it.path.clone()).collect()),
        })
    }

    /// Nothing in the work tree differs from the index.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty() && self.refused.is_empty()
    }
}

/// What differs from the index and is not to be committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Files outside of the sparse checkout.
    pub outside_sparse: Vec<BString>,
    /// Submodules that are checked out where they were before what came in moved them on: they are no change.
    pub outdated_submodules: Vec<BString>,
    /// Submodules that what came in has removed, and whose folders are still here: they are no change either.
    pub removed_submodules: Vec<BString>,
    /// New repositories that `.gitmodules` does not name: of each the commit that it is at is committed, and none of its
    /// content.
    pub embedded: Vec<BString>,
}

/// One path that may differ from the index.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The path, as it stands in the index where it does.
    pub path: BString,
    /// What was found there.
    pub seen: Seen,
}

/// What looking found at a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// It is not in the index.
    New,
    /// It is not in the index, and a repository of its own.
    NewRepository,
    /// It is in the index, and its stat data differ or cannot be trusted: only reading tells.
    Doubtful {
        /// Its stat data are the index's; they are only too young to be believed.
        racy: bool,
        /// Its stat data when looking.
        stat: Stat,
    },
    /// It is in the index, and gone from the work tree.
    Gone,
}
