//! Stages like `git add -A`: turns everything that changed in the working tree into objects, an index and a tree.
//!
//! There are two steps. [`scan()`] only looks, and reports what differs and what cannot be committed; [`prepare()`] reads
//! the files, stores their objects, and builds the index and the tree, both still in memory. The caller makes the
//! commit, moves the branch and has the index written, in this order, so that a run that dies in between has changed
//! nothing visible. It is all or nothing: if one path cannot be committed, none is.

pub mod content;
mod pathspecs;
mod prepare;
mod refusal;
mod scan;
pub mod sink;

use gix::bstr::{BString, ByteSlice as _};
use gix::index::entry::Stat;

pub use pathspecs::{defaults as pathspec_defaults, unmatched_in};
pub use prepare::{Staged, prepare, reread};
pub use refusal::{Refusal, Why};
pub use scan::{scan, sort};

use crate::submodules::{self, Outdated};

/// What is to be staged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// Everything that `git add -A` stages.
    #[default]
    Everything,
    /// What matches one of these pathspecs, relative to the root of the working tree. Nothing else is committed,
    /// staged or not, as for `git commit --only`.
    Only(Vec<BString>),
}

/// What to do, as requested by the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What is to be staged.
    pub scope: Scope,
}

/// What may differ from the index, found from stat data alone.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The paths that may differ; sorted, each path once.
    pub candidates: Vec<Candidate>,
    /// Paths that cannot be committed. If there is any, nothing is committed.
    pub refused: Vec<Refusal>,
    /// Files outside the sparse checkout; git leaves them alone, and so does the run.
    pub outside_sparse: Vec<BString>,
    /// Pathspecs that match nothing.
    pub unmatched: Vec<BString>,
    /// What would make the next scan faster if it were written.
    pub learnt: Option<::scan::CacheUpdate>,
}

impl Changes {
    /// Writes what this scan has learnt, for the next one. A failure to write it is ignored, since it only saves
    /// time.
    pub fn remember(&self) {
        let _ = self.learnt.as_ref().map(::scan::CacheUpdate::write);
    }

    /// Removes the submodules that are merely out of date, and returns what has changed but will not be committed, or
    /// not with all of its content. `index` is the index that the working tree was compared with.
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

    /// Whether nothing in the working tree differs from the index.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty() && self.refused.is_empty()
    }
}

/// What differs from the index but is not committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Files outside the sparse checkout.
    pub outside_sparse: Vec<BString>,
    /// Submodules still checked out at the commit that an integrated remote change has moved them on from: this is
    /// not a change.
    pub outdated_submodules: Vec<BString>,
    /// Submodules that an integrated remote change has removed, and whose directories still exist: this is not a
    /// change either.
    pub removed_submodules: Vec<BString>,
    /// New repositories that `.gitmodules` does not name: only the commit that each is at is committed, none of its
    /// content.
    pub embedded: Vec<BString>,
}

/// A path that may differ from the index.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The path, spelled as in the index if it is there.
    pub path: BString,
    /// What was found there.
    pub seen: Seen,
}

/// What the scan found at a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// It is not in the index.
    New,
    /// It is not in the index, and is a repository of its own.
    NewRepository,
    /// It is in the index, and its stat data differ or cannot be trusted: the file has to be read.
    Doubtful {
        /// Whether its stat data match the index but are racy.
        racy: bool,
        /// Its stat data at the time of the scan.
        stat: Stat,
    },
    /// It is in the index, but no longer in the working tree.
    Gone,
}
