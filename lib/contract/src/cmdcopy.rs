//! The section of `cmdcopy`: which commands were copied to the user's own folder.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The commands of the repository, and what became of each in the user's own folder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CmdcopySection {
    /// How this phase ended. The runner writes it; the phase leaves it as it is.
    pub outcome: Outcome,
    /// How long this phase took, in milliseconds. The runner writes it.
    pub elapsed_ms: u64,
    /// The folder that was copied from.
    pub from: String,
    /// The folder that was copied to, as an absolute path.
    pub to: String,
    /// The files, by name.
    pub files: Vec<CopiedFile>,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopiedFile {
    /// The file's name.
    pub name: String,
    /// What became of it.
    pub result: CopyResult,
    /// The name of the file beside it that keeps what the user had there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    /// Why it was left alone, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a command's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CopyResult {
    /// It was not there before.
    Added,
    /// Its content was replaced.
    Updated,
    /// It had the same content already.
    Unchanged,
    /// It was left alone.
    Kept,
    /// It is gone from the repository, and was removed.
    Removed,
}
