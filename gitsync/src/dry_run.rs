//! Finds out what a sync would do, without doing it.
//!
//! Objects are created in memory only, and the remote's refs are listed without fetching anything.

use contract::RepoSync;
use gix::ObjectId;
use owo_colors::OwoColorize as _;
use phase::{Fault, Page, escape};

use crate::commit::tree_of;
use crate::context::SyncContext;
use crate::exchange::{self, Failed, Theirs};
use crate::index;
use crate::ledger::{Before, Ledger};
use crate::look;
use crate::plan::{self, Integration, Relation};
use crate::policy::{Policy, Pull, Push};
use crate::rebase::{self, Replay, UpstreamReflog};
use crate::relate::relate_to_past;
use crate::stage::{self, LeftOut, sink::Memory};
use crate::submodules::Outdated;
use crate::tree::Counts;
use crate::upstream::{self, Upstream};
use crate::{configured, history, refuse};

/// What would be done with one repository.
#[derive(Debug)]
pub struct Planned {
    branch: String,
    upstream: Upstream,
    commit: Counts,
    incoming: Incoming,
    outgoing: Outgoing,
    /// The section, which describes the current state, as nothing was done.
    pub section: RepoSync,
    /// Why a sync would fail.
    pub fault: Option<Fault>,
}

/// What would be pulled.
#[derive(Debug)]
enum Incoming {
    /// Nothing, because of `--no-pull`.
    NotAsked,
    Nothing,
    /// Commits that are available locally but not in the branch.
    Commits {
        count: usize,
        how: Integration,
    },
    /// The remote's branch is at a commit that is not available locally, so the number of commits is unknown.
    New(ObjectId),
}

/// What would be pushed.
#[derive(Debug)]
enum Outgoing {
    /// Nothing, because of `--no-push`.
    NotWanted,
    Commits(usize),
    /// The branch, which the remote does not have, although it has all of its commits.
    NewBranch,
}

/// Finds out what a sync would do.
///
/// # Errors
/// What would make a sync fail before it has begun.
pub fn plan(place: &SyncContext<'_>, policy: &Policy) -> anyhow::Result<Planned> {
    let repo = place.repo;
    let facts = look::look(repo)?;
    let branch = refuse::refuse(&facts)?.clone();
    let upstream = upstream::of(repo, branch.name.as_ref())?;
    configured::refuse(repo, branch.name.as_ref(), &upstream, policy.push)?;
    let known = exchange::tracked(repo, &upstream)?;
    let (commit, left_out) = would_commit(place, branch.commit, policy)?;
    if branch.commit.is_none() && commit.is_empty() {
        return Err(refuse::nothing_to_begin_with(&branch.short()).into());
    }
    let theirs = match policy.pull {
        Pull::No => Ok(known),
        Pull::Wanted => exchange::list(place, &upstream, policy),
    };
    let before = Before { head: branch.commit, upstream: known };
    let mut ledger =
        Ledger::new(place.history.clone(), place.absolute_root()?, branch.short(), upstream.clone(), before);
    ledger.left_out(left_out);
    let (theirs, offline) = match theirs {
        Ok(theirs) => (theirs, None),
        Err(Failed::Offline(error)) => {
            ledger.offline();
            (known, Some(Fault::from(error)))
        }
        Err(Failed::Otherwise(error)) => return Err(error),
    };
    let theirs_here = theirs.filter(|id| repo.has_object(id)).or(known);
    let here = theirs_here.map_or(Theirs::New, Theirs::At);
    let seen = match &upstream.tracking {
        Some(tracking) => rebase::seen(repo, tracking.as_ref())?,
        None => UpstreamReflog::default(),
    };
    let relation = match branch.commit {
        Some(local) => relate_to_past(repo, &place.history, &seen, local, here)?,
        None => Relation::New,
    };
    let (incoming, wrong) = match (policy.pull, theirs) {
        (Pull::No, _) => (Incoming::NotAsked, None),
        (Pull::Wanted, Some(id)) if !repo.has_object(id) => (Incoming::New(id), None),
        (Pull::Wanted, _) => would_integrate(place, branch.commit, here, relation, &upstream)?,
    };
    let replay = match (&incoming, branch.commit, here.id()) {
        (Incoming::Commits { how: Integration::Replay, .. }, Some(local), Some(onto)) => {
            let upstream = rebase::base_for(repo, &place.history, &seen, onto, local)?;
            Some(Replay { onto, upstream, head: local })
        }
        _ => None,
    };
    if let Some(what) = replay {
        ledger.thrown_out(rebase::thrown_out(repo, &place.history, what)?);
    }
    let made = usize::from(!commit.is_empty());
    let outgoing = match (policy.push, branch.commit) {
        (Push::No, _) => Outgoing::NotWanted,
        (Push::Wanted, None) => Outgoing::Commits(made),
        (Push::Wanted, Some(local)) => {
            let own = match replay {
                Some(what) => rebase::count(repo, &place.history, what, place)?,
                None => own_commits(place, here, &upstream, local)?,
            };
            match own + made {
                0 if relation == Relation::New => Outgoing::NewBranch,
                count => Outgoing::Commits(count),
            }
        }
    };
    let fault = offline.or(wrong);
    let section = ledger.close(repo, fault.as_ref())?;
    Ok(Planned { branch: branch.short(), upstream, commit, incoming, outgoing, section, fault })
}

/// Returns how many of the commits reachable from `local` the remote does not have.
fn own_commits(
    place: &SyncContext<'_>,
    theirs: Theirs,
    upstream: &Upstream,
    local: ObjectId,
) -> anyhow::Result<usize> {
    let known = match theirs.id() {
        Some(id) => vec![id],
        None => history::known_of(place.repo, upstream.remote.as_str())?,
    };
    Ok(history::between(place.repo, &place.history, known, local)?.len())
}

impl Planned {
    /// Writes the plan for people.
    pub fn show(&self, name: &str, page: &mut Page) {
        let upstream = self.upstream.shown();
        let title = format!("{name}: {} and {upstream}, nothing is changed", self.branch);
        page.line(escape::line(&title).style(page.styles.heading));
        for warning in &self.section.warnings {
            page.warning(warning);
        }
        let Counts { added, modified, deleted } = self.commit;
        if self.commit.is_empty() {
            page.line("  would commit nothing");
        } else {
            page.line(format_args!("  would commit: {added} added, {modified} modified, {deleted} deleted"));
        }
        match &self.incoming {
            Incoming::NotAsked => {}
            Incoming::Nothing => page.line("  would pull nothing"),
            Incoming::Commits { count: 0, how: _ } => {
                page.line("  would pull nothing, and replay the local ones")
            }
            Incoming::Commits { count, how: Integration::Replay } => {
                page.line(format_args!(
                    "  would pull {}, and replay the local ones onto them",
                    commits(*count)
                ));
            }
            Incoming::Commits { count, how: Integration::FastForward | Integration::Nothing } => {
                page.line(format_args!("  would pull {}", commits(*count)));
            }
            Incoming::New(id) => {
                page.line(format_args!(
                    "  would pull what the remote has new, up to {}",
                    id.to_hex_with_len(10)
                ));
            }
        }
        match &self.outgoing {
            Outgoing::NotWanted => {}
            Outgoing::Commits(0) => page.line("  would push nothing"),
            Outgoing::NewBranch => page.line("  would push the branch, which is new there"),
            Outgoing::Commits(count) => page.line(format_args!("  would push {}", commits(*count))),
        }
    }
}

fn commits(count: usize) -> String {
    if count == 1 { "1 commit".into() } else { format!("{count} commits") }
}

/// Returns what would be committed, and what has changed and would not be committed.
fn would_commit(
    place: &SyncContext<'_>,
    head: Option<ObjectId>,
    policy: &Policy,
) -> anyhow::Result<(Counts, LeftOut)> {
    let Some(policy) = policy.commit.staging() else { return Ok(Default::default()) };
    let repo = place.repo.clone().with_object_memory();
    let index = index::open(&repo)?;
    refuse::unmerged(&index::unmerged_in(&index)?)?;
    let mut changes = stage::scan(&repo, &index, &policy, place)?;
    let left_out = changes.leave_out(&repo, &index, &Outdated::still(&repo, &index)?)?;
    let before = tree_of(&repo, head)?;
    let mut sink = Memory(&repo);
    let staged = stage::prepare(&repo, index, before, changes, &policy, &mut sink, place)?;
    Ok((staged.map_err(|why| crate::commit::refused(&why))?.counts, left_out))
}

fn would_integrate(
    place: &SyncContext<'_>,
    local: Option<ObjectId>,
    theirs: Theirs,
    relation: Relation,
    upstream: &Upstream,
) -> anyhow::Result<(Incoming, Option<Fault>)> {
    let how = match plan::integrate(relation, upstream) {
        Ok(how) => how,
        Err(fault) => return Ok((Incoming::Nothing, Some(fault))),
    };
    let count = match theirs.id() {
        Some(id) => history::between(place.repo, &place.history, local, id)?.len(),
        None => 0,
    };
    // If the upstream has only dropped commits, there is nothing to pull, but the local commits are replayed.
    let is_nothing = count == 0 && how != Integration::Replay;
    Ok((if is_nothing { Incoming::Nothing } else { Incoming::Commits { count, how } }, None))
}
