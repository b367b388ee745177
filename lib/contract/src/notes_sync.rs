//! The section of `notes-sync`: what became of each notes ref.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The notes refs that were fetched, merged and pushed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NotesSyncSection {
    /// How this phase ended. The runner writes it; the phase leaves it as it is.
    pub outcome: Outcome,
    /// How long this phase took, in milliseconds. The runner writes it.
    pub elapsed_ms: u64,
    /// The name of the remote; null where there is none.
    pub remote: Option<String>,
    /// The refs, by name.
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
    /// What became of it.
    pub result: NotesResult,
    /// The local ref before; null where it did not exist.
    pub before: Option<String>,
    /// The ref at the remote; null where it did not exist.
    pub theirs: Option<String>,
    /// The local ref after; null where it does not exist.
    pub after: Option<String>,
    /// What the merge did to the local notes.
    #[serde(default)]
    pub notes: NoteCounts,
    /// How notes that were changed differently on both sides are combined.
    pub strategy: String,
    /// How many times it was tried; more than once where the remote or the local ref moved meanwhile.
    pub attempts: u32,
    /// Tips that a racing writer had thrown out of the ref, and that were merged back in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rescued: Vec<String>,
    /// What went wrong with this ref: the server's words where it refused, else our own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What became of a notes ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotesResult {
    /// Both sides were the same.
    Unchanged,
    /// The remote's notes came in.
    Fetched,
    /// The local notes went out.
    Pushed,
    /// Both sides had moved and were merged; the merge went out unless that was forbidden.
    Merged,
    /// It did not get through: the remote refused it, or it could not be merged or sent. Its message says why.
    Rejected,
}

/// How many notes the merge touched, seen from the local notes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NoteCounts {
    /// Notes that came in.
    pub added: u64,
    /// Notes that were replaced by the remote's.
    pub changed: u64,
    /// Notes that the remote had removed.
    pub removed: u64,
    /// Notes changed differently on both sides, combined by the strategy.
    pub combined: u64,
}
