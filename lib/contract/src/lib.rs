//! Defines the run document: the one JSON value that the phases of a run pass from stdin to stdout.
//!
//! Scripts, other tools and every phase rely on these names, so the crate depends on nothing else of the project: it
//! knows of no files, no repository and no colour. The doc comments here become the descriptions of the JSON Schema
//! in `schema/` and are written for readers of the JSON.

mod cmdcopy;
mod document;
mod envelope;
mod exit;
mod gitsync;
mod lock;
mod logcheck;
mod notes_sync;
mod notesurface;
mod object;
mod schema;
mod section;

pub use cmdcopy::{CmdcopySection, CopiedFile, CopyResult};
pub use document::{Document, Failure, Identity, Outcome, Phases, Repo, VERSION};
pub use envelope::{BadDocument, Envelope};
pub use exit::Exit;
pub use gitsync::{
    ChangedFile, Commit, Committed, GitsyncSection, Pulled, Pushed, RefAtRemote, RepoSync, SyncState, Wiki,
    WikiPage, WikiStatus,
};
pub use lock::{LockSection, Owner, ReclaimReason, Reclaimed};
pub use logcheck::{Decision, FoundLog, LogState, LogcheckSection};
pub use notes_sync::{NoteCounts, NotesResult, NotesSyncSection, SyncedRef};
pub use notesurface::{NoteKind, NotesurfaceSection, SurfacedNote};
pub use schema::schema;
pub use section::{Common, Section};
