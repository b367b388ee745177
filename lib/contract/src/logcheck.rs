//! Defines the `logcheck` section: session logs that would otherwise end up in a generic commit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The session logs that are not committed yet, and what was decided about them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LogcheckSection {
    /// The outcome of this phase. Written by the runner, not by the phase itself.
    pub outcome: Outcome,
    /// The duration of this phase in milliseconds. Written by the runner, not by the phase itself.
    pub elapsed_ms: u64,
    /// The logs that were found, sorted by path.
    pub found: Vec<FoundLog>,
    /// What was decided.
    pub decision: Decision,
}

/// A session log that is not committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundLog {
    /// Its path in the repository.
    pub path: String,
    /// How it differs from the last commit.
    pub state: LogState,
}

/// How a session log differs from the last commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogState {
    /// In the working tree only.
    Untracked,
    /// Modified in the index or in the working tree.
    Modified,
    /// New in the index.
    Added,
    /// Renamed to this path.
    Renamed,
}

/// What was decided about the logs that were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// There was nothing to decide.
    #[default]
    None,
    /// The run stops so that they can be saved.
    Stop,
    /// They go into the generic commit.
    Proceed,
    /// The save command ran and succeeded.
    Saved,
}
