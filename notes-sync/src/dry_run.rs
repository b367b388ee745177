//! Finds out what a sync of notes would do, without doing it.
//!
//! Only the remote's refs are listed, and nothing is fetched.

use std::collections::BTreeMap;

use anyhow::Result;
use contract::Exit;
use gix::{ObjectId, Repository};
use owo_colors::OwoColorize as _;
use phase::{Fault, Page, escape};
use remote::{Remote, RemoteName, Watcher};
use store::RecentObjects;

use crate::{
    clobbered::{Memory, Repair},
    commits::{Commits, Relation},
    exchange,
    look::{self, Theirs},
    manual_merge,
    names::{NOTES, NotesRef},
    refs,
    rescue::Fate,
    sync::{Direction, Policy},
};

/// The relation of a local notes ref to the remote's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Both are at the same commit, or neither exists.
    Same,
    /// The ref exists only here.
    OnlyHere,
    /// The ref exists only at the remote.
    OnlyThere,
    /// The remote's commit is reachable from the local one.
    Ahead,
    /// The local commit is reachable from the remote's.
    Behind,
    /// Neither is reachable from the other.
    Diverged,
    /// The remote's commit is not here yet, so the relation is unknown.
    Unknown,
}

/// What would be done with one ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Planned {
    /// How the remote's notes would get into the local ref.
    pub incoming: Incoming,
    /// Whether the ref would be pushed.
    pub outgoing: Outgoing,
    /// How many lost tips would be merged back in, plus how many commits that undid other writers' notes would be
    /// repaired.
    pub rescued: usize,
}

/// How the remote's notes would get into the local ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Incoming {
    /// Not at all.
    #[default]
    Nothing,
    /// By creating or fast-forwarding the local ref.
    Fetched,
    /// By a merge with the local notes.
    Merged,
    /// By a fast-forward or a merge: only the fetch would show which.
    FetchedOrMerged,
}

/// Whether a ref would be pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outgoing {
    /// No, there is nothing to push.
    #[default]
    Nothing,
    /// Yes.
    Pushed,
    /// Yes, if the notes turn out to need a merge.
    PushedIfMerged,
    /// No, although there is something to push: this run does not push.
    KeptBack,
}

/// Decides what a run would do.
pub fn plan(standing: Standing, rescued: usize, direction: Direction) -> Planned {
    let (incoming, outgoing) = match standing {
        Standing::Same if rescued == 0 => (Incoming::Nothing, Outgoing::Nothing),
        Standing::OnlyThere => (Incoming::Fetched, Outgoing::Nothing),
        Standing::Behind if rescued == 0 => (Incoming::Fetched, Outgoing::Nothing),
        Standing::Unknown if rescued == 0 => (Incoming::FetchedOrMerged, Outgoing::PushedIfMerged),
        Standing::Same | Standing::OnlyHere | Standing::Ahead => (Incoming::Nothing, Outgoing::Pushed),
        Standing::Behind | Standing::Diverged | Standing::Unknown => (Incoming::Merged, Outgoing::Pushed),
    };
    let outgoing = match (direction, outgoing) {
        (Direction::Both, outgoing) => outgoing,
        (Direction::In, Outgoing::Pushed) => Outgoing::KeptBack,
        (Direction::In, _) => Outgoing::Nothing,
    };
    Planned { incoming, outgoing, rescued }
}

/// What would be done with each ref, or why it would be left out.
pub type Planning = BTreeMap<NotesRef, Result<Planned, Fault>>;

/// Plans each ref, of the `local` ones and those that the remote has.
///
/// # Errors
/// If the remote cannot be asked.
pub fn look(
    repo: &Repository,
    remote: &Remote<'_>,
    policy: &Policy,
    local: Vec<NotesRef>,
    watcher: &dyn Watcher,
) -> Result<Planning> {
    let listing = remote.list(&[NOTES], watcher).map_err(exchange::fault)?;
    let there =
        listing.refs.into_iter().filter_map(|listed| Some((NotesRef::found(listed.name)?, listed.id)));
    let there: BTreeMap<NotesRef, ObjectId> = there.filter(|(name, _)| policy.globs.matches(name)).collect();
    let names: std::collections::BTreeSet<NotesRef> =
        local.into_iter().chain(there.keys().cloned()).collect();
    let commits = Commits { repo, history: remote.history(), latest: &RecentObjects::default() };
    let planned = |name: NotesRef| {
        let planned = one(commits, remote.name(), &name, there.get(&name).copied(), policy);
        match planned.map_err(Fault::from) {
            Err(fault) if fault.exit() != Exit::Failed => Err(fault.into()),
            planned => Ok((name, planned)),
        }
    };
    names.into_iter().map(planned).collect()
}

fn one(
    commits: Commits<'_>,
    remote: &RemoteName,
    name: &NotesRef,
    theirs: Option<ObjectId>,
    policy: &Policy,
) -> Result<Planned> {
    let repo = commits.repo;
    manual_merge::check(repo, name)?;
    let theirs_then = look::theirs(repo, name, remote)?;
    let known = theirs.filter(|id| repo.has_object(id));
    if let Some(theirs) = known {
        refs::check_theirs(repo, name, remote, theirs)?;
    }
    let theirs_now = Theirs { now: known, ..theirs_then };
    let (tip, facts) = look::look(commits, name, theirs_now, policy.rescue, &mut Memory::default())?;
    let undone = facts.undone.iter().filter(|undone| undone.repair == Repair::Due).count();
    let lost = facts.lost.iter().filter(|lost| lost.fate == Fate::Rescue).count();
    let standing = match (tip.commit, theirs, known) {
        (None, None, _) => Standing::Same,
        (None, Some(_), _) => Standing::OnlyThere,
        (Some(_), None, _) => Standing::OnlyHere,
        (Some(local), Some(theirs), _) if local == theirs => Standing::Same,
        (Some(local), Some(_), Some(theirs)) => match commits.relate(local, theirs)? {
            Relation::Contained => Standing::Ahead,
            Relation::Ahead => Standing::Behind,
            Relation::Diverged { .. } => Standing::Diverged,
        },
        (Some(_), Some(_), None) => Standing::Unknown,
    };
    Ok(plan(standing, lost + undone, policy.direction))
}

/// Writes the plan to the report.
pub fn show(remote: &RemoteName, refs: &Planning, page: &mut Page) {
    let title = format!("notes: here and at {remote}, nothing is changed");
    page.line(escape::line(&title).style(page.styles.heading));
    if refs.is_empty() {
        page.line("  there are none");
    }
    for (name, planned) in refs {
        let words =
            planned.as_ref().map_or_else(|_| "would not be synced".to_owned(), |planned| words(*planned));
        page.line(format_args!("  {}: {words}", escape::line(&name.to_string())));
    }
}

fn words(planned: Planned) -> String {
    let mut words = Vec::new();
    if planned.rescued > 0 {
        words.push(format!("would bring back what was lost in {} of its commits", planned.rescued));
    }
    words.extend(
        match planned.incoming {
            Incoming::Nothing => None,
            Incoming::Fetched => Some("would be fetched"),
            Incoming::Merged => Some("would be merged"),
            Incoming::FetchedOrMerged => Some("would be fetched, and merged where both sides moved"),
        }
        .map(str::to_owned),
    );
    words.extend(
        match planned.outgoing {
            Outgoing::Nothing => None,
            Outgoing::Pushed => Some("would be pushed"),
            Outgoing::PushedIfMerged => Some("then pushed"),
            Outgoing::KeptBack => Some("would not be pushed"),
        }
        .map(str::to_owned),
    );
    if words.is_empty() { "nothing to do".into() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(standing: Standing, rescued: usize, direction: Direction) -> String {
        words(plan(standing, rescued, direction))
    }

    #[test]
    fn each_standing_leads_to_what_a_run_would_do() {
        let both = |standing| told(standing, 0, Direction::Both);
        assert_eq!(both(Standing::Same), "nothing to do");
        assert_eq!(both(Standing::OnlyHere), "would be pushed");
        assert_eq!(both(Standing::OnlyThere), "would be fetched");
        assert_eq!(both(Standing::Ahead), "would be pushed");
        assert_eq!(both(Standing::Behind), "would be fetched");
        assert_eq!(both(Standing::Diverged), "would be merged, would be pushed");
        assert_eq!(
            both(Standing::Unknown),
            "would be fetched, and merged where both sides moved, then pushed"
        );
    }

    #[test]
    fn nothing_goes_out_where_nothing_is_to_be_sent() {
        assert_eq!(told(Standing::OnlyHere, 0, Direction::In), "would not be pushed");
        assert_eq!(told(Standing::Behind, 0, Direction::In), "would be fetched");
        assert_eq!(
            told(Standing::Unknown, 0, Direction::In),
            "would be fetched, and merged where both sides moved"
        );
    }

    #[test]
    fn what_was_lost_makes_a_merge_of_what_would_have_been_taken_as_it_is() {
        let told = told(Standing::Behind, 2, Direction::Both);
        assert_eq!(
            told,
            "would bring back what was lost in 2 of its commits, would be merged, would be pushed"
        );
    }
}
