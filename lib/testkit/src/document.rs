//! The run document that a program wrote, typed and as plain JSON.

use contract::{Document, Envelope};
use serde_json::Value;

use crate::Output;

impl Output {
    /// The run document on stdout, which must be one line of JSON and nothing else.
    #[track_caller]
    pub fn document(&self) -> Document {
        let line = self.document_line();
        match Envelope::parse(line) {
            Ok(envelope) => envelope.document().clone(),
            Err(error) => panic!("stdout is no run document: {error}: {self}"),
        }
    }

    /// The run document as JSON, with whatever the types do not know.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(self.document_line()).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    #[track_caller]
    fn document_line(&self) -> &str {
        let line =
            self.stdout.strip_suffix('\n').unwrap_or_else(|| panic!("stdout ends in no line feed: {self}"));
        assert!(!line.contains('\n'), "stdout is more than one line: {self}");
        line
    }
}

/// The sections of a document, for tests that know that they are there.
pub trait Sections {
    /// The section of `lock`.
    fn lock(&self) -> &contract::LockSection;
    /// The section of `logcheck`.
    fn logcheck(&self) -> &contract::LogcheckSection;
    /// The section of `gitsync`.
    fn gitsync(&self) -> &contract::GitsyncSection;
    /// The main repository in the section of `gitsync`.
    fn main(&self) -> &contract::RepoSync;
    /// The vault in the section of `gitsync`.
    fn vault(&self) -> &contract::RepoSync;
    /// The section of `notes-sync`.
    fn notes_sync(&self) -> &contract::NotesSyncSection;
    /// The section of `notesurface`.
    fn notesurface(&self) -> &contract::NotesurfaceSection;
    /// The section of `cmdcopy`.
    fn cmdcopy(&self) -> &contract::CmdcopySection;
}

impl Sections for Document {
    fn lock(&self) -> &contract::LockSection {
        self.phases.lock.as_ref().expect("a section of lock")
    }

    fn logcheck(&self) -> &contract::LogcheckSection {
        self.phases.logcheck.as_ref().expect("a section of logcheck")
    }

    fn gitsync(&self) -> &contract::GitsyncSection {
        self.phases.gitsync.as_ref().expect("a section of gitsync")
    }

    fn main(&self) -> &contract::RepoSync {
        self.gitsync().main.as_ref().expect("the main repository")
    }

    fn vault(&self) -> &contract::RepoSync {
        self.gitsync().vault.as_ref().expect("the vault")
    }

    fn notes_sync(&self) -> &contract::NotesSyncSection {
        self.phases.notes_sync.as_ref().expect("a section of notes-sync")
    }

    fn notesurface(&self) -> &contract::NotesurfaceSection {
        self.phases.notesurface.as_ref().expect("a section of notesurface")
    }

    fn cmdcopy(&self) -> &contract::CmdcopySection {
        self.phases.cmdcopy.as_ref().expect("a section of cmdcopy")
    }
}
