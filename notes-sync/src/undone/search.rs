//! Searches for what a command had read.
//!
//! Where the command ran, the reflog has it: of the tips before the commit's own it is one of the newest. Elsewhere
//! there is only the history that the commit stands on. Nobody knows how far to search, and what a commit looks like
//! that was not made by the command that it names; so all searches go on in turns, and end together when enough has
//! been compared.

use std::collections::{HashMap, VecDeque};

use anyhow::Result;
use gix::ObjectId;

use super::{command::Command, trail::Trail, trees::Trees};
use crate::{commits::Commits, reflog::Entry};

/// How many comparisons are made for one search before it is the next one's turn.
const TURN: usize = 4;

/// How many for all searches of a run together.
const BUDGET: usize = 4096;

/// A commit that its parent does not explain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suspect {
    pub(super) commit: ObjectId,
    pub(super) tree: ObjectId,
    pub(super) parent: ObjectId,
    pub(super) command: Command,
}

/// Searches that share what they have read.
pub(super) struct Search<'a> {
    commits: Commits<'a>,
    trees: Trees<'a>,
    reflog: &'a [Entry],
    /// Where in it the ref went to a commit for the first time.
    arrivals: HashMap<ObjectId, usize>,
}

impl<'a> Search<'a> {
    pub(super) fn new(commits: Commits<'a>, reflog: &'a [Entry]) -> Self {
        // The older ones come last.
        let arrivals = reflog.iter().enumerate().map(|(at, entry)| (entry.new, at)).collect();
        Self { commits, trees: Trees::of(commits), reflog, arrivals }
    }

    /// Whether the commit can be what its command made of `read`, where `None` is no notes at all.
    pub(super) fn explains(&self, suspect: Suspect, read: Option<ObjectId>) -> Result<bool> {
        let changes = self.trees.changes(read, suspect.tree, suspect.command.telling())?;
        suspect.command.explains(&self.trees, &changes)
    }

    /// What the commands of `suspects` had read, of those where it is found.
    pub(super) fn run(
        &self,
        suspects: Vec<Suspect>,
        comparisons: &mut usize,
    ) -> Result<Vec<(Suspect, Option<ObjectId>)>> {
        let mut found = Vec::new();
        let mut waiting: VecDeque<Trail<'_>> =
            suspects.into_iter().map(|suspect| self.trail(suspect)).collect();
        while let Some(mut trail) = waiting.pop_front() {
            match self.turn(&mut trail, comparisons)? {
                Turn::Found(read) => found.push((trail.suspect, read)),
                Turn::Unfinished if *comparisons < BUDGET => waiting.push_back(trail),
                Turn::Unfinished | Turn::InVain => {}
            }
        }
        Ok(found)
    }

    fn trail(&self, suspect: Suspect) -> Trail<'a> {
        let movements = self.arrivals.get(&suspect.commit).map_or(&[][..], |at| &self.reflog[*at..]);
        Trail::new(suspect, movements)
    }

    fn turn(&self, trail: &mut Trail<'_>, comparisons: &mut usize) -> Result<Turn> {
        let Suspect { command, tree, .. } = trail.suspect;
        for _ in 0..TURN.min(BUDGET.saturating_sub(*comparisons)) {
            let Some(read) = trail.next(self.commits)? else { return Ok(Turn::InVain) };
            *comparisons += 1;
            if command.had_read(&self.trees, &self.trees.changes(read, tree, 2)?)? {
                return Ok(Turn::Found(read));
            }
        }
        Ok(Turn::Unfinished)
    }
}

/// What came of a search for now.
enum Turn {
    /// What was read.
    Found(Option<ObjectId>),
    /// There is more to be compared.
    Unfinished,
    /// All was compared that can be.
    InVain,
}
