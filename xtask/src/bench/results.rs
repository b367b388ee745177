//! Stores the measurements in a file, from which the tables are generated.
//!
//! A run may measure only some of the rows; the others stay as they are, as long as the machine is the same.

use std::time::Duration;

use anyhow::Context as _;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::{machine::Machine, measure::Measured, stats::Spread};

/// All measurements on one machine.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The machine.
    pub machine: Machine,
    /// The measurements.
    pub rows: Vec<Row>,
}

/// The table that a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A whole run against the baseline.
    Whole,
    /// One phase against the equivalent git commands.
    Step,
    /// The merge of notes against git's.
    Merge,
    /// A whole run over a network protocol.
    Wire,
    /// S1 with another number of files.
    Scale,
    /// The start of a binary against that of git.
    Start,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The table that it belongs to.
    pub kind: Kind,
    /// Its short name.
    pub id: String,
    /// What there was to do.
    pub title: String,
    /// The number of files; for a merge, of notes; for a binary's start, the binary's size in bytes.
    pub files: usize,
    /// The file system that was measured on.
    pub place: String,
    /// The target speedup; over a network protocol, the maximum number of connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// The baseline's figures.
    pub theirs: Figures,
    /// Ours.
    pub ours: Figures,
    /// How long each phase of one of our runs took by its own account, in milliseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<(String, u64)>,
    /// How many connections to the server a run makes: the baseline's, and ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<(usize, usize)>,
}

/// The figures of one side, run by run.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Milliseconds.
    pub ms: Vec<f64>,
    /// The median of the processor time, in milliseconds.
    pub busy_ms: f64,
    /// The highest peak of memory of all runs, in KiB.
    pub peak_kib: u64,
}

impl Figures {
    /// Summarises the figures of some runs.
    pub fn of(runs: &[Measured]) -> Self {
        // A microsecond is more precise than any difference here.
        let ms = |time: Duration| time.as_micros() as f64 / 1000.0;
        let busy = Spread::of(runs.iter().map(|run| ms(run.busy)));
        Self {
            ms: runs.iter().map(|run| ms(run.took)).collect(),
            busy_ms: busy.map_or(0.0, |busy| busy.middle),
            peak_kib: runs.iter().map(|run| run.peak_kib).max().unwrap_or(0),
        }
    }

    /// Returns the median of the times.
    pub fn median(&self) -> Option<f64> {
        Spread::of(self.ms.iter().copied()).map(|spread| spread.middle)
    }
}

impl Row {
    /// Returns the speedup: the median over the pairs, and the quartiles.
    pub fn ratio(&self) -> Option<Spread> {
        Spread::of_ratios(&self.theirs.ms, &self.ours.ms)
    }

    fn is_same_measurement(&self, other: &Self) -> bool {
        // A binary's size is part of the result, and it does not depend on the repositories of the other
        // measurements.
        let ground = |row: &Self| (row.kind != Kind::Start).then(|| (row.place.clone(), row.files));
        let key = |row: &Self| (row.kind, row.id.clone(), ground(row));
        key(self) == key(other)
    }
}

impl Results {
    /// Returns the saved results, or empty ones if none are saved or they are from another machine.
    pub fn read(path: &Utf8Path, machine: Machine) -> anyhow::Result<Self> {
        let kept = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::on(machine)),
            Err(error) => return Err(error).with_context(|| format!("{path} could not be read")),
            Ok(text) => serde_json::from_str::<Self>(&text),
        };
        let kept = kept.with_context(|| format!("{path} is not what `cargo xtask bench` writes"))?;
        Ok(if kept.machine.is_same(&machine) { Self { machine, ..kept } } else { Self::on(machine) })
    }

    fn on(machine: Machine) -> Self {
        Self { machine, rows: Vec::new() }
    }

    /// Adds a row, and removes the one that measured the same before.
    pub fn add(&mut self, row: Row) {
        self.rows.retain(|old| !old.is_same_measurement(&row));
        self.rows.push(row);
        self.rows.sort_by(|a, b| (a.kind, &a.id, &a.place, a.files).cmp(&(b.kind, &b.id, &b.place, b.files)));
    }

    /// Saves the results.
    pub fn write(&self, path: &Utf8Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self).context("results that are no JSON")?;
        text.push('\n');
        std::fs::write(path, text).with_context(|| format!("{path} could not be written"))
    }

    /// Returns the rows of one table.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, files: usize, ours: f64) -> Row {
        let figures = |ms| Figures { ms: vec![ms], busy_ms: ms, peak_kib: 1 };
        Row {
            kind: Kind::Whole,
            id: id.into(),
            title: String::new(),
            files,
            place: "ext4".into(),
            target: None,
            theirs: figures(12.0),
            ours: figures(ours),
            phases: Vec::new(),
            connections: None,
        }
    }

    #[test]
    fn a_row_takes_the_place_of_an_older_one() {
        let mut results = Results::default();
        for new in [row("S2", 20, 4.0), row("S1", 20, 4.0), row("S2", 20, 3.0), row("S2", 10, 2.0)] {
            results.add(new);
        }
        let rows: Vec<_> = results
            .rows
            .iter()
            .map(|row| (row.id.as_str(), row.files, row.ratio().unwrap().middle))
            .collect();
        assert_eq!(rows, [("S1", 20, 3.0), ("S2", 10, 6.0), ("S2", 20, 4.0)]);
    }

    #[test]
    fn the_start_of_a_binary_is_the_same_wherever_repositories_are() {
        let start =
            |place: &str, size| Row { kind: Kind::Start, place: place.into(), ..row("lock", size, 1.0) };
        let mut results = Results::default();
        for new in [start("ext4", 4_000), start("tmpfs", 5_000), row("S1", 20, 1.0)] {
            results.add(new);
        }
        let rows: Vec<_> = results.rows.iter().map(|row| (row.id.as_str(), row.files)).collect();
        assert_eq!(rows, [("S1", 20), ("lock", 5_000)]);
    }

    #[test]
    fn results_of_another_machine_are_not_mixed_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("results.json");
        let here = Machine { cores: 2, ..Machine::default() };
        let mut results = Results::read(&path, here.clone()).unwrap();
        results.add(row("S1", 20, 4.0));
        results.write(&path).unwrap();
        assert_eq!(Results::read(&path, here).unwrap(), results);
        let elsewhere = Machine { cores: 64, ..Machine::default() };
        assert!(Results::read(&path, elsewhere).unwrap().rows.is_empty());
    }
}
