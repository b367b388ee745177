//! S1 to S5: measures whole runs against the baseline's.

use anyhow::{Context as _, ensure};
use contract::Envelope;

use super::{
    amounts::Amounts,
    context::BenchContext,
    fixture::{Expected, Fixture, State},
    measure::{self, Measured},
    pairs::{Label, Pairs},
    results::{Kind, Row},
    sandbox::Pace,
    scenario::Scenario,
    servers::Server,
    sides::Side,
};

/// Measures these scenarios on one repository, and passes each row to `take` as soon as it is complete.
pub fn scenarios(
    ground: &BenchContext<'_>,
    amounts: Amounts,
    wanted: &[Scenario],
    take: &mut dyn FnMut(Row) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let site = Fixture::new(ground.lab, amounts)?;
    let start = begin(ground, &site)?;
    for scenario in wanted {
        scenario.arrange(&site)?;
        take(Whole::prepared(ground, &site, *scenario)?.row(Kind::Whole, ground.pairs)?)?;
        site.thaw(&start)?;
    }
    site.remove()
}

/// Measures S1 by itself.
pub fn scale(ground: &BenchContext<'_>, amounts: Amounts) -> anyhow::Result<Row> {
    let site = Fixture::new(ground.lab, amounts)?;
    begin(ground, &site)?;
    let row = Whole::prepared(ground, &site, Scenario::NothingToDo)?.row(Kind::Scale, ground.few_pairs)?;
    site.remove()?;
    Ok(row)
}

/// Lets both sides sync once and returns the resulting state. It includes what the first sync of a clone creates,
/// such as tracking refs and the pointer to the last shown message, as it does for users from the second day on.
pub fn begin(ground: &BenchContext<'_>, site: &Fixture<'_>) -> anyhow::Result<State> {
    for side in [Side::Ours, Side::Theirs] {
        measure::succeed(&mut ground.sides.whole(side, &site.clone))?;
        site.check_clean()?;
    }
    site.settle()?;
    site.freeze()
}

/// A scenario that is ready to be measured.
pub struct Whole<'a> {
    ground: &'a BenchContext<'a>,
    site: &'a Fixture<'a>,
    scenario: Scenario,
    state: State,
    expected: Expected,
}

impl<'a> Whole<'a> {
    /// Saves the state that each run begins with, and computes the expected result.
    pub fn prepared(
        ground: &'a BenchContext<'_>,
        site: &'a Fixture<'_>,
        scenario: Scenario,
    ) -> anyhow::Result<Self> {
        let state = site.freeze()?;
        scenario.edit(site)?;
        let expected = site.expect()?;
        Ok(Self { ground, site, scenario, state, expected })
    }

    /// Measures this many pairs of runs.
    pub fn row(&self, kind: Kind, pairs: usize) -> anyhow::Result<Row> {
        if self.ground.lab.pace() == Pace::Careful {
            // A first, unmeasured pair: what is read for the first time comes from disk, which the ratio must not
            // include.
            Pairs::hold(1, |side| self.once(side))?;
        }
        let contest = Pairs::hold(pairs, |side| self.once(side))?;
        let mut row = contest.row(Label {
            kind,
            id: self.scenario.id().to_owned(),
            title: self.scenario.title(self.site),
            files: self.site.amounts.files,
            place: self.ground.place.clone(),
            target: (kind == Kind::Whole).then(|| self.scenario.target()),
        });
        row.phases = self.phases()?;
        Ok(row)
    }

    /// Returns how often a run of the baseline, and one of ours, connects to a server.
    pub fn connections(&self, server: &dyn Server) -> anyhow::Result<(usize, usize)> {
        let count = |side| {
            let before = server.connections()?;
            self.once(side)?;
            Ok::<_, anyhow::Error>(server.connections()? - before)
        };
        Ok((count(Side::Theirs)?, count(Side::Ours)?))
    }

    /// Restores the repositories.
    pub fn undo(&self) -> anyhow::Result<()> {
        self.site.thaw(&self.state)
    }

    fn once(&self, side: Side) -> anyhow::Result<Measured> {
        self.ready()?;
        let measured = measure::succeed(&mut self.ground.sides.whole(side, &self.site.clone))?;
        let title = self.scenario.title(self.site);
        self.site.check(&self.expected).with_context(|| format!("{side:?} did not do the job: {title}"))?;
        Ok(measured)
    }

    fn ready(&self) -> anyhow::Result<()> {
        self.site.thaw(&self.state)?;
        self.site.settle()?;
        self.scenario.edit(self.site)
    }

    /// Returns how long the phases of one more run took by their own account.
    fn phases(&self) -> anyhow::Result<Vec<(String, u64)>> {
        self.ready()?;
        let mut run = self.ground.sides.whole(Side::Ours, &self.site.clone);
        let output = run.arg("--json").output().context("lockstep could not be started")?;
        ensure!(output.status.success(), "a run failed: {}", String::from_utf8_lossy(&output.stderr));
        let line = String::from_utf8(output.stdout).context("a document that is not UTF-8")?;
        let envelope = Envelope::parse(line.trim_end()).context("lockstep wrote no document")?;
        let phases = serde_json::to_value(&envelope.document().phases)?;
        let phases = phases.as_object().context("a document without phases")?;
        let took = phases.iter().filter_map(|(name, section)| {
            section.get("elapsed_ms")?.as_u64().map(|elapsed| (name.clone(), elapsed))
        });
        Ok(took.collect())
    }
}
