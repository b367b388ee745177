//! What became of one ref, over all rounds, and how the document and the report tell it.

use contract::{NoteCounts, NotesResult, SyncedRef};
use gix::ObjectId;

use crate::{
    apply::{Applied, How},
    commits,
    look::Theirs,
    names::NotesRef,
    strategy::Strategy,
    undone::Memory,
};

/// How far a ref got.
#[derive(Debug, Clone)]
pub struct Progress {
    /// How its notes are combined.
    pub strategy: Strategy,
    /// Where it was at first.
    pub before: Option<ObjectId>,
    /// What the remote has.
    pub theirs: Theirs,
    /// What was done to the local ref, in all rounds together.
    pub applied: Applied,
    /// How often it was tried.
    pub attempts: u32,
    /// What is still to be done about it.
    pub state: State,
    /// Tips that are in the reflog alone and stay there.
    pub reported: Vec<ObjectId>,
    /// What was found out about its commits.
    pub memory: Memory,
}

/// What is still to be done about a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is not done yet.
    Open,
    /// Both sides are as they should be.
    Settled(Sent),
    /// The remote did not take it; its words.
    Rejected(String),
    /// It could not be merged here; why.
    Broken(String),
}

/// Whether a settled ref went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It did not have to, or was not to.
    No,
    /// The remote took it.
    Yes,
}

impl Progress {
    /// Takes in what one more round did to the local ref.
    pub(crate) fn add(&mut self, applied: Applied) {
        let sum = &mut self.applied;
        sum.tip = applied.tip;
        sum.how = sum.how.max(applied.how);
        sum.counts = sum.counts.plus(applied.counts);
        sum.rescued.extend(applied.rescued);
        sum.restored.extend(applied.restored);
        sum.shredded.extend(applied.shredded);
        sum.made = applied.made;
    }

    /// What the ref as a whole went through.
    pub fn result(&self) -> NotesResult {
        match (&self.state, self.applied.how) {
            (State::Rejected(_), _) => NotesResult::Rejected,
            (_, How::Merged) => NotesResult::Merged,
            (_, How::Forwarded) => NotesResult::Fetched,
            (State::Settled(Sent::Yes), How::Stayed) => NotesResult::Pushed,
            // What could not be merged here was never offered to the remote; its message says why.
            (State::Settled(Sent::No) | State::Open | State::Broken(_), How::Stayed) => {
                NotesResult::Unchanged
            }
        }
    }

    /// What the user should know about the ref, beside its result.
    pub fn warnings(&self, name: &NotesRef) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.applied.shredded.is_empty() {
            let count = self.applied.shredded.len();
            warnings.push(format!(
                "{name}: the lines of {count} notes with front matter, fences or NUL bytes were sorted; to keep such \
                 notes whole: git config lockstep.{name}.notesStrategy records"
            ));
        }
        if !self.reported.is_empty() {
            let tips: Vec<String> = self.reported.iter().map(|tip| commits::short(*tip)).collect();
            warnings.push(format!(
                "{name}: its reflog holds notes that it does not have and that may have been dropped on purpose ({}); \
                 to bring them back: notes-sync merge --ref {name} COMMIT",
                tips.join(", ")
            ));
        }
        warnings
    }

    /// The ref, as the document has it.
    pub fn section(&self, name: &NotesRef) -> SyncedRef {
        let counts = self.applied.counts;
        let hex = |id: Option<ObjectId>| id.map(|id| id.to_string());
        SyncedRef {
            name: name.to_string(),
            result: self.result(),
            before: hex(self.before),
            theirs: hex(self.theirs.now),
            after: hex(self.applied.tip.or(self.before)),
            notes: NoteCounts {
                added: counts.added,
                changed: counts.changed,
                removed: counts.removed,
                combined: counts.combined,
            },
            strategy: self.strategy.to_string(),
            attempts: self.attempts,
            rescued: self
                .applied
                .rescued
                .iter()
                .chain(&self.applied.restored)
                .map(ToString::to_string)
                .collect(),
            message: match &self.state {
                State::Rejected(words) | State::Broken(words) => Some(words.clone()),
                State::Open | State::Settled(_) => None,
            },
        }
    }
}
