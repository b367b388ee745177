//! Measures single phases against the equivalent git commands: time, and peak memory.

use anyhow::Context as _;

use super::{
    amounts::Amounts,
    context::BenchContext,
    fixture::Fixture,
    measure,
    pairs::{Label, Pairs},
    results::{Kind, Row},
    sandbox::Pace,
    scenario::Scenario,
    sides::Step,
    whole,
};

/// The phases to measure, each in a scenario.
const STEPS: [(Step, Scenario); 7] = [
    (Step::Logs, Scenario::NothingToDo),
    (Step::Branch, Scenario::NothingToDo),
    (Step::Branch, Scenario::OneFileChanged),
    (Step::Branch, Scenario::Incoming),
    (Step::Branch, Scenario::Diverged),
    (Step::Notes, Scenario::Notes),
    (Step::Messages, Scenario::Incoming),
];

/// Measures them on one repository, and passes each row to `take` as soon as it is complete.
pub fn steps(
    ground: &BenchContext<'_>,
    amounts: Amounts,
    take: &mut dyn FnMut(Row) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let site = Fixture::new(ground.lab, amounts)?;
    let start = whole::begin(ground, &site)?;
    for (step, scenario) in STEPS {
        take(row(ground, &site, step, scenario)?)?;
        site.thaw(&start)?;
    }
    site.remove()
}

fn row(ground: &BenchContext<'_>, site: &Fixture<'_>, step: Step, scenario: Scenario) -> anyhow::Result<Row> {
    let since = site.git(&["rev-parse", "HEAD"])?;
    scenario.arrange(site)?;
    if step == Step::Messages {
        // Messages are looked for after the branch has been synced.
        site.git(&["pull", "--quiet", "--rebase"])?;
    }
    let state = site.freeze()?;
    scenario.edit(site)?;
    let expected = site.expect()?;
    let once = |side| {
        site.thaw(&state)?;
        site.settle()?;
        scenario.edit(site)?;
        let measured = measure::succeed(measure::by_fork(&mut ground.sides.step(side, step, site, &since)))?;
        let checked = match step {
            Step::Branch => site.check_branch(&expected),
            Step::Notes => site.check_notes(&expected),
            Step::Logs | Step::Messages => site.check_clean(),
        };
        checked.with_context(|| format!("{side:?} did not do the job of {}", step.phase()))?;
        Ok(measured)
    };
    if ground.lab.pace() == Pace::Careful {
        // A first, unmeasured pair: what is read for the first time comes from disk, which the ratio must not
        // include.
        Pairs::hold(1, once)?;
    }
    let contest = Pairs::hold(ground.pairs, once)?;
    Ok(contest.row(Label {
        kind: Kind::Step,
        id: format!("{} {}", step.phase(), scenario.id()),
        title: scenario.title(site),
        files: site.amounts.files,
        place: ground.place.clone(),
        target: None,
    }))
}
