//! Measures how long each binary takes to start, and its size.

use super::{
    context::BenchContext,
    measure,
    pairs::{Label, Pairs},
    results::{Kind, Row},
    sandbox::Pace,
    sides::Side,
};
use crate::binaries;

/// How many starts to measure for each pair of runs elsewhere: a start is short, and cheap to repeat.
const STARTS: usize = 20;

/// The target for the time of a start.
pub const LONGEST_MS: f64 = 3.0;

/// The target for the size of a binary.
pub const LARGEST_MB: f64 = 15.0;

/// Measures `--version` of every binary against git's.
pub fn starts(
    ground: &BenchContext<'_>,
    take: &mut dyn FnMut(Row) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let starts = match ground.lab.pace() {
        Pace::Careful => ground.pairs * STARTS,
        Pace::Quick => 1,
    };
    for name in binaries::ALL {
        let path = ground.sides.binaries.path(name);
        let once = |side| {
            let folder = ground.lab.root();
            let mut program = match side {
                Side::Theirs => ground.lab.command("git", folder),
                Side::Ours => ground.sides.ours(name, folder),
            };
            measure::succeed(program.arg("--version"))
        };
        let contest = Pairs::hold(starts, once)?;
        take(contest.row(Label {
            kind: Kind::Start,
            id: name.to_owned(),
            title: "--version".to_owned(),
            files: usize::try_from(path.metadata()?.len())?,
            place: ground.place.clone(),
            target: None,
        }))?;
    }
    Ok(())
}
