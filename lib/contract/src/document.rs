//! The document itself, less the sections: what run this is, of what, for whom, and how it goes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CmdcopySection, Decision, GitsyncSection, LockSection, LogcheckSection, NotesSyncSection,
    NotesurfaceSection,
};

/// The version of the contract that this crate speaks.
pub const VERSION: u32 = 1;

/// The run document: one line of JSON that every phase reads from stdin, adds its own section to, and writes to
/// stdout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Document {
    /// The version of the contract; 1.
    pub lockstep: u32,
    /// The run's id: a ULID, so that ids sort by the time at which their runs began.
    pub run: String,
    /// The repository that the run is about; null where none was found.
    pub repo: Option<Repo>,
    /// Who runs it, and where.
    pub identity: Identity,
    /// How the run stands: the first thing that went wrong, or `ok`.
    pub outcome: Outcome,
    /// True where the phases after this one do nothing. Where it is absent, `saved`, `unsaved` and `deferred` count
    /// as ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<bool>,
    /// The first thing that went wrong; null where nothing did.
    #[serde(default)]
    pub error: Option<Failure>,
    /// A section for each phase that ran, by the name of its binary.
    #[serde(default)]
    pub phases: Phases,
}

impl Document {
    /// The document that begins a run.
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

    /// Whether the phases that follow do nothing but pass the document on.
    pub fn has_ended(&self) -> bool {
        self.ended.unwrap_or(match self.outcome {
            Outcome::Saved | Outcome::Unsaved | Outcome::Deferred => true,
            Outcome::Ok | Outcome::Conflict | Outcome::Failed => false,
        })
    }

    /// What the lock's phase says, where the run has got the lock and not given it back.
    pub fn held_lock(&self) -> Option<&LockSection> {
        self.phases.lock.as_ref().filter(|lock| !lock.released && !lock.token.is_empty())
    }

    /// Whether the run went straight on from taking the lock: it cleared no dead owner's, and asked nobody. Only then is what
    /// was looked at before still to be expected.
    pub fn went_straight_on(&self) -> bool {
        let Phases { lock, logcheck, .. } = &self.phases;
        lock.as_ref().is_none_or(|lock| lock.reclaimed.is_none())
            && logcheck.as_ref().is_none_or(|logcheck| logcheck.decision == Decision::None)
    }
}

/// A repository and one of its work trees, as absolute paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repo {
    /// The root of the work tree; null for a bare repository.
    pub worktree: Option<String>,
    /// The git directory that all work trees of the repository share (`git rev-parse --git-common-dir`).
    pub common_dir: String,
}

/// Who runs it, and on which machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// The `user` of `.claude/identity.json`, else git's `user.name`; null where neither is set.
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
    /// Session logs were saved by a command that synced by itself.
    Saved,
    /// Another run holds the lock; the next run catches up.
    Deferred,
    /// Session logs are to be saved before anything is synced.
    Unsaved,
    /// Local and remote changes touch the same lines; nothing was changed after the local commit.
    Conflict,
    /// It did not work; `error` says what and what to do.
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
    /// What to do about it; null where there is nothing to be done.
    #[serde(default)]
    pub help: Option<String>,
}

/// The sections that this version knows, each under the name of the binary that wrote it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Phases {
    /// Taking and releasing the repository's lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockSection>,
    /// Session logs that nobody has committed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logcheck: Option<LogcheckSection>,
    /// Commit, fetch, rebase, work-tree update and push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gitsync: Option<GitsyncSection>,
    /// Notes refs fetched, merged and pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes_sync: Option<NotesSyncSection>,
    /// Notes that other people left for this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notesurface: Option<NotesurfaceSection>,
    /// Commands copied to the user's own folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmdcopy: Option<CmdcopySection>,
}
