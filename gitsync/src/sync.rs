//! One repository, from what it is like to what the document says about it: commit, fetch, replay, update, push, and
//! over again from the right step where something moved meanwhile.

use std::thread;
use std::time::SystemTime;

use contract::{Exit, RepoSync};
use gix::ObjectId;
use phase::Fault;
use remote::{Backoff, History, Recent, Turn};
use scan::Ahead;

use crate::early::{self, Early};
use crate::exchange::{self, Failed, Pushed, Theirs};
use crate::hooks::{Call, Hooks};
use crate::index::{self, Writing};
use crate::ledger::{Before, Ledger};
use crate::look::{self, Branch, Head};
use crate::place::Place;
use crate::plan::{self, Integration};
use crate::policy::{Commit, Policy, Pull};
use crate::rebase::{self, Disputed, Outcome, Replay, Replayed, Replayer, Seen, WayOut};
use crate::relate::relate;
use crate::stage::LeftOut;
use crate::upstream::{self, SaidBy, Upstream};
use crate::worktree::{Leavings, Refused};
use crate::{commit, configured, failpoint, history, refuse, rewrite_notes, tracking, update};

/// How the sync of a repository ended.
#[derive(Debug, Default)]
pub struct Synced {
    /// What the document says; none where it was refused before anything was known of it.
    pub section: Option<RepoSync>,
    /// What went wrong; none where nothing did.
    pub fault: Option<Fault>,
    /// What was replaced in the work tree and is still on its way out.
    pub leavings: Vec<Leavings>,
}

impl Synced {
    /// A repository that was refused.
    pub fn refused(fault: impl Into<Fault>) -> Self {
        Self { fault: Some(fault.into()), ..Self::default() }
    }
}

/// Syncs the repository at `place`. The look at its work tree may have begun `ahead` of it.
pub fn sync(place: &Place<'_>, policy: &Policy, ahead: Option<Ahead>) -> Synced {
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

/// A sync under way.
struct Sync<'a> {
    place: &'a Place<'a>,
    policy: &'a Policy,
    upstream: Upstream,
    ledger: Ledger,
    /// The paths that were in the way the last time.
    in_the_way: Vec<Refused>,
    /// When the remote was asked last.
    asked: Option<SystemTime>,
    /// What came in then.
    recent: Recent,
    /// What has been read of the history.
    history: History,
    /// The turn to push, where it is this run's.
    turn: Option<Turn>,
    /// The index of the last commit, while it is being written.
    writing: Option<Writing>,
    /// What was replaced in the work tree, by this run and by those before, and is still on its way out.
    leavings: Vec<Leavings>,
    /// The look at the work tree that was begun before.
    ahead: Option<Ahead>,
}

/// Where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// There is nothing left to do.
    Finish,
    /// A file or the branch moved: with a new look at the work tree.
    Commit,
    /// The remote moved: with a new look at it.
    Fetch,
    /// The same, as others of this machine have pushed while this run waited for its turn. Nothing was tried and lost.
    FetchInTurn,
}

/// Looks, refuses, and finds out where to sync to. Nothing is changed but what a killed run left unfinished.
fn begin<'a>(
    place: &'a Place<'a>,
    policy: &'a Policy,
    ahead: Option<Ahead>,
) -> anyhow::Result<(Sync<'a>, Branch)> {
    let repo = place.repo;
    let facts = look::look(repo)?;
    refuse::refuse(&facts)?;
    let was_settled = update::recover(place)?;
    // Whoever looked before saw what was taken back or finished only now.
    let ahead = ahead.filter(|_| was_settled);
    let branch = refuse::refuse(&facts)?.clone();
    let upstream = upstream::of(repo, branch.name.as_ref())?;
    configured::refuse(repo, branch.name.as_ref(), &upstream, policy.push)?;
    if policy.commit == Commit::Nothing {
        let index = index::open(repo)?;
        refuse::unmerged(&index::unmerged_in(&index)?)?;
    }
    let before = Before { head: branch.commit, upstream: exchange::tracked(repo, &upstream)? };
    let ledger = Ledger::new(place.absolute_root()?, branch.short(), upstream.clone(), before);
    let in_the_way = Vec::new();
    let (asked, recent, history) = (None, Recent::default(), History::of(repo));
    let (turn, writing) = (None, None);
    let leavings = Leavings::of_earlier_runs(repo.git_dir());
    let sync = Sync {
        place,
        policy,
        upstream,
        ledger,
        in_the_way,
        asked,
        recent,
        history,
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
                // Whoever won the race for the remote, or for a file, may be about to win the next one.
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
        // What comes in only now cannot be where anything began.
        let seen = self.seen()?;
        let mut early = None;
        if from == Next::Commit
            && let Some(policy) = self.policy.commit.staging()
        {
            let committed;
            let mut left_out = LeftOut::default();
            let ahead = self.ahead.take();
            (committed, early) = early::beside(self.place, &self.upstream, self.policy, || {
                commit::commit(self.place, &now, &policy, self.policy.commit.message(), ahead, &mut left_out)
            })?;
            self.ledger.left_out(left_out);
            match committed? {
                commit::Outcome::Nothing => {}
                commit::Outcome::Made(new, writing) => {
                    // Should they be in the way again, somebody has written them since.
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

    /// Waits until the index of the last commit is in place, for whatever is to look at it.
    fn index_is_written(&mut self) -> anyhow::Result<()> {
        self.writing.take().map_or(Ok(()), Writing::finish)
    }

    /// What the upstream has been so far.
    fn seen(&self) -> anyhow::Result<Seen> {
        match &self.upstream.tracking {
            Some(tracking) => rebase::seen(self.place.repo, tracking.as_ref()),
            None => Ok(Seen::default()),
        }
    }

    /// The branch as it is now, which must still be the one that the sync began with.
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

    /// Brings in what the remote has. `None`: something moved, over again from the commit.
    fn pull(
        &mut self,
        branch: &Branch,
        local: ObjectId,
        seen: &Seen,
        early: Early,
    ) -> anyhow::Result<Option<(ObjectId, Theirs)>> {
        let repo = self.place.repo;
        if self.policy.pull == Pull::No {
            let known = exchange::tracked(repo, &self.upstream)?;
            return Ok(Some((local, known.map_or(Theirs::New, Theirs::At))));
        }
        let heard = early.unwrap_or_else(|| {
            self.place.progress.set(|| format!("fetching from {}", self.upstream.remote));
            exchange::fetch(self.place, &self.upstream, self.policy)
        });
        let heard = self.reached(heard)?;
        let theirs = heard.branch;
        self.asked = Some(heard.asked);
        self.recent = heard.recent.clone();
        self.ledger.fetched(heard);
        failpoint::reach("fetched", self.place.root());
        let relation = relate(repo, &self.history, local, theirs)?;
        let onto = match (plan::integrate(relation, &self.upstream)?, theirs.id()) {
            (Integration::Nothing, _) | (_, None) => return Ok(Some((local, theirs))),
            (Integration::FastForward, Some(to)) => {
                self.index_is_written()?;
                return Ok(self.fast_forward(branch, local, to)?.map(|id| (id, theirs)));
            }
            (Integration::Replay, Some(onto)) => onto,
        };
        self.index_is_written()?;
        Ok(self.replay(branch, local, onto, seen)?.map(|id| (id, theirs)))
    }

    fn fast_forward(
        &mut self,
        branch: &Branch,
        local: ObjectId,
        to: ObjectId,
    ) -> anyhow::Result<Option<ObjectId>> {
        let now = Branch { commit: Some(local), ..branch.clone() };
        if !self.settle(update::update(self.place, &self.recent, &now, to, "lockstep: Fast-forward")?)? {
            return Ok(None);
        }
        self.hooks()?.tell("post-merge", Call::with(["0"]))?;
        Ok(Some(to))
    }

    fn replay(
        &mut self,
        branch: &Branch,
        local: ObjectId,
        onto: ObjectId,
        seen: &Seen,
    ) -> anyhow::Result<Option<ObjectId>> {
        let (place, repo) = (self.place, self.place.repo);
        let what =
            Replay { onto, upstream: rebase::base_for(repo, &self.history, seen, onto, local)?, head: local };
        // What must not be written need not be merged with either, which is not made for such names.
        update::presentable(repo, &self.recent, local, onto)?;
        self.hooks()?.ask("pre-rebase", Call::with([what.upstream.to_string()]))?;
        place.progress.set(|| "replaying local commits".into());
        let held = place.signing.held(place.progress);
        let by = Replayer { committer: place.people.committer()?, signing: place.signing };
        let replayed = match rebase::rebase(repo, what, &by, place)? {
            Outcome::Nothing => return Ok(Some(local)),
            Outcome::Replayed(replayed) => replayed,
            Outcome::Conflict(conflict) => return Err(self.conflict(conflict)?.into()),
        };
        drop(held);
        let thrown_out = rebase::thrown_out(repo, what)?;
        failpoint::reach("replayed", place.root());
        place.guard.check()?;
        replayed.keep(repo)?;
        failpoint::reach("kept", place.root());
        let now = Branch { commit: Some(local), ..branch.clone() };
        let reason = format!("lockstep (finish): {} onto {onto}", branch.name.as_bstr());
        if !self.settle(update::update(place, &self.recent, &now, replayed.head, &reason)?)? {
            return Ok(None);
        }
        self.ledger.replayed(|old| replayed.now(old));
        // The branch has moved: what cannot be copied now is no reason to stop.
        if let Err(error) = rewrite_notes::copy(place, &replayed.rewritten) {
            self.ledger.notes_left_behind(&error);
        }
        self.ledger.thrown_out(thrown_out);
        self.tell_of(&replayed, local)?;
        Ok(Some(replayed.head))
    }

    fn tell_of(&self, replayed: &Replayed, before: ObjectId) -> anyhow::Result<()> {
        let hooks = self.hooks()?;
        hooks
            .tell("post-checkout", Call::with([before.to_string(), replayed.head.to_string(), "1".into()]))?;
        let lines: String = replayed.rewritten.iter().map(|(old, new)| format!("{old} {new}\n")).collect();
        if lines.is_empty() {
            return Ok(());
        }
        hooks.tell("post-rewrite", Call { stdin: lines.into_bytes(), ..Call::with(["rebase"]) })
    }

    /// Whether the branch is where it shall be, or else everything starts over.
    fn settle(&mut self, outcome: update::Outcome) -> anyhow::Result<bool> {
        match outcome {
            update::Outcome::Done(update::Done { leavings, logs }) => {
                self.leavings.extend(leavings);
                self.ledger.updated(logs);
                Ok(true)
            }
            update::Outcome::SomebodyElseMoved => Ok(false),
            update::Outcome::Refused(paths) if self.commit_may_help(&paths) => {
                self.in_the_way = paths;
                Ok(false)
            }
            update::Outcome::Refused(paths) => Err(update::refused(&paths).into()),
        }
    }

    /// Whether all of these paths are in the way only until they are committed. What a commit did not take once, an
    /// ignored file above all, it will not take the next time either.
    fn commit_may_help(&self, paths: &[Refused]) -> bool {
        matches!(self.policy.commit, Commit::Everything { .. })
            // That files move is said where there are no attempts left.
            && (self.ledger.attempts < self.policy.attempts
                || paths.iter().all(|path| path.why.is_of_the_index()))
            && paths.iter().all(|path| path.why.is_passing() && !self.in_the_way.contains(path))
    }

    fn push(&mut self, branch: &Branch, local: ObjectId, theirs: Theirs) -> anyhow::Result<Next> {
        let (place, repo) = (self.place, self.place.repo);
        let relation = relate(repo, &self.history, local, theirs)?;
        if !plan::push(relation, self.policy.pull, self.policy.push)? {
            return Ok(Next::Finish);
        }
        if self.hooks()?.has("pre-push") {
            self.index_is_written()?;
        }
        let Some(turn) = self.take_turn()? else { return Ok(Next::FetchInTurn) };
        failpoint::reach("pushing", place.root());
        let commits = self.outgoing(local, theirs)?;
        place.progress.set(|| format!("pushing to {}", self.upstream.remote));
        // What came in is not needed in memory any more.
        self.recent = Recent::default();
        // The remote takes its time.
        let (view, ledger) = (repo.clone(), &self.ledger);
        let (pushed, incoming) = thread::scope(|scope| {
            let looking = threads::spawn(scope, move || ledger.incoming(&view));
            let name = branch.name.as_ref();
            let pushed = exchange::push(place, &self.upstream, self.policy, name, local, theirs.id());
            (pushed, looking.join())
        });
        // What could not be found out now will be asked for again, and told of then.
        if let Ok(Ok(incoming)) = incoming {
            self.ledger.came_in(incoming);
        }
        match (self.reached(pushed)?, self.policy.pull) {
            (Pushed::Done(left_behind), _) => {
                turn.end_with_a_push();
                self.ledger.left_behind(left_behind);
            }
            (Pushed::LostRace, Pull::Wanted) => return Ok(Next::Fetch),
            (Pushed::LostRace, Pull::No) => {
                return Err(Fault::failed(
                    "the remote has moved on, and --no-pull keeps out what it has now",
                )
                .help("run it without --no-pull")
                .into());
            }
        }
        self.ledger.pushed(commits);
        failpoint::reach("pushed", place.root());
        if self.upstream.said_by == SaidBy::Custom {
            tracking::set_up(place, branch.name.as_ref(), &self.upstream)?;
        }
        Ok(Next::Finish)
    }

    /// The turn to push; none where others have pushed while it was waited for, and it is to be used for a new look.
    fn take_turn(&mut self) -> anyhow::Result<Option<Turn>> {
        if let Some(turn) = self.turn.take() {
            return Ok(Some(turn));
        }
        let turn = exchange::turn(self.place, &self.upstream, self.policy);
        let turn = self.reached(turn)?;
        if self.asked.is_some_and(|asked| turn.came_after_a_push(asked)) {
            self.turn = Some(turn);
            return Ok(None);
        }
        Ok(Some(turn))
    }

    /// The commits that a push takes along.
    fn outgoing(&self, local: ObjectId, theirs: Theirs) -> anyhow::Result<Vec<contract::Commit>> {
        let repo = self.place.repo;
        match theirs.id() {
            Some(id) => history::between(repo, [id], local),
            None => history::between(repo, history::known_of(repo, self.upstream.remote.as_str())?, local),
        }
    }

    /// Notes where the remote was out of reach.
    fn reached<T>(&mut self, result: Result<T, Failed>) -> anyhow::Result<T> {
        result.map_err(|failed| match failed {
            Failed::Offline(error) => {
                self.ledger.offline();
                error
            }
            Failed::Otherwise(error) => error,
        })
    }

    fn hooks(&self) -> anyhow::Result<Hooks<'_>> {
        Hooks::of(self.place)
    }

    fn conflict(&mut self, conflict: rebase::Conflict) -> anyhow::Result<Fault> {
        let commit = history::describe(self.place.repo, conflict.commit)?;
        let message = format!(
            "{}; the local commit that does not apply is {} ({})",
            in_words(&conflict.disputed),
            &commit.id[..10],
            commit.summary
        );
        self.ledger.conflicts(conflict.disputed.paths);
        let upstream = self.upstream.shown();
        Ok(Fault::new(Exit::Conflict, message).help(match conflict.way_out {
            WayOut::Rebase => format!(
                "everything local is committed and as it was; resolve it by hand with `git rebase {upstream}`, then run this again"
            ),
            WayOut::Merge => format!(
                "everything local is committed and as it was; join both with `git merge {upstream}`, which keeps what only a merge here holds, then run this again"
            ),
        }))
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

/// What both sides disagree on.
fn in_words(Disputed { paths, file_and_folder }: &Disputed) -> String {
    let (clash, lines): (Vec<_>, Vec<_>) =
        paths.iter().cloned().partition(|path| file_and_folder.contains(path));
    let lines = (!lines.is_empty())
        .then(|| format!("local and remote changes touch the same lines of {}", refuse::named(&lines)));
    let clash = (!clash.is_empty())
        .then(|| format!("one side has a file and the other a folder at {}", refuse::named(&clash)));
    lines.into_iter().chain(clash).collect::<Vec<_>>().join(", and ")
}
