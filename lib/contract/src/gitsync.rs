//! The section of `gitsync`: what was committed, came in and went out, in the main repository and in the vault.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// The sync of the repository and of its vault.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GitsyncSection {
    /// How this phase ended. The runner writes it; the phase leaves it as it is.
    pub outcome: Outcome,
    /// How long this phase took, in milliseconds. The runner writes it.
    pub elapsed_ms: u64,
    /// The repository of the run; null where it was refused before anything was known of it.
    pub main: Option<RepoSync>,
    /// The vault; null where there is none.
    pub vault: Option<RepoSync>,
}

/// The sync of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepoSync {
    /// The root of its work tree; of a vault that could not be opened the path that was given for it, and empty where
    /// the file that gives it could not be read.
    pub worktree: String,
    /// The branch that is checked out, without `refs/heads/`; empty where the repository could not be opened.
    pub branch: String,
    /// The name of the remote; empty where the repository could not be opened.
    pub remote: String,
    /// The tracking ref of the branch's upstream; null where there is none yet.
    pub upstream: Option<String>,
    /// What happened, in one word.
    pub state: SyncState,
    /// The commit that holds the local changes, as it was pushed; null where there were none.
    pub committed: Option<Committed>,
    /// What came in; null where nothing did.
    pub pulled: Option<Pulled>,
    /// The pages of the wiki that came in.
    #[serde(default)]
    pub wiki: Wiki,
    /// What went out; null where nothing did.
    pub pushed: Option<Pushed>,
    /// The paths that local and remote changes both touch, where the state is `conflict`.
    #[serde(default)]
    pub conflicts: Vec<String>,
    /// What the user should know: files that are not in the commit, as they lie outside of the sparse checkout;
    /// submodules that are not, as they are merely out of date, or were removed by what came in; repositories of which
    /// only the commit that they are at is, and nobody is told where to get them; commits that are not in the branch any
    /// more, as somebody has rewritten the upstream without them; refs that should follow the remote's and do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// How many times it was tried; more than once where the remote, or a file, moved meanwhile.
    pub attempts: u32,
    /// The commit that the branch is at; null where there is none.
    pub head: Option<String>,
    /// The refs below `refs/notes/` that the remote had when it was asked for the branch, so that `notes-sync` need not
    /// connect once more to find out that there is nothing to do. Absent where the remote was not asked. It counts only for
    /// as long as the run has its lock: a document may be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes_at_remote: Option<Vec<RefAtRemote>>,
    /// What went wrong with this repository; null where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<crate::Failure>,
}

/// A ref of the remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefAtRemote {
    /// Its full name.
    #[serde(rename = "ref")]
    pub name: String,
    /// The object that it names.
    pub id: String,
}

/// What happened to a repository, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SyncState {
    /// Nothing to do.
    Clean,
    /// Local changes were committed, and stay here.
    Committed,
    /// Commits came in.
    Pulled,
    /// Commits went out.
    Pushed,
    /// Commits came in and went out.
    PulledPushed,
    /// Local and remote changes touch the same lines.
    Conflict,
    /// The remote could not be reached; local changes are committed.
    Offline,
    /// It did not work; `error` says why.
    Failed,
}

/// The commit of the local changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Committed {
    /// The commit's id, after the rebase.
    pub id: String,
    /// How many files it adds.
    pub added: u64,
    /// How many files it changes.
    pub modified: u64,
    /// How many files it deletes.
    pub deleted: u64,
}

/// What came in: what the upstream has, and the branch had not when the run began. So what an earlier run fetched and
/// could not bring into the branch, for a conflict or as it was killed, is told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pulled {
    /// The newest state of the upstream that the branch had in it before; null where there was none.
    pub from: Option<String>,
    /// The upstream after.
    pub to: String,
    /// How many commits came in.
    pub count: u64,
    /// Their authors, each once, by name.
    pub authors: Vec<String>,
    /// The commits, newest first.
    pub commits: Vec<Commit>,
    /// The session logs that are not the same in `from` and in the branch's `head` with all of this in it, so that
    /// `notesurface` need not compare the two once more. Absent where that was not found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_logs: Option<Vec<ChangedFile>>,
}

/// A file that is not the same in two commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedFile {
    /// Its path in the repository.
    pub path: String,
    /// The id of what it held; null where it was not there.
    pub before: Option<String>,
    /// The id of what it holds; null where it is gone.
    pub after: Option<String>,
}

/// What went out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pushed {
    /// How many commits went out; 0 where the remote had them all, and the branch is new there.
    pub count: u64,
    /// The commits, newest first.
    pub commits: Vec<Commit>,
}

/// A commit, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// Its author's name.
    pub author: String,
    /// When it was authored, in RFC 3339 with offset.
    pub time: String,
    /// The first paragraph of its message, in one line (`%s` of git log).
    pub summary: String,
}

/// The pages of the wiki that came in, by folder.
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

/// A page of the wiki that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WikiPage {
    /// Its path in the repository.
    pub path: String,
    /// What happened to it.
    pub status: WikiStatus,
}

/// What happened to a page of the wiki.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WikiStatus {
    /// It is new.
    Added,
    /// It was changed.
    Modified,
    /// It is gone.
    Deleted,
}
