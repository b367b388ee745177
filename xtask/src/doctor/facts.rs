//! The facts about a repository's set-up, as plain values.

use std::time::{Duration, SystemTime};

/// Everything that the checks are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// When the facts were gathered.
    pub now: SystemTime,
    /// The root of the working tree; `None` if the repository is bare.
    pub worktree: Option<String>,
    /// Whether this is a partial clone, which is not supported.
    pub is_partial: bool,
    /// What is wrong with the alternates.
    pub alternates: Vec<Told>,
    /// What is checked out.
    pub head: Head,
    /// Why the index cannot be read; `None` if it can, or does not exist.
    pub unreadable_index: Option<String>,
    /// The git command that is in progress, such as an unfinished rebase.
    pub in_progress: Option<&'static str>,
    /// Who the user is.
    pub people: People,
    /// The remotes' names.
    pub remotes: Vec<String>,
    /// The remote that runs use.
    pub remote: Option<RemoteFacts>,
    /// What the branch's configuration says about its upstream.
    pub upstream: Upstream,
    /// The hooks that a run starts.
    pub hooks: Vec<Hook>,
    /// `core.hooksPath`, if it is not a directory.
    pub missing_hooks_path: Option<String>,
    /// The run's lock.
    pub lock: Lock,
    /// Git's own lock files.
    pub lock_files: Vec<LockFile>,
    /// The keys of git's configuration that are about runs or about merging notes.
    pub keys: Vec<Key>,
    /// The session logs.
    pub logs: Logs,
    /// The vault.
    pub vault: Vault,
    /// The directory that commands are copied to.
    pub commands: Commands,
    /// Whether an ssh agent is reachable.
    pub ssh_agent: bool,
    /// The file with the latest modification time.
    pub newest: Option<(String, SystemTime)>,
}

/// A description of a fault.
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
    /// An unborn branch, by its short name.
    Unborn(String),
    /// A detached HEAD.
    Detached,
    /// HEAD cannot be read.
    Unreadable,
}

/// Who the user is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// The name that notes are addressed to, from `.claude/identity.json`, or what is wrong with that file.
    pub user: Result<Option<String>, Told>,
    /// Git's `user.name`.
    pub git_name: Option<String>,
    /// Whether `.claude/identity.json` exists and is neither ignored nor tracked.
    pub file_is_exposed: bool,
    /// Whether git could make a commit: it knows a name and an address.
    pub can_commit: bool,
}

/// The remote that runs use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFacts {
    /// Its name.
    pub name: String,
    /// Its URL, without a password.
    pub url: String,
    /// Whether it is reached by ssh.
    pub is_ssh: bool,
    /// The refspecs for fetching.
    pub refspecs: Vec<String>,
    /// What its configuration asks for that runs refuse.
    pub unsupported: Vec<Told>,
    /// Its answer.
    pub answer: Answer,
}

/// A remote's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was not asked.
    NotAsked,
    /// It answered with these branches, by their full names.
    Branches(Vec<String>),
    /// It did not answer.
    Trouble(Told),
}

/// What the branch's configuration says about its upstream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Upstream {
    /// `branch.<name>.remote`.
    pub remote: Option<String>,
    /// All values of `branch.<name>.merge`.
    pub merges: Vec<String>,
}

/// A hook that a run starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its path.
    pub path: String,
    /// Whether it is executable; if not, git skips it.
    pub executable: bool,
    /// Whether it belongs to another user.
    pub foreign: bool,
}

/// The run's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// Free.
    Free,
    /// Held; with a description of the owner.
    Held(String),
    /// Left behind; with a description of the owner.
    Stale(String),
    /// Held, with a sign of life that lies in the future; with a description of the owner.
    Ahead(String),
    /// Something else than a lock is in its place.
    Obstacle(String),
    /// It cannot be inspected.
    Unreadable(String),
}

/// One of git's lock files.
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
    /// The file that contains it.
    pub origin: String,
}

/// The session logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logs {
    /// The patterns are invalid.
    Broken(Told),
    /// The patterns are valid.
    Found {
        /// Whether patterns are configured.
        configured: bool,
        /// How many tracked files match.
        tracked: usize,
        /// The directories in which git would ignore a new log.
        ignored: Vec<String>,
    },
}

/// The vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vault {
    /// There is no vault.
    None,
    /// A repository, at this path.
    Fine(String),
    /// It cannot be synced.
    Broken(Told),
}

/// The directory that commands are copied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commands {
    /// The repository has no commands to copy.
    None,
    /// The directory is writable, or can be created.
    Writable(String),
    /// It is not, because of this path.
    NotWritable(String),
}

/// A binary and the version that it reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// Its name.
    pub name: &'static str,
    /// Its version; `None` if it is missing or does not run.
    pub version: Option<String>,
}
