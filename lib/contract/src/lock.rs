//! The section of `lock`: who held the lock during the run, and whether it is released.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// What `lock acquire` took and `lock release` gave back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LockSection {
    /// How this phase ended. The runner writes it; the phase leaves it as it is.
    pub outcome: Outcome,
    /// How long this phase took, in milliseconds. The runner writes it.
    pub elapsed_ms: u64,
    /// The lock directory.
    pub path: String,
    /// The token that proves to the phases which follow that the lock is still this run's; empty where the lock was
    /// not had.
    pub token: String,
    /// How long the lock was waited for, in milliseconds.
    pub waited_ms: u64,
    /// Whether `lock release` has removed the lock.
    pub released: bool,
    /// Whom the lock belongs to; null where it was not had.
    pub owner: Option<Owner>,
    /// The stale lock that was cleared to take this one.
    pub reclaimed: Option<Reclaimed>,
    /// Who holds the lock, where this run does not: it was deferred, or had nothing to give back.
    pub held_by: Option<Owner>,
}

/// A process, or a lease, that holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Owner {
    /// The process; 0 for a lease without a living owner, and where a script left no number.
    pub pid: u32,
    /// The machine that the process runs on; null where it is not known.
    pub host: Option<String>,
    /// Since when, in RFC 3339 with offset.
    pub since: String,
    /// The name given with `--name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A stale lock that was cleared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reclaimed {
    /// Why it was stale.
    pub reason: ReclaimReason,
    /// Whose it was; null where the lock named no readable owner.
    pub owner: Option<Owner>,
}

/// Why a lock counts as stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReclaimReason {
    /// Its owner was a process of this machine and boot that no longer lives.
    OwnerDead,
    /// It gave no sign of life for as long as the taker allows.
    Expired,
}
