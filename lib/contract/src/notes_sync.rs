//! Defines the `notes-sync` section: what was done with each notes ref.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The notes refs that were fetched, merged and pushed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NotesSyncSection {
    /// The outcome of this phase. Written by the runner, not by the phase itself.
    pub outcome: Outcome,
    /// The duration of this phase in milliseconds. Written by the runner, not by the phase itself.
    pub elapsed_ms: u64,
    /// The name of the remote; null if there is none.
    pub remote: Option<String>,
    /// The refs, sorted by name.
    pub refs: Vec<SyncedRef>,
    /// What the user should know: a refspec that overwrites notes, notes that a strategy would reorder, lost tips.
    pub warnings: Vec<String>,
}

/// One notes ref.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyncedRef {
    /// Its full name.
    #[serde(rename = "ref")]
    pub name: String,
    /// What was done with it.
    pub result: NotesResult,
    /// The local ref's value before; null if it did not exist.
    pub before: Option<String>,
    /// The remote ref's value before; null if it did not exist.
    pub theirs: Option<String>,
    /// The local ref's value after; null if it does not exist.
    pub after: Option<String>,
    /// What the merge did to the local notes.
    #[serde(default)]
    pub notes: NoteCounts,
    /// The strategy that combines notes which were changed differently on both sides.
    pub strategy: String,
    /// How many attempts were made; more than one if the remote's or the local ref changed in the meantime.
    pub attempts: u32,
    /// Tips that a concurrent writer had dropped from the ref and that were merged back in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rescued: Vec<String>,
    /// What went wrong with this ref: the server's message if the server refused it, else our own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What was done with a notes ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotesResult {
    /// Both sides were the same.
    Unchanged,
    /// The local ref was set to the remote's.
    Fetched,
    /// The local notes were pushed.
    Pushed,
    /// Both sides had changed and were merged; the merge was pushed unless pushing was disabled.
    Merged,
    /// The remote refused the ref, or it could not be merged or sent; `message` says why.
    Rejected,
}

/// How many notes the merge changed, compared with the local notes before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NoteCounts {
    /// Notes that were added.
    pub added: u64,
    /// Notes that were replaced by the remote's version.
    pub changed: u64,
    /// Notes that were removed because the remote had removed them.
    pub removed: u64,
    /// Notes changed differently on both sides, combined by the strategy.
    pub combined: u64,
}
