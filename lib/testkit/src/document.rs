//! Reads the run document that a program wrote, typed or as plain JSON.

use contract::{Document, Envelope};
use serde_json::Value;

use crate::Output;

impl Output {
    /// Returns the run document on stdout, which must be one line of JSON and nothing else.
    #[track_caller]
    pub fn document(&self) -> Document {
        let line = self.document_line();
        match Envelope::parse(line) {
            Ok(envelope) => envelope.document().clone(),
            Err(error) => panic!("stdout is no run document: {error}: {self}"),
        }
    }

    /// Returns the run document as JSON, including fields that the types do not have.
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

/// Access to the sections of a document, for tests that know that they exist.
pub trait Sections {
    /// Returns the section of `lock`.
    fn lock(&self) -> &contract::LockSection;
    /// Returns the section of `logcheck`.
    fn logcheck(&self) -> &contract::LogcheckSection;
    /// Returns the section of `gitsync`.
    fn gitsync(&self) -> &contract::GitsyncSection;
    /// Returns the main repository in the section of `gitsync`.
    fn main(&self) -> &contract::RepoSync;
    /// Returns the vault in the section of `gitsync`.
    fn vault(&self) -> &contract::RepoSync;
    /// Returns the section of `notes-sync`.
    fn notes_sync(&self) -> &contract::NotesSyncSection;
    /// Returns the section of `notesurface`.
    fn notesurface(&self) -> &contract::NotesurfaceSection;
    /// Returns the section of `cmdcopy`.
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
