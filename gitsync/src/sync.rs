//! Syncs one repository: commits, fetches, replays, updates and pushes, starting over from the right step if
//! something moved meanwhile.

mod pull;
mod push;

use std::thread;
use std::time::SystemTime;

use contract::{Exit, RepoSync};
use phase::Fault;
use remote::{Backoff, PushTurn};
use scan::{Ahead, Index};
use store::RecentObjects;

use crate::context::SyncContext;
use crate::exchange::{self, Failed};
use crate::index::{self, Writing};
use crate::ledger::{Before, Ledger};
use crate::look::{self, Branch, Head};
use crate::policy::{Commit, Policy};
use crate::prefetch::{self, Prefetch};
use crate::rebase::{self, UpstreamReflog};
use crate::stage::LeftOut;
use crate::upstream::{self, Upstream};
use crate::worktree::{Refused, Trash};
use crate::{commit, configured, failpoint, refuse, update};

/// The result of syncing a repository.
#[derive(Debug, Default)]
pub struct Synced {
    /// The section of the document; `None` if the repository was refused before anything was known about it, or if
    /// its history cannot be read.
    pub section: Option<RepoSync>,
    /// What went wrong, if anything.
    pub fault: Option<Fault>,
    /// Replaced files of the working tree that are still being removed.
    pub leavings: Vec<Trash>,
}

impl Synced {
    /// The result for a repository that was refused.
    pub fn refused(fault: impl Into<Fault>) -> Self {
        Self { fault: Some(fault.into()), ..Self::default() }
    }
}

/// Syncs the repository at `place`. `ahead` is a scan of its working tree that was started earlier, if any.
pub fn sync(place: &SyncContext<'_>, policy: &Policy, ahead: Option<Ahead>) -> Synced {
    let (mut sync, branch) = match begin(place, policy, ahead) {
        Ok(begun) => begun,
        Err(error) => return Synced::refused(error),
    };
    let fault = sync.run(branch).err().map(Fault::from);
    let leavings = std::mem::take(&mut sync.leavings);
    match sync.ledger.close(place.repo, fault.as_ref()) {
        Ok(section) => Synced { section: Some(section), fault, leavings },
        Err(error) => Synced { section: None, fault: fault.or_else(|| Some(error.into())), leavings },
    }
}

/// A sync in progress.
struct Sync<'a> {
    place: &'a SyncContext<'a>,
    policy: &'a Policy,
    upstream: Upstream,
    ledger: Ledger,
    /// The paths that were in the way the last time.
    in_the_way: Vec<Refused>,
    /// When the remote was last asked.
    asked: Option<SystemTime>,
    /// The objects fetched then.
    recent: RecentObjects,
    /// The objects made by the replay.
    made: RecentObjects,
    /// The turn to push, while this run has it.
    turn: Option<PushTurn>,
    /// The index of the last commit, while it is being written.
    writing: Option<Writing>,
    /// Replaced files of the working tree that are still being removed, those of earlier runs included.
    leavings: Vec<Trash>,
    /// The scan of the working tree that was started earlier.
    ahead: Option<Ahead>,
}

/// Where to continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// There is nothing left to do.
    Finish,
    /// With a new scan of the working tree: a file or the branch has moved.
    Commit,
    /// With a new fetch: the remote has moved.
    Fetch,
    /// With a new fetch, since other runs on this machine pushed while this one waited for its turn. This does not
    /// count as an attempt.
    FetchInTurn,
}

/// Examines the repository, refuses it if necessary, and finds out the upstream. Changes nothing except what a killed
/// run left unfinished.
fn begin<'a>(
    place: &'a SyncContext<'a>,
    policy: &'a Policy,
    ahead: Option<Ahead>,
) -> anyhow::Result<(Sync<'a>, Branch)> {
    let repo = place.repo;
    let facts = look::look(repo)?;
    refuse::refuse(&facts)?;
    let was_settled = update::recover(place)?;
    // An earlier scan saw the working tree before an unfinished update was finished or undone just now.
    let ahead = ahead.filter(|_| was_settled);
    let branch = refuse::refuse(&facts)?.clone();
    let upstream = upstream::of(repo, branch.name.as_ref())?;
    configured::refuse(repo, branch.name.as_ref(), &upstream, policy.push)?;
    if policy.commit == Commit::Nothing {
        let index = index::open(repo)?;
        refuse::unmerged(&index::unmerged_in(&index)?)?;
    }
    let before = Before { head: branch.commit, upstream: exchange::tracked(repo, &upstream)? };
    let ledger =
        Ledger::new(place.history.clone(), place.absolute_root()?, branch.short(), upstream.clone(), before);
    let in_the_way = Vec::new();
    let (asked, recent, made) = (None, RecentObjects::default(), RecentObjects::default());
    let (turn, writing) = (None, None);
    let leavings = Trash::of_earlier_runs(repo.git_dir());
    let sync = Sync {
        place,
        policy,
        upstream,
        ledger,
        in_the_way,
        asked,
        recent,
        made,
        turn,
        writing,
        leavings,
        ahead,
    };
    Ok((sync, branch))
}

impl Sync<'_> {
    fn run(&mut self, branch: Branch) -> anyhow::Result<()> {
        let mut pauses = Backoff::for_races();
        let (mut next, mut attempt) = (Next::Commit, 1);
        loop {
            self.place.guard.check()?;
            if attempt > 1 && matches!(next, Next::Commit | Next::Fetch) {
                // Whoever won the race for the remote, or for a file, may win the next one too.
                thread::sleep(pauses.pause());
            }
            self.ledger.attempts = attempt;
            next = self.attempt(&branch, next)?;
            match next {
                Next::Finish => return Ok(()),
                Next::FetchInTurn => {}
                Next::Commit | Next::Fetch if attempt >= self.policy.attempts => {
                    return Err(self.out_of_attempts(next).into());
                }
                Next::Commit | Next::Fetch => attempt += 1,
            }
        }
    }

    fn attempt(&mut self, branch: &Branch, from: Next) -> anyhow::Result<Next> {
        let mut now = self.still_on(branch)?;
        failpoint::reach("looked", self.place.root());
        // Read before fetching: a commit fetched only now cannot be a fork point of local commits.
        let seen = self.seen()?;
        let mut early = None;
        if from == Next::Commit
            && let Some(policy) = self.policy.commit.staging()
        {
            let committed;
            let mut left_out = LeftOut::default();
            let ahead = self.ahead.take();
            (committed, early) = prefetch::beside(self.place, &self.upstream, self.policy, || {
                commit::commit(self.place, &now, &policy, self.policy.commit.message(), ahead, &mut left_out)
            })?;
            self.ledger.left_out(left_out);
            match committed? {
                // Only the report is left to do; freeing the index's memory would delay it.
                commit::Outcome::Nothing(index) if are_in_step(&early, &now) => {
                    index.into_iter().for_each(Index::leave_to_the_end);
                }
                commit::Outcome::Nothing(_) => {}
                commit::Outcome::Made(new, writing) => {
                    // These paths are committed now; if they are in the way again, they have been changed since.
                    self.in_the_way.retain(|path| !path.why.is_of_the_index());
                    self.ledger.committed(new);
                    now.commit = Some(new.id);
                    self.writing = writing;
                }
                commit::Outcome::SomebodyElseMoved => return Ok(Next::Commit),
            }
        }
        let Some(local) = now.commit else {
            return Err(refuse::nothing_to_begin_with(&now.short()).into());
        };
        let Some((local, theirs)) = self.pull(&now, local, &seen, early)? else { return Ok(Next::Commit) };
        let pushed = self.push(&now, local, theirs);
        let written = self.index_is_written();
        let next = pushed?;
        written.map(|()| next)
    }

    /// Waits until the index of the last commit is in place, before anything reads it.
    fn index_is_written(&mut self) -> anyhow::Result<()> {
        self.writing.take().map_or(Ok(()), Writing::finish)
    }

    /// What the upstream has been so far, from the reflog of its tracking ref.
    fn seen(&self) -> anyhow::Result<UpstreamReflog> {
        match &self.upstream.tracking {
            Some(tracking) => rebase::seen(self.place.repo, tracking.as_ref()),
            None => Ok(UpstreamReflog::default()),
        }
    }

    /// Returns the branch as it is now, which must still be the one that the sync began with.
    fn still_on(&self, branch: &Branch) -> anyhow::Result<Branch> {
        match look::head(self.place.repo)? {
            Head::Branch(now) if now.name == branch.name => Ok(now),
            Head::Branch(_) | Head::Detached(_) => Err(Fault::failed(format!(
                "{} is not checked out any more: somebody switched meanwhile",
                branch.short()
            ))
            .help("run this again to sync what is checked out now")
            .into()),
        }
    }

    /// Notes in the ledger if the remote could not be reached.
    fn reached<T>(&mut self, result: Result<T, Failed>) -> anyhow::Result<T> {
        result.map_err(|failed| match failed {
            Failed::Offline(error) => {
                self.ledger.offline();
                error
            }
            Failed::Otherwise(error) => error,
        })
    }

    fn out_of_attempts(&self, next: Next) -> Fault {
        let attempts = self.policy.attempts;
        match next {
            Next::Commit => {
                Fault::failed(format!("files or the branch here moved each time; tried {attempts} times"))
                    .help("let what writes here come to rest, then run this again")
            }
            Next::Fetch | Next::FetchInTurn | Next::Finish => Fault::new(
                Exit::Unreachable,
                format!(
                    "{} moved each time before the push arrived; tried {attempts} times",
                    self.upstream.remote
                ),
            )
            .help("nothing is lost: run this again, or give it more tries with --attempts"),
        }
    }
}

/// Whether the remote has reported the commit that the branch is at.
fn are_in_step(early: &Prefetch, branch: &Branch) -> bool {
    matches!(early, Some(Ok(heard)) if heard.branch.id().is_some_and(|theirs| branch.commit == Some(theirs)))
}
