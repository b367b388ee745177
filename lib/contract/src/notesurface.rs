//! The section of `notesurface`: what other people wrote to this user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The notes for this user in the session logs that came in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NotesurfaceSection {
    /// How this phase ended. The runner writes it; the phase leaves it as it is.
    pub outcome: Outcome,
    /// How long this phase took, in milliseconds. The runner writes it.
    pub elapsed_ms: u64,
    /// The user whose notes were looked for; null where nobody is named.
    pub user: Option<String>,
    /// The commit up to which session logs were looked at; absent where there was none. `notesurface ack` counts what
    /// came up to here as shown, and not what may have come in since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upto: Option<String>,
    /// The notes, oldest first.
    pub notes: Vec<SurfacedNote>,
}

/// A note that someone left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurfacedNote {
    /// Who wrote it: the author of the commit that brought it.
    pub author: String,
    /// When: the date of that commit, as `YYYY-MM-DD` in the author's time zone.
    pub date: String,
    /// What its heading calls it.
    pub kind: NoteKind,
    /// The addressees, as written.
    pub to: String,
    /// The session log that holds it.
    pub path: String,
    /// The commit that brought it.
    pub commit: String,
    /// The text of its heading.
    pub heading: String,
    /// What follows the heading.
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
