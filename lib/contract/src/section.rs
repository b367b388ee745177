//! Defines what the sections of all phases have in common.

use serde::{Serialize, de::DeserializeOwned};

use crate::Outcome;

/// A section of the document: the data of one phase, under the phase's own name.
pub trait Section: Serialize + DeserializeOwned {
    /// The name of the binary that writes the section, which is also its key in `phases`.
    const NAME: &'static str;
}

/// The fields that all sections share and that the runner writes. Each section repeats them rather than using serde's
/// `flatten`, which does not preserve numbers of arbitrary precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Common {
    /// The outcome of this phase.
    pub outcome: Outcome,
    /// The duration of this phase in milliseconds.
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
