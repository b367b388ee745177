//! The section of `logcheck`: session logs that would be swept into a generic commit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The session logs that nobody has committed yet, and what was decided about them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LogcheckSection {
    /// How this phase ended. The runner writes it; the phase leaves it as it is.
    pub outcome: Outcome,
    /// How long this phase took, in milliseconds. The runner writes it.
    pub elapsed_ms: u64,
    /// The logs that were found, by path.
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
    /// In the work tree only.
    Untracked,
    /// Changed in the index or in the work tree.
    Modified,
    /// New in the index.
    Added,
    /// Moved to this path.
    Renamed,
}

/// What was decided about the logs that were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// There was nothing to decide.
    #[default]
    None,
    /// The run stops in favour of saving them.
    Stop,
    /// They go into the generic commit.
    Proceed,
    /// The save command ran and succeeded.
    Saved,
}
