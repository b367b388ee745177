//! Defines the `notesurface` section: the notes that other people wrote to this user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The notes for this user in the session logs that were pulled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NotesurfaceSection {
    /// The outcome of this phase. Written by the runner, not by the phase itself.
    pub outcome: Outcome,
    /// The duration of this phase in milliseconds. Written by the runner, not by the phase itself.
    pub elapsed_ms: u64,
    /// The user whose notes were looked for; null if there is no user name.
    pub user: Option<String>,
    /// The commit up to which session logs were searched; absent if there was none. `notesurface ack` marks the notes
    /// up to this commit as shown, but not those that may have been pulled since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upto: Option<String>,
    /// The notes, oldest first.
    pub notes: Vec<SurfacedNote>,
}

/// A note that someone left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurfacedNote {
    /// Who wrote it: the author of the commit that added it.
    pub author: String,
    /// The author date of that commit, as `YYYY-MM-DD` in the author's time zone.
    pub date: String,
    /// What its heading calls it.
    pub kind: NoteKind,
    /// The addressees, as written.
    pub to: String,
    /// The session log that contains it.
    pub path: String,
    /// The commit that added it.
    pub commit: String,
    /// The text of its heading.
    pub heading: String,
    /// The text after the heading.
    pub body: String,
}

/// What the heading calls the note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// `## Note for …`
    Note,
    /// `## Message for …`
    Message,
}
