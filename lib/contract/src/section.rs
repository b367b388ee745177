//! What every phase's section has, whatever else it says.

use serde::{Serialize, de::DeserializeOwned};

use crate::Outcome;

/// A section of the document: one phase's own facts, under the phase's own name.
pub trait Section: Serialize + DeserializeOwned {
    /// The name of the binary that writes the section, and its key in `phases`.
    const NAME: &'static str;
}

/// The part that all sections share, which the runner writes. It is spelled out in each section rather than
/// flattened into it: serde's flattening loses numbers that keep every digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Common {
    /// How this phase ended.
    pub outcome: Outcome,
    /// How long this phase took, in milliseconds.
    pub elapsed_ms: u64,
}

macro_rules! sections {
    ($($section:ty => $name:literal),* $(,)?) => { $(
        impl Section for $section {
            const NAME: &'static str = $name;
        }
    )* };
}

sections! {
    crate::LockSection => "lock",
    crate::LogcheckSection => "logcheck",
    crate::GitsyncSection => "gitsync",
    crate::NotesSyncSection => "notes-sync",
    crate::NotesurfaceSection => "notesurface",
    crate::CmdcopySection => "cmdcopy",
}
