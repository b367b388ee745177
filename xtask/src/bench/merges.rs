//! Measures the merge of notes by itself: `notes-sync merge` against `git notes merge`, as whole processes.
//!
//! In S5 the merge is a small part of a run, which would not show its cost among many notes.

use anyhow::{Context as _, ensure};
use camino::Utf8PathBuf;

use super::{
    context::BenchContext,
    measure,
    notes::{self, Note, Version},
    pairs::{Label, Pairs},
    results::{Kind, Row},
    sandbox::{Objects, Pace},
    sides::Side,
    snapshot::{self, Snapshot},
    table::thousands,
};

/// The target speedup of each merge.
const TARGET: f64 = 5.0;

/// Two sides to merge.
#[derive(Debug, Clone, Copy, Default)]
struct Case {
    /// The number of notes in the merge base.
    notes: u32,
    /// The number of notes that each side changed and the other did not.
    changed: u32,
    /// The number of notes that both sides changed, differently.
    changed_by_both: u32,
    /// The number of notes that each side added.
    added: u32,
}

const NONE: Case = Case { notes: 0, changed: 0, changed_by_both: 0, added: 0 };
const CASES: [Case; 6] = [
    Case { notes: 100_000, changed: 1_000, ..NONE },
    Case { notes: 100_000, changed_by_both: 1_000, ..NONE },
    Case { added: 10_000, ..NONE },
    Case { notes: 100_000, added: 10_000, ..NONE },
    Case { notes: 20_000, changed: 500, ..NONE },
    Case { notes: 20_000, changed_by_both: 500, ..NONE },
];

/// Measures all cases, and passes each row to `take` as soon as it is complete.
pub fn rows(
    ground: &BenchContext<'_>,
    take: &mut dyn FnMut(Row) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for case in CASES {
        let case = match ground.lab.pace() {
            Pace::Careful => case,
            Pace::Quick => case.part(500),
        };
        take(row(ground, case)?)?;
    }
    Ok(())
}

fn row(ground: &BenchContext<'_>, case: Case) -> anyhow::Result<Row> {
    let pair = Pair::new(ground, case)?;
    if ground.lab.pace() == Pace::Careful {
        // A first, unmeasured pair: what is read for the first time comes from disk, which the ratio must not
        // include.
        Pairs::hold(1, |side| pair.once(side))?;
    }
    let contest = Pairs::hold(ground.pairs, |side| pair.once(side))?;
    std::fs::remove_dir_all(&pair.repository)
        .with_context(|| format!("{} could not be removed", pair.repository))?;
    Ok(contest.row(Label {
        kind: Kind::Merge,
        id: case.what(),
        title: case.title(),
        files: case.notes as usize,
        place: ground.place.clone(),
        target: Some(TARGET),
    }))
}

impl Case {
    fn part(self, divisor: u32) -> Self {
        let Self { notes, changed, changed_by_both, added } = self;
        Self {
            notes: notes / divisor,
            changed: changed / divisor,
            changed_by_both: changed_by_both / divisor,
            added: added / divisor,
        }
    }

    fn what(self) -> String {
        match self {
            Self { added: 1.., .. } => format!("{0} and {0} new", count(self.added)),
            Self { changed_by_both: 1.., .. } => {
                format!("the same {} changed on both sides", count(self.changed_by_both))
            }
            Self { .. } => format!("{} changed on each side", count(self.changed)),
        }
    }

    fn title(self) -> String {
        match self.notes {
            0 => format!("{} notes", self.what()),
            notes => format!("{} notes, {}", count(notes), self.what()),
        }
    }

    /// Returns the notes of the merge base or of one side, in order.
    fn notes(self, side: Version) -> Vec<Note> {
        let both = self.changed_by_both;
        let (own, new) = match side {
            Version::First => (0..0, 0..0),
            Version::Here => (both..both + self.changed, 1_000_000..1_000_000 + self.added),
            Version::There => {
                let own = both + self.changed;
                (own..own + self.changed, 2_000_000..2_000_000 + self.added)
            }
        };
        let is_changed = |number| side != Version::First && (number < both || own.contains(&number));
        let old = (0..self.notes).map(|number| (number, is_changed(number)));
        let mut notes: Vec<Note> = old
            .chain(new.map(|number| (number, true)))
            .map(|(number, is_changed)| Note::new(number, if is_changed { side } else { Version::First }))
            .collect();
        notes.sort_unstable();
        notes
    }
}

fn count(notes: u32) -> String {
    thousands(notes as usize)
}

/// A repository in which both sides merge, and the expected result.
struct Pair<'a> {
    ground: &'a BenchContext<'a>,
    repository: Utf8PathBuf,
    state: Snapshot,
    expected: String,
}

impl<'a> Pair<'a> {
    fn new(ground: &'a BenchContext<'a>, case: Case) -> anyhow::Result<Self> {
        let repository = ground.lab.root().join("merge.git");
        ground.lab.git(ground.lab.root(), &["init", "--quiet", "--bare", repository.as_str()])?;
        let sides = [
            (Version::First, notes::BASE, None),
            (Version::Here, notes::LOCAL, Some(notes::BASE)),
            (Version::There, notes::REMOTE, Some(notes::BASE)),
        ];
        // Each in its own pack, as after fetches.
        for (side, name, parent) in sides {
            let notes = case.notes(side);
            ground
                .lab
                .import(&repository, Objects::Packed, |out| notes::commit(out, name, parent, &notes))?;
        }
        let state = Snapshot::bare(ground.lab, &repository)?;
        let mut pair = Self { ground, repository, state, expected: String::new() };
        measure::succeed(&mut ground.sides.merge(Side::Theirs, &pair.repository))?;
        pair.expected = pair.merged()?;
        Ok(pair)
    }

    fn once(&self, side: Side) -> anyhow::Result<measure::Measured> {
        self.state.thaw(self.ground.lab)?;
        snapshot::rest(self.ground.lab)?;
        let measured = measure::succeed(&mut self.ground.sides.merge(side, &self.repository))?;
        let merged = self.merged()?;
        ensure!(merged == self.expected, "{side:?} merged to {merged} instead of {}", self.expected);
        Ok(measured)
    }

    /// Returns the tree of the merged notes, and the parents of their commit.
    fn merged(&self) -> anyhow::Result<String> {
        self.ground.lab.git(&self.repository, &["log", "-1", "--format=%T %P", notes::LOCAL])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_has_its_own_changes_and_both_the_same() {
        let case = Case { notes: 10, changed: 2, changed_by_both: 3, added: 4 };
        let [base, here, there] =
            [Version::First, Version::Here, Version::There].map(|side| case.notes(side));
        let differ = |one: &[Note], other: &[Note]| one.iter().filter(|note| !other.contains(note)).count();
        assert_eq!((base.len(), here.len(), there.len()), (10, 14, 14));
        assert_eq!((differ(&here, &base), differ(&there, &base)), (9, 9));
        // Those that both have changed, those that only one side has changed, and those that are new there.
        assert_eq!(differ(&there, &here), 3 + 2 + 2 + 4);
    }

    #[test]
    fn a_case_says_what_it_is_about() {
        assert_eq!(CASES[1].title(), "100,000 notes, the same 1,000 changed on both sides");
        assert_eq!(CASES[2].title(), "10,000 and 10,000 new notes");
    }
}
