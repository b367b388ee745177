//! Defines the run document without its sections: the run's id, repository, identity and outcome.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CmdcopySection, Decision, GitsyncSection, LockSection, LogcheckSection, NotesSyncSection,
    NotesurfaceSection,
};

/// The version of the contract that this crate implements.
pub const VERSION: u32 = 1;

/// The run document: one line of JSON that every phase reads from stdin, adds its own section to, and writes to
/// stdout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Document {
    /// The version of the contract: 1.
    pub lockstep: u32,
    /// The id of the run: a ULID, so that ids sort by the start time of their runs.
    pub run: String,
    /// The repository that the run works on; null if none was found.
    pub repo: Option<Repo>,
    /// The user who runs it, and the machine it runs on.
    pub identity: Identity,
    /// The outcome of the run so far: that of the first thing that went wrong, or `ok`.
    pub outcome: Outcome,
    /// Whether the run has ended: if true, the phases after this one do nothing. If absent, the outcomes `saved`,
    /// `unsaved` and `deferred` mean that the run has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<bool>,
    /// The first thing that went wrong; null if nothing did.
    #[serde(default)]
    pub error: Option<Failure>,
    /// The sections of the phases that ran, keyed by the name of the binary.
    #[serde(default)]
    pub phases: Phases,
}

impl Document {
    /// Returns the document with which a run begins.
    pub fn begin(run: String, repo: Option<Repo>, identity: Identity) -> Self {
        Self {
            lockstep: VERSION,
            run,
            repo,
            identity,
            outcome: Outcome::Ok,
            ended: Some(false),
            error: None,
            phases: Phases::default(),
        }
    }

    /// Whether the phases that follow only pass the document on.
    pub fn has_ended(&self) -> bool {
        self.ended.unwrap_or(match self.outcome {
            Outcome::Saved | Outcome::Unsaved | Outcome::Deferred => true,
            Outcome::Ok | Outcome::Conflict | Outcome::Failed => false,
        })
    }

    /// Returns the section of `lock`, if the run has acquired the lock and not released it.
    pub fn held_lock(&self) -> Option<&LockSection> {
        self.phases.lock.as_ref().filter(|lock| !lock.released && !lock.token.is_empty())
    }

    /// Whether the run went on without delay after taking the lock: it reclaimed no stale lock, and `logcheck` had
    /// nothing to decide. Only then is what a later phase read ahead of time likely to be still true.
    pub fn went_straight_on(&self) -> bool {
        let Phases { lock, logcheck, .. } = &self.phases;
        lock.as_ref().is_none_or(|lock| lock.reclaimed.is_none())
            && logcheck.as_ref().is_none_or(|logcheck| logcheck.decision == Decision::None)
    }
}

/// A repository and one of its working trees, as absolute paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repo {
    /// The root of the working tree; null for a bare repository.
    pub worktree: Option<String>,
    /// The git directory that all worktrees of the repository share (`git rev-parse --git-common-dir`).
    pub common_dir: String,
}

/// The user who runs it, and the machine it runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// The `user` of `.claude/identity.json`, else git's `user.name`; null if neither is set.
    pub user: Option<String>,
    /// The machine's host name.
    pub host: String,
}

/// How a run, or one phase of it, ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Done, or nothing to do.
    #[default]
    Ok,
    /// Session logs were saved by a command that itself synced the repository.
    Saved,
    /// Another run holds the lock; the next run catches up.
    Deferred,
    /// There are session logs to save before anything is synced.
    Unsaved,
    /// Local and remote changes touch the same lines; nothing was changed after the local commit.
    Conflict,
    /// The run failed; `error` says what went wrong and what to do.
    Failed,
}

/// What went wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The phase in which it happened.
    pub phase: String,
    /// The exit code.
    pub code: u8,
    /// What happened, and where.
    pub message: String,
    /// What to do about it; null if there is nothing to do.
    #[serde(default)]
    pub help: Option<String>,
}

/// The sections that this version of the contract defines, each under the name of the binary that writes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Phases {
    /// How the repository's lock was taken and released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockSection>,
    /// The session logs that are not committed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logcheck: Option<LogcheckSection>,
    /// The commit, fetch, rebase, working tree update and push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gitsync: Option<GitsyncSection>,
    /// The notes refs that were fetched, merged and pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes_sync: Option<NotesSyncSection>,
    /// The notes that other people left for this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notesurface: Option<NotesurfaceSection>,
    /// The command files that were copied to the user's own commands directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmdcopy: Option<CmdcopySection>,
}
