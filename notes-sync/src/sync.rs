//! Runs the sync loop: fetches, merges and pushes, and repeats that for refs that others moved meanwhile.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::Result;
use contract::Exit;
use gix::{ObjectId, Repository};
use phase::{Fault, Guard, amount};
use remote::{Backoff, Prepared, RemoteName, UpdateStatus};
use store::{CommitRange, History, PreparedPack, RecentObjects};

use crate::{
    advertised::Advertised,
    ahead::{self, Ahead, Seen},
    apply::{self, Manner},
    commits::{Commits, Relation},
    exchange::{Exchange, Follower, Outgoing},
    globs::Globs,
    look::{self, Rescue},
    manual_merge,
    names::NotesRef,
    plan,
    progress::{Progress, Sent, State, words},
    refs,
    rescue::Fate,
    settings::Strategies,
};

/// How often others may move a local ref during one merge before the run leaves that ref to the next run.
const LOCAL_ATTEMPTS: u32 = 100;

/// What the user wants.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Which refs to sync.
    pub globs: Globs,
    /// Whether they are pushed.
    pub direction: Direction,
    /// How many rounds of fetch, merge and push to make at most.
    pub attempts: u32,
    /// Whether to restore tips that racing writers dropped.
    pub rescue: Rescue,
}

/// In which directions notes are synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Fetch and merge only.
    In,
    /// Fetch, merge and push.
    Both,
}

/// One run of the phase over all refs. However it ends, `refs` says how far each ref got.
pub struct Sync<'a> {
    repo: &'a Repository,
    remote: RemoteName,
    policy: Policy,
    watcher: Follower<'a>,
    begun: Option<Ahead>,
    /// The refs, by name.
    pub refs: BTreeMap<NotesRef, Progress>,
}

impl<'a> Sync<'a> {
    /// Creates a run that has not started.
    pub fn new(repo: &'a Repository, remote: RemoteName, policy: Policy, watcher: Follower<'a>) -> Self {
        Self { repo, remote, policy, watcher, begun: None, refs: BTreeMap::new() }
    }

    /// Adds the prefetch of local commits, if one was started.
    #[must_use]
    pub fn with(self, begun: Option<Ahead>) -> Self {
        Self { begun, ..self }
    }

    /// Syncs the `local` refs and those that the remote has. The first round trusts what was `heard` of the remote
    /// earlier in this run.
    ///
    /// # Errors
    /// If the remote cannot be used, the lock is lost, or the configuration is wrong. What concerns one ref only
    /// becomes its [`State`].
    pub fn run(
        &mut self,
        local: Vec<NotesRef>,
        strategies: &Strategies<'_>,
        exchange: &Exchange<'_>,
        heard: Option<Advertised>,
    ) -> Result<()> {
        let ran = self.rounds(local, strategies, exchange, heard);
        if ran.is_err() && self.policy.direction == Direction::Both {
            let is_left = |progress: &&mut Progress| progress.state == State::Open && progress.has_unsent();
            self.refs.values_mut().filter(is_left).for_each(|progress| progress.state = State::Unsent);
        }
        ran
    }

    fn rounds(
        &mut self,
        local: Vec<NotesRef>,
        strategies: &Strategies<'_>,
        exchange: &Exchange<'_>,
        heard: Option<Advertised>,
    ) -> Result<()> {
        // This removes only temporary files of dead processes, so it need not check the lock. If an earlier phase of
        // this run has asked the remote (`heard`), that phase has done it.
        if heard.is_none() {
            store::remove_stale_packs(self.repo.objects.store_ref().path());
        }
        for name in local {
            self.meet(name, strategies)?;
        }
        let tracked = |name: &NotesRef| match self.refs.get(name) {
            Some(progress) => Ok(progress.theirs.before),
            None => look::tracked(self.repo, name, &self.remote),
        };
        let mut known = match heard {
            Some(heard) => heard.if_here(&self.policy.globs, tracked)?,
            None => None,
        };
        let (mut backoff, mut ready) = (Backoff::for_races(), None);
        for attempt in 1..=self.policy.attempts.max(1) {
            if attempt > 1 {
                thread::sleep(backoff.pause());
                self.watcher.guard.alive();
            }
            self.round(strategies, exchange, known.take(), &mut ready)?;
            if self.refs.values().all(|progress| progress.state != State::Open) {
                return Ok(());
            }
        }
        for progress in self.refs.values_mut().filter(|progress| progress.state == State::Open) {
            let tried = progress.attempts;
            progress.state =
                State::Rejected(format!("it moved again each of the {tried} times that it was tried"));
        }
        Ok(())
    }

    /// Runs one round: fetches, unless it is `known` what the remote has; merges; pushes. The objects that were
    /// prepared for the push stay in `ready` for the next round.
    fn round(
        &mut self,
        strategies: &Strategies<'_>,
        exchange: &Exchange<'_>,
        known: Option<BTreeMap<NotesRef, ObjectId>>,
        ready: &mut Option<PreparedPack>,
    ) -> Result<()> {
        let ahead = if ready.is_none() { self.ahead(exchange, known.is_none()) } else { None };
        let fetch = || exchange.fetch(&self.policy.globs);
        let (listed, came) = match known.map_or_else(fetch, |listed| Ok((listed, RecentObjects::default()))) {
            Ok(fetched) => fetched,
            Err(error) => {
                self.repair(&error, exchange.history())?;
                return Err(error);
            }
        };
        for name in listed.keys() {
            self.meet(name.clone(), strategies)?;
        }
        let Seen { fine, latest } = ahead.as_ref().map(|ahead| ahead.seen(self.repo)).unwrap_or_default();
        self.refs.values_mut().for_each(|progress| progress.memory.learn(&fine));
        let latest = RecentObjects::joined(&[latest, came]);
        self.merge(&listed, exchange.history(), &latest)?;
        if self.refs.values().any(|progress| progress.state == State::Open)
            && let Some(ahead) = ahead
        {
            *ready = ahead.ready();
        }
        let made = self.refs.values().map(|progress| progress.applied.made.clone());
        let made = RecentObjects::joined(&made.chain([latest]).collect::<Vec<_>>());
        exchange.history().take_in(&made);
        self.push(exchange, Prepared { ready: ready.as_ref(), made: &made })
    }

    /// Returns the prefetch of the local commits: the one that was started earlier if it covers the same commits,
    /// else a new one, if it is `worth_it`.
    fn ahead(&mut self, exchange: &Exchange<'_>, worth_it: bool) -> Option<Ahead> {
        let own = self.own();
        let begun = self.begun.take().filter(|ahead| ahead.is_about(&own));
        let begin = || worth_it.then(|| Ahead::begin(exchange.remote(), own)).flatten();
        let ahead = begun.or_else(begin)?;
        ahead.is_asked_for();
        Some(ahead)
    }

    /// Adds a ref, unless it is known already.
    fn meet(&mut self, name: NotesRef, strategies: &Strategies<'_>) -> Result<()> {
        if self.refs.contains_key(&name) {
            return Ok(());
        }
        let mut progress = Progress::new(strategies.for_ref(&name)?);
        if let Err(error) = self.find(&name, &mut progress) {
            progress.state = broken(error)?;
        }
        self.refs.insert(name, progress);
        Ok(())
    }

    /// Reads where a ref is, here and, as far as known, at the remote.
    fn find(&self, name: &NotesRef, progress: &mut Progress) -> Result<()> {
        manual_merge::check(self.repo, name)?;
        progress.theirs = look::theirs(self.repo, name, &self.remote)?;
        progress.before = refs::read(self.repo, name.full().as_ref())?.commit;
        Ok(())
    }

    /// Returns the local commits since the remote was last known to be in sync, of the refs that are to be pushed.
    fn own(&self) -> Vec<CommitRange> {
        if self.policy.direction == Direction::In {
            return Vec::new();
        }
        let open = self.refs.values().filter(|progress| progress.state == State::Open);
        open.filter_map(|progress| ahead::stretch(progress.theirs.before, progress.before)).collect()
    }

    /// Merges what the remote has into each ref that is still open.
    fn merge(
        &mut self,
        listed: &BTreeMap<NotesRef, ObjectId>,
        history: &History,
        latest: &RecentObjects,
    ) -> Result<()> {
        let commits = Commits { repo: self.repo, history, latest };
        let of = self.refs.len();
        for (at, (name, progress)) in self.refs.iter_mut().enumerate() {
            if progress.state != State::Open {
                continue;
            }
            self.watcher.progress.set(|| {
                let of = amount::of(of as u64, "ref");
                format!("notes: merging {name}, {} of {of}", amount::count(at as u64 + 1))
            });
            progress.attempts += 1;
            progress.theirs.now = listed.get(name).copied();
            let place = Place { commits, name, remote: &self.remote, guard: self.watcher.guard };
            match place.integrate(progress, self.policy.rescue) {
                Ok(()) => {
                    let same = progress.applied.tip == progress.theirs.now;
                    if same || self.policy.direction == Direction::In {
                        progress.state = State::Settled(Sent::No);
                    }
                }
                Err(error) => progress.state = broken(error)?,
            }
        }
        Ok(())
    }

    /// If the remote cannot be reached, restores what racing writers dropped nevertheless: reflog entries expire, and
    /// the remote may be away for long.
    fn repair(&mut self, why: &anyhow::Error, history: &History) -> Result<()> {
        let is_offline = |fault: &Fault| matches!(fault.exit(), Exit::Unreachable | Exit::NotAllowed);
        if !why.downcast_ref::<Fault>().is_some_and(is_offline) {
            return Ok(());
        }
        self.merge(&BTreeMap::new(), history, &RecentObjects::default())?;
        for progress in self.refs.values_mut().filter(|progress| matches!(progress.state, State::Settled(_)))
        {
            progress.state = State::Open;
        }
        Ok(())
    }

    /// Pushes each ref that is still open.
    fn push(&mut self, exchange: &Exchange<'_>, prepared: Prepared<'_>) -> Result<()> {
        let open = || self.refs.iter().filter(|(_, progress)| progress.state == State::Open);
        let outgoing: Vec<Outgoing<'_>> = open()
            .filter_map(|(name, progress)| {
                Some(Outgoing { name, theirs: progress.theirs.now, ours: progress.applied.tip? })
            })
            .collect();
        if outgoing.is_empty() {
            return Ok(());
        }
        self.watcher.guard.check()?;
        let answers = exchange.push(&outgoing, prepared)?;
        let names: Vec<NotesRef> = outgoing.iter().map(|out| out.name.clone()).collect();
        for (name, answer) in names.into_iter().zip(answers) {
            let Some(progress) = self.refs.get_mut(&name) else { continue };
            match answer {
                UpdateStatus::Done | UpdateStatus::UpToDate => progress.state = State::Settled(Sent::Yes),
                UpdateStatus::Rejected { words } => progress.state = State::Rejected(words),
                UpdateStatus::Stale { .. } | UpdateStatus::NotAttempted => {}
            }
        }
        Ok(())
    }

    /// Returns the fault that the phase ends with if refs were rejected or could not be merged.
    pub fn fault(&self) -> Option<Fault> {
        let (mut rejected, mut broken) = (Vec::new(), Vec::new());
        for (name, progress) in &self.refs {
            match &progress.state {
                State::Rejected(words) => rejected.push(format!("{name}: {words}")),
                State::Broken(fault) => broken.push((name, fault)),
                State::Open | State::Settled(_) | State::Unsent => {}
            }
        }
        if !rejected.is_empty() {
            let message = format!("{} did not take {}", self.remote, rejected.join("; "));
            let help = "the notes are merged here, and the next run offers them again";
            return Some(Fault::new(Exit::Unreachable, message).help(help));
        }
        not_merged(&broken)
    }
}

/// Turns an error of one ref into its state, so that the others are still synced; an error that concerns the run,
/// such as a lost lock, is passed on.
fn broken(error: anyhow::Error) -> Result<State> {
    match Fault::from(error) {
        fault if fault.exit() == Exit::Failed => Ok(State::Broken(fault)),
        fault => Err(fault.into()),
    }
}

/// Reports the refs that could not be merged. A single one is reported with its own remedy.
fn not_merged(broken: &[(&NotesRef, &Fault)]) -> Option<Fault> {
    let told = |name: &NotesRef, words: String| {
        if words.starts_with(&name.to_string()) { words } else { format!("{name}: {words}") }
    };
    let (told, remedy) = match broken {
        [] => return None,
        [(name, fault)] => (told(name, fault.to_string()), fault.remedy()),
        several => {
            let each = several.iter().map(|(name, fault)| told(name, words(fault)));
            (each.collect::<Vec<_>>().join("; "), None)
        }
    };
    let remedy = remedy.unwrap_or("`git fsck` says whether an object is missing");
    Some(
        Fault::failed(format!("these notes could not be merged: {told}"))
            .help(format!("{remedy}; the other refs were synced")),
    )
}

/// A local ref that is about to be merged into.
struct Place<'a> {
    commits: Commits<'a>,
    name: &'a NotesRef,
    remote: &'a RemoteName,
    guard: &'a dyn Guard,
}

impl Place<'_> {
    /// Merges into the local ref what belongs there, and retries whenever another process moves it.
    fn integrate(&self, progress: &mut Progress, rescue: Rescue) -> Result<()> {
        if let Some(theirs) = progress.theirs.now.filter(|_| progress.theirs.now != progress.theirs.before) {
            refs::check_theirs(self.commits.repo, self.name, self.remote, theirs)?;
        }
        let from = self.name.tracking(self.remote).map(|name| name.as_bstr().to_string()).unwrap_or_default();
        let into = self.name.to_string();
        let manner = Manner { strategy: progress.strategy, from: &from, into: &into };
        let mut backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(100), Backoff::seed());
        for _ in 0..LOCAL_ATTEMPTS {
            let (tip, facts) =
                look::look(self.commits, self.name, progress.theirs, rescue, &mut progress.memory)?;
            let reported = facts.lost.iter().filter(|lost| lost.fate == Fate::Report);
            progress.reported = reported.map(|lost| lost.commit).collect();
            if let Some(applied) = apply::apply(self.commits, &tip, &plan::plan(&facts), manner, self.guard)?
            {
                progress.add(applied);
                self.forget_what_came_back(progress)?;
                return Ok(());
            }
            thread::sleep(backoff.pause());
        }
        anyhow::bail!(refs::raced(self.commits.repo, self.name.full().as_ref()))
    }

    /// Drops from `reported` the tips that the merge has brought back from the remote: the user need not restore
    /// those.
    fn forget_what_came_back(&self, progress: &mut Progress) -> Result<()> {
        let Some(tip) = progress.applied.tip else { return Ok(()) };
        let mut missing = Vec::new();
        for lost in std::mem::take(&mut progress.reported) {
            if self.commits.relate(tip, lost)? != Relation::Contained {
                missing.push(lost);
            }
        }
        progress.reported = missing;
        Ok(())
    }
}
