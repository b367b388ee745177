//! Records what a sync has done so far, and turns it into the sync's part of the run document.
//!
//! It is separate from the code that does the work, so that a sync that fails half-way still reports what it had
//! done.

use contract::{
    ChangedFile, Commit, Committed, Exit, Pulled, Pushed, RefAtRemote, RepoSync, SyncState, Wiki,
};
use gix::ObjectId;
use gix::bstr::BString;
use gix::refs::FullName;
use phase::Fault;
use store::{History, RecentObjects};

use crate::changed_logs::{self, ChangedLogs};
use crate::commit::{New, tree_of};
use crate::exchange::Heard;
use crate::rebase::DroppedCommits;
use crate::stage::LeftOut;
use crate::tree::Counts;
use crate::upstream::Upstream;
use crate::{history, refuse, wiki};

/// The phase name under which failures are reported in the document.
const PHASE: &str = "gitsync";

/// What was done.
pub struct Ledger {
    history: History,
    worktree: String,
    branch: String,
    upstream: Upstream,
    before: Before,
    committed: Option<New>,
    theirs: Option<ObjectId>,
    /// The remote's refs below `refs/notes/`, if the remote was asked.
    notes: Option<Vec<(FullName, ObjectId)>>,
    pushed: Option<Vec<Commit>>,
    conflicts: Vec<BString>,
    /// The changes that the last scan found and did not commit.
    left_out: LeftOut,
    /// Why the notes of replayed commits could not be copied to the new commits.
    notes_left_behind: Option<String>,
    /// Messages about refs that could not be updated to the remote's.
    left_behind: Vec<String>,
    /// Commits that were removed from the branch because the upstream dropped them.
    thrown_out: Vec<DroppedCommits>,
    reach: Reach,
    /// The session logs that changed when the branch was last moved.
    logs: Option<ChangedLogs>,
    /// What was pulled, if that has been computed already.
    incoming: Option<Incoming>,
    /// How many attempts were made.
    pub attempts: u32,
}

/// The state before the sync.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    /// The commit that the branch was at.
    pub head: Option<ObjectId>,
    /// The commit that the upstream was at, as far as was known locally.
    pub upstream: Option<ObjectId>,
}

/// What was pulled.
#[derive(Debug)]
pub struct Incoming {
    /// The commits of the remote's branch and of the local branch for which this was computed.
    of: (Option<ObjectId>, Option<ObjectId>),
    pulled: Option<Pulled>,
    wiki: Wiki,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Reached,
    Offline,
}

impl Ledger {
    /// Returns an empty ledger for a repository of whose `history` part has been read already.
    pub fn new(
        history: History,
        worktree: String,
        branch: String,
        upstream: Upstream,
        before: Before,
    ) -> Self {
        Self {
            history,
            worktree,
            branch,
            upstream,
            before,
            committed: None,
            theirs: None,
            notes: None,
            pushed: None,
            conflicts: Vec::new(),
            left_out: LeftOut::default(),
            notes_left_behind: None,
            left_behind: Vec::new(),
            thrown_out: Vec::new(),
            reach: Reach::Reached,
            logs: None,
            incoming: None,
            attempts: 0,
        }
    }

    /// Records that local changes were committed. If it took several commits, the id of the last one is reported with
    /// the counts of all.
    pub fn committed(&mut self, new: New) {
        let so_far = self.committed.map_or_else(Counts::default, |earlier| earlier.counts);
        let counts = Counts {
            added: so_far.added + new.counts.added,
            modified: so_far.modified + new.counts.modified,
            deleted: so_far.deleted + new.counts.deleted,
        };
        self.committed = Some(New { id: new.id, counts });
    }

    /// Records that the branch was moved, and the session logs that changed with it.
    pub fn updated(&mut self, logs: Option<ChangedLogs>) {
        self.logs = logs;
    }

    /// Records that local commits got new ids, or were dropped because the upstream has their changes already.
    pub fn replayed(&mut self, now: impl Fn(ObjectId) -> Option<ObjectId>) {
        self.committed = self.committed.and_then(|new| now(new.id).map(|id| New { id, ..new }));
    }

    /// Records the result of a fetch.
    pub fn fetched(&mut self, heard: Heard) {
        self.theirs = heard.branch.id();
        self.notes = Some(heard.notes);
        self.left_behind = heard.left_behind;
    }

    /// Records messages about refs that could not follow a push.
    pub fn left_behind(&mut self, refs: Vec<String>) {
        self.left_behind.extend(refs);
    }

    /// Records the commits that were pushed. The list is empty for a branch that is new at the remote but has no
    /// commits that are new there.
    pub fn pushed(&mut self, commits: Vec<Commit>) {
        self.pushed = Some(commits);
    }

    /// Records the paths that conflict.
    pub fn conflicts(&mut self, paths: Vec<BString>) {
        self.conflicts = paths;
    }

    /// Records the paths that have changed locally and are not in the commit.
    pub fn left_out(&mut self, paths: LeftOut) {
        self.left_out = paths;
    }

    /// Records that notes of replayed commits could not be copied to the new commits.
    pub fn notes_left_behind(&mut self, why: &anyhow::Error) {
        self.notes_left_behind = Some(format!(
            "{why:#}; those of commits that were replayed stay with the old ones: `git notes copy OLD NEW`, after \
             `git reflog` has told which these were"
        ));
    }

    /// Records commits that are no longer in the branch.
    pub fn thrown_out(&mut self, commits: Option<DroppedCommits>) {
        self.thrown_out.extend(commits);
    }

    /// Records that the remote could not be reached.
    pub fn offline(&mut self) {
        self.reach = Reach::Offline;
    }

    /// Computes what was pulled, for the document. That requires walking the history, some of which may be `recent`,
    /// and can be done while other work is awaited.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn incoming(&self, repo: &gix::Repository, recent: &RecentObjects) -> anyhow::Result<Incoming> {
        self.incoming_at(head(repo), repo, recent)
    }

    /// The same, for a branch that is at `head`.
    fn incoming_at(
        &self,
        head: Option<ObjectId>,
        repo: &gix::Repository,
        recent: &RecentObjects,
    ) -> anyhow::Result<Incoming> {
        let of = (self.theirs, head);
        let (pulled, wiki) = match self.theirs {
            // Nothing was pulled if the remote is at the commit that the branch was at before.
            Some(to) if self.before.head != Some(to) => self.pulled(&self.history.view(repo, recent), to)?,
            _ => (None, Wiki::default()),
        };
        Ok(Incoming { of, pulled, wiki })
    }

    /// Stores the result of [`incoming`](Self::incoming), so that it need not be computed again.
    pub fn came_in(&mut self, incoming: Incoming) {
        self.incoming = Some(incoming);
    }

    /// Returns the part of the document that describes this sync.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn close(mut self, repo: &gix::Repository, fault: Option<&Fault>) -> anyhow::Result<RepoSync> {
        let head = head(repo);
        let known = self.incoming.take().filter(|incoming| incoming.of == (self.theirs, head));
        let Incoming { pulled, wiki, .. } =
            known.map_or_else(|| self.incoming_at(head, repo, &RecentObjects::default()), Ok)?;
        let pushed = self.pushed.take().map(|commits| Pushed { count: commits.len() as u64, commits });
        let known = crate::exchange::tracked(repo, &self.upstream)?;
        let mut warnings: Vec<String> = refuse::left_out(&self.left_out).collect();
        for thrown_out in &self.thrown_out {
            warnings.push(refuse::thrown_out(repo, thrown_out, &self.upstream.shown())?);
        }
        warnings.extend(self.notes_left_behind.take());
        warnings.append(&mut self.left_behind);
        Ok(RepoSync {
            state: self.state(pulled.is_some(), pushed.is_some(), fault),
            upstream: self
                .upstream
                .tracking
                .filter(|_| known.is_some())
                .map(|name| name.as_bstr().to_string()),
            remote: self.upstream.remote.to_string(),
            worktree: self.worktree,
            branch: self.branch,
            committed: self.committed.map(|New { id, counts }| Committed {
                id: id.to_string(),
                added: counts.added,
                modified: counts.modified,
                deleted: counts.deleted,
            }),
            pulled,
            wiki,
            pushed,
            conflicts: self.conflicts.iter().map(ToString::to_string).collect(),
            warnings,
            attempts: self.attempts.max(1),
            head: head.map(|id| id.to_string()),
            notes_at_remote: self.notes.map(|notes| notes.into_iter().map(at_remote).collect()),
            error: fault.map(|fault| fault.to_failure(PHASE)),
        })
    }

    fn state(&self, pulled: bool, pushed: bool, fault: Option<&Fault>) -> SyncState {
        match fault.map(Fault::exit) {
            Some(Exit::Conflict) => SyncState::Conflict,
            Some(Exit::Unreachable) if self.reach == Reach::Offline => SyncState::Offline,
            Some(_) => SyncState::Failed,
            None => match (pulled, pushed) {
                (true, true) => SyncState::PulledPushed,
                (true, false) => SyncState::Pulled,
                (false, true) => SyncState::Pushed,
                // There are no new commits, but commits that the upstream dropped were removed from the branch.
                (false, false) if !self.thrown_out.is_empty() => SyncState::Pulled,
                (false, false) if self.committed.is_some() => SyncState::Committed,
                (false, false) => SyncState::Clean,
            },
        }
    }

    /// Returns what was pulled: the commits that the upstream has and the branch did not have, even if an earlier run
    /// had fetched them already and got no further.
    fn pulled(&self, repo: &gix::Repository, to: ObjectId) -> anyhow::Result<(Option<Pulled>, Wiki)> {
        let commits = history::between(repo, &self.history, self.before.head, to)?;
        if commits.is_empty() {
            return Ok((None, Wiki::default()));
        }
        let from = self.pulled_from(repo, to)?;
        let wiki = wiki::pages(repo, tree_of(repo, from)?, tree_of(repo, Some(to))?)?;
        let session_logs = self.session_logs(repo, from)?;
        let pulled = Pulled {
            from: from.map(|id| id.to_string()),
            to: to.to_string(),
            count: commits.len() as u64,
            authors: history::authors(&commits),
            commits,
            session_logs,
        };
        Ok((Some(pulled), wiki))
    }

    /// Returns the session logs that differ between `from` and the branch, if the branch was moved.
    fn session_logs(
        &self,
        repo: &gix::Repository,
        from: Option<ObjectId>,
    ) -> anyhow::Result<Option<Vec<ChangedFile>>> {
        let (Some(known), Some(from)) = (&self.logs, from) else { return Ok(None) };
        let head = repo.head_id()?.detach();
        if (known.from, known.to) == (from, head) {
            return Ok(Some(known.files.clone()));
        }
        // Local commits were replayed.
        changed_logs::between(repo, from, head)
    }

    /// Returns the newest state of the upstream that the branch contained before.
    fn pulled_from(&self, repo: &gix::Repository, to: ObjectId) -> anyhow::Result<Option<ObjectId>> {
        let known = &self.history;
        match (self.before.upstream, self.before.head) {
            (Some(upstream), Some(head)) if history::is_ancestor(repo, known, upstream, head)? => {
                Ok(Some(upstream))
            }
            (_, Some(head)) => history::merge_base(repo, known, head, to),
            (_, None) => Ok(None),
        }
    }
}

/// Returns the commit that the branch is at now.
fn head(repo: &gix::Repository) -> Option<ObjectId> {
    repo.head_id().ok().map(gix::Id::detach)
}

fn at_remote((name, id): (FullName, ObjectId)) -> RefAtRemote {
    RefAtRemote { name: name.as_bstr().to_string(), id: id.to_string() }
}
