//! Defines the `cmdcopy` section: which command files were copied to the user's own commands directory.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The result of copying the repository's command files to the user's own commands directory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CmdcopySection {
    /// The outcome of this phase. Written by the runner, not by the phase itself.
    pub outcome: Outcome,
    /// The duration of this phase in milliseconds. Written by the runner, not by the phase itself.
    pub elapsed_ms: u64,
    /// The directory that was copied from.
    pub from: String,
    /// The absolute path of the directory that was copied to.
    pub to: String,
    /// The files, sorted by name.
    pub files: Vec<CopiedFile>,
}

/// One command file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopiedFile {
    /// The file's name.
    pub name: String,
    /// What was done with the file.
    pub result: CopyResult,
    /// The name of the backup, in the same directory, of the user's own version of the file; absent if none was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    /// Why the file was left alone; absent if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What was done with a command file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CopyResult {
    /// The file did not exist before.
    Added,
    /// The file's content was replaced.
    Updated,
    /// The file already had the same content.
    Unchanged,
    /// The file was left alone.
    Kept,
    /// The file no longer exists in the repository and was removed.
    Removed,
}
