//! What there is to know about a repository's set-up, as plain values.

use std::time::{Duration, SystemTime};

/// Everything that the checks are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// When it was looked at.
    pub now: SystemTime,
    /// The work tree's root; `None` where the repository is bare.
    pub worktree: Option<String>,
    /// Whether objects are fetched when they are needed, which is not supported.
    pub is_partial: bool,
    /// What is wrong with repositories that objects are borrowed from.
    pub alternates: Vec<Told>,
    /// What is checked out.
    pub head: Head,
    /// Why the index cannot be read; `None` where it can, or is not there.
    pub unreadable_index: Option<String>,
    /// The git command that a person is in the middle of.
    pub in_progress: Option<&'static str>,
    /// Who the user is.
    pub people: People,
    /// The remotes' names.
    pub remotes: Vec<String>,
    /// The remote that runs talk to.
    pub remote: Option<RemoteFacts>,
    /// What the branch's configuration says of its upstream.
    pub upstream: Upstream,
    /// The hooks that a run starts.
    pub hooks: Vec<Hook>,
    /// `core.hooksPath`, where it is no folder.
    pub missing_hooks_path: Option<String>,
    /// The run's lock.
    pub lock: Lock,
    /// Lock files of git's, by their paths in the git directory.
    pub lock_files: Vec<LockFile>,
    /// The keys of git's configuration that are about runs or about merging notes.
    pub keys: Vec<Key>,
    /// The session logs.
    pub logs: Logs,
    /// The vault.
    pub vault: Vault,
    /// The folder that commands are copied to.
    pub commands: Commands,
    /// Whether an ssh agent is within reach.
    pub ssh_agent: bool,
    /// The file with the latest time of change.
    pub newest: Option<(String, SystemTime)>,
}

/// Something that was said about a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl From<phase::Fault> for Told {
    fn from(fault: phase::Fault) -> Self {
        Self { message: fault.message().into(), help: fault.remedy().map(Into::into) }
    }
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch, by its short name.
    Branch(String),
    /// A branch without a commit.
    Unborn(String),
    /// No branch.
    Detached,
    /// It cannot be read.
    Unreadable,
}

/// Who the user is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// The name that notes are addressed to, by `.claude/identity.json`; or what is wrong with that file.
    pub user: Result<Option<String>, Told>,
    /// The name that git knows.
    pub git_name: Option<String>,
    /// Whether git neither ignores nor tracks `.claude/identity.json`, which is there.
    pub file_is_exposed: bool,
    /// Whether git could make a commit: it knows a name and an address.
    pub can_commit: bool,
}

/// The remote that runs talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFacts {
    /// Its name.
    pub name: String,
    /// Where it is, without a password.
    pub url: String,
    /// Whether it is reached by ssh.
    pub is_ssh: bool,
    /// The refspecs of a fetch.
    pub refspecs: Vec<String>,
    /// What its configuration asks for, and runs refuse.
    pub unsupported: Vec<Told>,
    /// What it said.
    pub answer: Answer,
}

/// What a remote said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was not asked.
    NotAsked,
    /// It answered with these branches, by their full names.
    Branches(Vec<String>),
    /// It did not.
    Trouble(Told),
}

/// What the branch's configuration says of its upstream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Upstream {
    /// `branch.<name>.remote`.
    pub remote: Option<String>,
    /// `branch.<name>.merge`, all of them.
    pub merges: Vec<String>,
}

/// A hook that a run starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its path.
    pub path: String,
    /// Whether it may be executed; git passes over it where not.
    pub executable: bool,
    /// Whether it belongs to somebody else.
    pub foreign: bool,
}

/// The run's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// Nobody has it.
    Free,
    /// Somebody has it, in words.
    Held(String),
    /// Somebody has left it behind, in words.
    Stale(String),
    /// Its sign of life lies in the future.
    Ahead(String),
    /// Something is there that is no lock.
    Obstacle(String),
    /// It cannot be looked at.
    Unreadable(String),
}

/// A lock file of git's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFile {
    /// Its path.
    pub path: String,
    /// How long ago it was written.
    pub age: Duration,
}

/// A key of git's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its section: `lockstep` or `notes`.
    pub section: String,
    /// Its subsection.
    pub subsection: Option<String>,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The file that it stands in.
    pub origin: String,
}

/// The session logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logs {
    /// The patterns are none.
    Broken(Told),
    /// The patterns can be used.
    Found {
        /// Whether somebody configured patterns of their own.
        configured: bool,
        /// How many tracked files match.
        tracked: usize,
        /// Where a new log would be ignored by git.
        ignored: Vec<String>,
    },
}

/// The vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vault {
    /// There is none.
    None,
    /// It is a repository, at this path.
    Fine(String),
    /// It cannot be synced.
    Broken(Told),
}

/// The folder that commands are copied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commands {
    /// The repository has none to copy.
    None,
    /// It can be written to.
    Writable(String),
    /// It cannot; this path is in the way.
    NotWritable(String),
}

/// A binary, and the version that it says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// Its name.
    pub name: &'static str,
    /// Its version; `None` where it is missing or does not run.
    pub version: Option<String>,
}
