//! Defines the `gitsync` section: what was committed, pulled and pushed in the main repository and in the vault.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The sync of the main repository and of the vault.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GitsyncSection {
    /// The outcome of this phase. Written by the runner, not by the phase itself.
    pub outcome: Outcome,
    /// The duration of this phase in milliseconds. Written by the runner, not by the phase itself.
    pub elapsed_ms: u64,
    /// The run's own repository; null if it was refused before anything was known about it.
    pub main: Option<RepoSync>,
    /// The vault; null if there is none.
    pub vault: Option<RepoSync>,
}

/// The sync of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepoSync {
    /// The root of its working tree. For a vault that could not be opened, the configured path; empty if the file
    /// that configures it could not be read.
    pub worktree: String,
    /// The branch that is checked out, without `refs/heads/`; empty if the repository could not be opened.
    pub branch: String,
    /// The name of the remote; empty if the repository could not be opened.
    pub remote: String,
    /// The tracking ref of the branch's upstream; null if there is none yet.
    pub upstream: Option<String>,
    /// What happened, in one word.
    pub state: SyncState,
    /// The commit of the local changes, as it was pushed; null if there were none.
    pub committed: Option<Committed>,
    /// What was pulled; null if nothing was.
    pub pulled: Option<Pulled>,
    /// The wiki pages that the pulled commits changed.
    #[serde(default)]
    pub wiki: Wiki,
    /// What was pushed; null if nothing was.
    pub pushed: Option<Pushed>,
    /// The paths that both local and remote changes touch, if the state is `conflict`.
    #[serde(default)]
    pub conflicts: Vec<String>,
    /// What the user should know: files that were not committed because they are outside the sparse checkout;
    /// submodules that were not committed because they are merely out of date or were removed upstream; embedded
    /// repositories of which only the current commit id was committed, without a URL to clone them from; commits that
    /// are no longer in the branch because the upstream was rewritten without them; refs that should follow the
    /// remote's and do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// How many attempts were made; more than one if the remote or a file changed in the meantime.
    pub attempts: u32,
    /// The commit that the branch points to; null if there is none.
    pub head: Option<String>,
    /// The refs below `refs/notes/` that the remote advertised when the branch was fetched, so that `notes-sync` need
    /// not connect again just to find that there is nothing to do. Absent if the remote was not asked. Valid only while
    /// the run holds its lock, since a document may be stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes_at_remote: Option<Vec<RefAtRemote>>,
    /// What went wrong with this repository; absent if nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<crate::Failure>,
}

/// A ref of the remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefAtRemote {
    /// Its full name.
    #[serde(rename = "ref")]
    pub name: String,
    /// The id of the object that it points to.
    pub id: String,
}

/// What happened to a repository, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SyncState {
    /// Nothing to do.
    Clean,
    /// Local changes were committed, but not pushed.
    Committed,
    /// Commits were pulled, or the upstream was rewritten and the commits that it dropped are gone from the branch
    /// too.
    Pulled,
    /// Commits were pushed.
    Pushed,
    /// Commits were pulled and pushed.
    PulledPushed,
    /// Local and remote changes touch the same lines.
    Conflict,
    /// The remote could not be reached; local changes are committed.
    Offline,
    /// The sync failed; `error` says why.
    Failed,
}

/// The commit of the local changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Committed {
    /// The commit's id, after the rebase.
    pub id: String,
    /// How many files it adds.
    pub added: u64,
    /// How many files it modifies.
    pub modified: u64,
    /// How many files it deletes.
    pub deleted: u64,
}

/// What was pulled: the commits that the upstream has and that the branch did not have when the run began. Commits
/// that an earlier run fetched but did not integrate, because of a conflict or because it was killed, are therefore
/// reported again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pulled {
    /// The newest commit of the upstream that the branch already contained; null if there was none.
    pub from: Option<String>,
    /// The upstream's commit after the fetch.
    pub to: String,
    /// How many commits were pulled.
    pub count: u64,
    /// The names of their authors, each once.
    pub authors: Vec<String>,
    /// The commits, newest first.
    pub commits: Vec<Commit>,
    /// The session logs that differ between `from` and the branch's `head` after the sync, so that `notesurface` need
    /// not compare the two again. Absent if this was not determined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_logs: Option<Vec<ChangedFile>>,
}

/// A file that differs between two commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedFile {
    /// Its path in the repository.
    pub path: String,
    /// The id of the blob before; null if the file did not exist.
    pub before: Option<String>,
    /// The id of the blob after; null if the file no longer exists.
    pub after: Option<String>,
}

/// What was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pushed {
    /// How many commits were pushed; 0 if the remote had them all and only the branch is new there.
    pub count: u64,
    /// The commits, newest first.
    pub commits: Vec<Commit>,
}

/// A summary of one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// The name of its author.
    pub author: String,
    /// The author date, in RFC 3339 format with offset.
    pub time: String,
    /// The subject: the first paragraph of its message, joined into one line (`%s` of `git log`).
    pub summary: String,
}

/// The wiki pages that the pulled commits changed, by directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Wiki {
    /// Pages under `wiki/clients/`.
    pub clients: Vec<WikiPage>,
    /// Pages under `wiki/projects/`.
    pub projects: Vec<WikiPage>,
    /// Pages under `wiki/systems/`.
    pub systems: Vec<WikiPage>,
    /// Pages under `wiki/patterns/`.
    pub patterns: Vec<WikiPage>,
    /// Every other file under `wiki/`.
    pub meta: Vec<WikiPage>,
}

/// A wiki page that the pulled commits changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WikiPage {
    /// Its path in the repository.
    pub path: String,
    /// How it was changed.
    pub status: WikiStatus,
}

/// How a wiki page was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WikiStatus {
    /// The page is new.
    Added,
    /// The page was modified.
    Modified,
    /// The page was deleted.
    Deleted,
}
