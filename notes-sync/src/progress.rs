//! Tracks one ref over all rounds, and reports it in the document and as warnings.

use contract::{NoteCounts, NotesResult, SyncedRef};
use gix::ObjectId;
use phase::Fault;

use crate::{
    apply::{Applied, How},
    clobbered::Memory,
    commits,
    look::Theirs,
    names::NotesRef,
    strategy::Strategy,
};

/// The progress of one ref.
#[derive(Debug, Clone)]
pub struct Progress {
    /// How its notes are combined.
    pub strategy: Strategy,
    /// The local commit before the run.
    pub before: Option<ObjectId>,
    /// What is known about the ref at the remote.
    pub theirs: Theirs,
    /// What was done to the local ref, over all rounds.
    pub applied: Applied,
    /// How many rounds tried it.
    pub attempts: u32,
    /// What is still to be done about it.
    pub state: State,
    /// Dropped tips that only the reflog has, and that are reported instead of being restored.
    pub reported: Vec<ObjectId>,
    /// What was found out about its commits.
    pub memory: Memory,
}

/// Whether a ref is done, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is not done yet.
    Open,
    /// Nothing is left to do for it.
    Settled(Sent),
    /// The remote rejected it, for this reason.
    Rejected(String),
    /// It could not be merged here, for this reason.
    Broken(Fault),
    /// It was not pushed, since something that concerns all refs went wrong before.
    Unsent,
}

/// Whether a settled ref was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// No: there was nothing to push, or the run does not push.
    No,
    /// Yes, and the remote accepted it.
    Yes,
}

impl Progress {
    /// Creates the progress of a ref whose notes are combined by `strategy`, and of which nothing else is known.
    pub(crate) fn new(strategy: Strategy) -> Self {
        Self {
            strategy,
            before: None,
            theirs: Theirs::default(),
            applied: Applied::default(),
            attempts: 0,
            state: State::Open,
            reported: Vec::new(),
            memory: Memory::default(),
        }
    }

    /// Whether the ref has commits that the remote is not known to have.
    pub(crate) fn has_unsent(&self) -> bool {
        let ours = self.applied.tip.or(self.before);
        ours.is_some() && ours != self.theirs.now.or(self.theirs.before)
    }

    /// Adds what one more round did to the local ref.
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

    /// Returns the result of the ref as a whole.
    pub fn result(&self) -> NotesResult {
        match (&self.state, self.applied.how) {
            (State::Rejected(_) | State::Broken(_) | State::Unsent, _) => NotesResult::Rejected,
            (_, How::Merged) => NotesResult::Merged,
            (_, How::Forwarded) => NotesResult::Fetched,
            (State::Settled(Sent::Yes), How::Stayed) => NotesResult::Pushed,
            (State::Settled(Sent::No) | State::Open, How::Stayed) => NotesResult::Unchanged,
        }
    }

    /// Returns what the user should know about the ref besides its result.
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

    /// Returns the ref's part of the document.
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
                State::Rejected(words) => Some(words.clone()),
                State::Broken(fault) => Some(words(fault)),
                State::Unsent => Some("its notes were not sent; the next run offers them again".to_owned()),
                State::Open | State::Settled(_) => None,
            },
        }
    }
}

/// Returns a fault with its remedy as one text, for a message about a single ref.
pub(crate) fn words(fault: &Fault) -> String {
    fault.remedy().map_or_else(|| fault.to_string(), |help| format!("{fault} ({help})"))
}
