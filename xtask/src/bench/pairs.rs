//! Measures the baseline and Lockstep in alternating pairs.

use super::{
    measure::Measured,
    results::{Figures, Kind, Row},
    sides::Side,
};

/// The measurements of both sides.
#[derive(Debug, Default)]
pub struct Pairs {
    theirs: Vec<Measured>,
    ours: Vec<Measured>,
}

/// A row's description.
#[derive(Debug, Clone)]
pub struct Label {
    /// The table that it belongs to.
    pub kind: Kind,
    /// Its short name, such as `S1`.
    pub id: String,
    /// What there was to do.
    pub title: String,
    /// The number of files.
    pub files: usize,
    /// The file system.
    pub place: String,
    /// The target speedup.
    pub target: Option<f64>,
}

impl Pairs {
    /// Measures `runs` pairs. The runs of a pair follow each other immediately; which side is first alternates
    /// between pairs.
    ///
    /// Other work on the machine comes and goes; it slows down both runs of a pair, so their ratio is stable.
    pub fn hold(runs: usize, mut once: impl FnMut(Side) -> anyhow::Result<Measured>) -> anyhow::Result<Self> {
        let mut contest = Self::default();
        for pair in 0..runs {
            let order = if pair % 2 == 0 { [Side::Theirs, Side::Ours] } else { [Side::Ours, Side::Theirs] };
            for side in order {
                let measured = once(side)?;
                match side {
                    Side::Theirs => contest.theirs.push(measured),
                    Side::Ours => contest.ours.push(measured),
                }
            }
        }
        Ok(contest)
    }

    /// Returns the row of the table.
    pub fn row(&self, label: Label) -> Row {
        Row {
            kind: label.kind,
            id: label.id,
            title: label.title,
            files: label.files,
            place: label.place,
            target: label.target,
            theirs: Figures::of(&self.theirs),
            ours: Figures::of(&self.ours),
            phases: Vec::new(),
            connections: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_is_first_changes_from_pair_to_pair() {
        let mut order = Vec::new();
        let contest = Pairs::hold(3, |side| {
            order.push(side);
            let took = Duration::from_millis(order.len() as u64);
            Ok(Measured { took, busy: took, peak_kib: 0 })
        })
        .unwrap();
        use Side::{Ours, Theirs};
        assert_eq!(order, [Theirs, Ours, Ours, Theirs, Theirs, Ours]);
        let label = Label {
            kind: Kind::Whole,
            id: "S1".into(),
            title: String::new(),
            files: 0,
            place: String::new(),
            target: None,
        };
        let row = contest.row(label);
        assert_eq!((row.theirs.ms, row.ours.ms), (vec![1.0, 4.0, 5.0], vec![2.0, 3.0, 6.0]));
    }
}
