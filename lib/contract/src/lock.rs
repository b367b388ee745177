//! Defines the `lock` section: who owned the lock during the run, and whether it was released.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The lock that `lock acquire` took and `lock release` released.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LockSection {
    /// The outcome of this phase. Written by the runner, not by the phase itself.
    pub outcome: Outcome,
    /// The duration of this phase in milliseconds. Written by the runner, not by the phase itself.
    pub elapsed_ms: u64,
    /// The path of the lock directory.
    pub path: String,
    /// The token with which the following phases verify that the lock still belongs to this run; empty if the lock
    /// was not acquired.
    pub token: String,
    /// How long the run waited for the lock, in milliseconds.
    pub waited_ms: u64,
    /// Whether `lock release` has removed the lock.
    pub released: bool,
    /// The owner of the lock; null if the lock was not acquired.
    pub owner: Option<Owner>,
    /// The stale lock that was cleared to take this one; null if there was none.
    pub reclaimed: Option<Reclaimed>,
    /// Who holds the lock instead of this run, if the run was deferred or `lock release` had nothing to release; else
    /// null.
    pub held_by: Option<Owner>,
}

/// The owner of a lock: a process or a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Owner {
    /// The process id; 0 for a lease without a living owner, or if a script wrote none.
    pub pid: u32,
    /// The machine that the process runs on; null if unknown.
    pub host: Option<String>,
    /// Since when it has held the lock, in RFC 3339 format with offset.
    pub since: String,
    /// The name given with `--name`; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A stale lock that was cleared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reclaimed {
    /// Why it was stale.
    pub reason: ReclaimReason,
    /// Its owner; null if the lock named no readable owner.
    pub owner: Option<Owner>,
}

/// Why a lock counts as stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReclaimReason {
    /// Its owner was a process of this machine and this boot that no longer lives.
    OwnerDead,
    /// It showed no sign of life for as long as the acquiring process allows.
    Expired,
}
