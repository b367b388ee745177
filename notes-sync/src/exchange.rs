//! Fetches notes from the remote and pushes them to it.

use std::collections::BTreeMap;

use anyhow::Result;
use gix::{ObjectId, Repository};
use phase::{Fault, Guard, Hooks, OutgoingRef, Progress, amount};
use remote::{
    Change, Direction, Fetch, Fetched, Notice, Prepared, Push, Remote, RemoteError, Step, Update,
    UpdateStatus, UserMessage, Watcher,
};
use store::{History, RecentObjects};

use crate::{
    globs::Globs,
    names::NotesRef,
    refs::{self, Tip},
    server_words::shared_out,
    trim_heap,
};

/// The remote, and the observer of the exchange with it.
pub struct Exchange<'a> {
    repo: &'a Repository,
    remote: Remote<'a>,
    watcher: Follower<'a>,
}

/// The observer of a connection: shows progress, which also renews the lock, and checks the lock before each change.
#[derive(Clone, Copy)]
pub struct Follower<'a> {
    /// The run's lock.
    pub guard: &'a dyn Guard,
    /// Where progress is shown.
    pub progress: &'a Progress,
}

impl<'a> Exchange<'a> {
    /// Prepares the exchange of the notes of `repo` with `remote`.
    pub fn new(repo: &'a Repository, remote: Remote<'a>, watcher: Follower<'a>) -> Self {
        Self { repo, remote, watcher }
    }

    /// Returns the commit cache of the repository.
    pub fn history(&self) -> &History {
        self.remote.history()
    }

    /// Returns the remote.
    pub fn remote(&self) -> &Remote<'a> {
        &self.remote
    }

    /// Fetches the matching refs into the tracking refs. Returns what the remote has, and those of its trees that
    /// were just received.
    ///
    /// # Errors
    /// A fault if the remote cannot be reached or refuses, or the lock is lost.
    pub fn fetch(&self, globs: &Globs) -> Result<(BTreeMap<NotesRef, ObjectId>, RecentObjects)> {
        let mut what = Fetch::only().logged_as("notes-sync: fetch");
        for refspec in globs.refspecs(self.remote.name()) {
            what = what.and(&refspec).map_err(fault)?;
        }
        let Fetched { listing, objects, recent, .. } =
            self.remote.fetch(&what, &self.watcher).map_err(fault)?;
        let listed = listing.refs.into_iter();
        let listed = listed
            .filter_map(|listed| Some((NotesRef::found(listed.name)?, listed.id)))
            .filter(|(name, _)| globs.matches(name));
        let listed: BTreeMap<NotesRef, ObjectId> = listed.collect();
        let came = recent.trees_of(listed.values());
        drop(recent);
        if objects > 0 {
            trim_heap::give_back();
        }
        Ok((listed, came))
    }

    /// Pushes refs, each by compare-and-swap from the value that the remote is known to have; some of the objects are
    /// `prepared`. The answers are in the order of `outgoing`.
    ///
    /// # Errors
    /// A fault if the remote cannot be reached or rejects the whole push, or the lock is lost.
    pub fn push(&self, outgoing: &[Outgoing<'_>], prepared: Prepared<'_>) -> Result<Vec<UpdateStatus>> {
        let update = |out: &Outgoing<'_>| {
            let name = out.name.full().clone();
            Update { name, expected: out.theirs, new: Some(out.ours) }
        };
        let push = Push { updates: outgoing.iter().map(update).collect(), ..Push::default() };
        self.ask_hook(outgoing)?;
        let pushed = self.remote.push_with(&push, prepared, &self.watcher).map_err(fault)?;
        for (out, answer) in outgoing.iter().zip(&pushed.answers) {
            if matches!(answer, UpdateStatus::Done | UpdateStatus::UpToDate) {
                self.track(out)?;
            }
        }
        let refused = outgoing.iter().zip(&pushed.answers);
        let refused = refused.filter(|(_, answer)| matches!(answer, UpdateStatus::Rejected { .. }));
        let names: Vec<String> = refused.map(|(out, _)| out.name.to_string()).collect();
        let mut said = shared_out(&pushed.remote_lines, &names).into_iter();
        let in_the_servers_words = |answer| match answer {
            // Git reports which hook declined, but not why; the hook's own output says why.
            UpdateStatus::Rejected { words } => match said.next().unwrap_or_default().join("; ") {
                said if said.is_empty() => UpdateStatus::Rejected { words },
                said => UpdateStatus::Rejected { words: format!("{words}: {said}") },
            },
            other => other,
        };
        let answers = pushed.answers.into_iter().map(in_the_servers_words);
        push.updates.iter().zip(answers).map(|(update, answer)| self.if_raced(update, answer)).collect()
    }

    /// Asks the `pre-push` hook, as `git push` does for notes too.
    fn ask_hook(&self, outgoing: &[Outgoing<'_>]) -> Result<()> {
        let refs: Vec<_> = outgoing.iter().map(Outgoing::for_hook).collect();
        let name = self.remote.name().to_string();
        // Git passes the hook the whole URL.
        let url = self.remote.full_url(Direction::Push).unwrap_or_else(|| name.clone());
        let Follower { guard, progress } = self.watcher;
        Hooks::of(self.repo, guard, progress)?.ask_before_push(&name, &url, &refs)
    }

    /// Turns a lost race that no retry can win (fetch and push URL lead to different repositories) into a rejection;
    /// returns every other answer unchanged.
    fn if_raced(&self, update: &Update, answer: UpdateStatus) -> Result<UpdateStatus> {
        if !matches!(answer, UpdateStatus::Stale { .. }) {
            return Ok(answer);
        }
        match self.remote.check_race(update, &self.watcher) {
            Ok(()) => Ok(answer),
            Err(RemoteError::Refused(UserMessage { message, help })) => {
                Ok(UpdateStatus::Rejected { words: format!("{message}; {help}") })
            }
            Err(trouble) => Err(fault(trouble)),
        }
    }

    /// Updates the tracking ref to what was pushed, so that the next run need not find it out.
    fn track(&self, out: &Outgoing<'_>) -> Result<()> {
        let Some(tracking) = out.name.tracking(self.remote.name()) else { return Ok(()) };
        let tip = Tip { name: tracking.clone(), ..refs::find(self.repo, tracking.as_ref())? };
        self.watcher.guard.check()?;
        // If another process is writing the tracking ref, its value is newer; and if the ref cannot be written, the
        // push has succeeded nevertheless.
        let _ = refs::advance(self.repo, &tip, out.ours, "notes-sync: update by push");
        Ok(())
    }
}

/// A ref to be pushed.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Its name, the same here and at the remote.
    pub name: &'a NotesRef,
    /// The commit that the remote has; `None` if it has no such ref.
    pub theirs: Option<ObjectId>,
    /// The commit to push.
    pub ours: ObjectId,
}

impl Outgoing<'_> {
    fn for_hook(&self) -> OutgoingRef<'_> {
        let name = self.name.full().as_ref();
        OutgoingRef { here: name, id: self.ours, at_remote: name, expected: self.theirs }
    }
}

impl Watcher for Follower<'_> {
    fn progress(&self, step: Step) {
        self.guard.alive();
        let line = self.progress;
        match step {
            Step::Connecting => line.set(|| "notes: connecting".into()),
            Step::MayAsk => line.hold("notes: connecting"),
            Step::Answered => line.release(),
            Step::Listed { refs } => {
                line.flow_ended();
                line.set(|| format!("notes: {} at the remote", amount::of(refs as u64, "ref")));
            }
            Step::Receiving { bytes } => {
                line.flow(bytes, |rate| format!("notes: {} received{rate}", amount::bytes(bytes)));
            }
            Step::Indexing => line.set(|| "notes: indexing what came in".into()),
            Step::Counting { objects } => {
                line.flow_ended();
                line.set(|| format!("notes: {} to send", amount::of(objects as u64, "object")));
            }
            Step::Sending { objects, of, bytes } => line.flow(bytes, |rate| {
                let (sent, all) = (amount::count(objects as u64), amount::of(of as u64, "object"));
                format!("notes: {sent} of {all} sent, {}{rate}", amount::bytes(bytes))
            }),
            Step::Awaiting => line.set(|| "notes: waiting for the remote".into()),
        }
    }

    fn may_change(&self, _change: Change<'_>) -> Result<()> {
        Ok(self.guard.check()?)
    }
}

/// Turns an error of the connection into a fault for the user; an error of this side, such as a lost lock, is passed
/// on unchanged.
pub(crate) fn fault(trouble: RemoteError) -> anyhow::Error {
    let told = |Notice { code, message, help }| Fault::coded(code, message, help).into();
    trouble.notice().map_or_else(|reason| reason, told)
}
