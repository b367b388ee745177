//! Searches for the notes that a command had read.
//!
//! In the repository where the command ran, the reflog has them: they are one of the newest tips before the commit's
//! own. Elsewhere there is only the history of the commit. It is unknown how far to search, and a commit may not come
//! from the command that its message names; so all searches take turns, and stop together when a budget of
//! comparisons is spent.

use std::collections::{HashMap, VecDeque};

use anyhow::Result;
use gix::ObjectId;

use super::{command::Command, trail::Trail, trees::Trees};
use crate::{commits::Commits, reflog::Entry};

/// The number of comparisons for one search before the next one's turn.
const TURN: usize = 4;

/// The number of comparisons for all searches of a run together.
const BUDGET: usize = 4096;

/// A commit whose changes to its parent its command cannot have made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suspect {
    pub(super) commit: ObjectId,
    pub(super) tree: ObjectId,
    pub(super) parent: ObjectId,
    pub(super) command: Command,
}

/// Searches that share a cache of trees.
pub(super) struct Search<'a> {
    commits: Commits<'a>,
    trees: Trees<'a>,
    reflog: &'a [Entry],
    /// The index of the reflog entry by which the ref first got to a commit.
    arrivals: HashMap<ObjectId, usize>,
}

impl<'a> Search<'a> {
    pub(super) fn new(commits: Commits<'a>, reflog: &'a [Entry]) -> Self {
        // The entries are newest first, so that the oldest one for a commit wins.
        let arrivals = reflog.iter().enumerate().map(|(at, entry)| (entry.new, at)).collect();
        Self { commits, trees: Trees::of(commits), reflog, arrivals }
    }

    /// Whether the commit's command can have made it from the notes of `read`; `None` means no notes.
    pub(super) fn explains(&self, suspect: Suspect, read: Option<ObjectId>) -> Result<bool> {
        let changes = self.trees.changes(read, suspect.tree, suspect.command.telling())?;
        suspect.command.explains(&self.trees, &changes)
    }

    /// Searches for what the commands of `suspects` had read, and returns those for which it was found.
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

/// The result of one turn of a search.
enum Turn {
    /// What the command had read.
    Found(Option<ObjectId>),
    /// There are candidates left.
    Unfinished,
    /// All candidates were compared in vain.
    InVain,
}
