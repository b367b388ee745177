//! S1 and S2 over ssh and http: measures mainly how often a run connects.

use super::{
    amounts::Amounts,
    context::BenchContext,
    fixture::Fixture,
    results::{Kind, Row},
    scenario::Scenario,
    servers::{Server, Sshd, Web},
    whole::{self, Whole},
};

/// Measures them, and passes each row to `take` as soon as it is complete.
pub fn rows(
    ground: &BenchContext<'_>,
    amounts: Amounts,
    take: &mut dyn FnMut(Row) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (sshd, web) = (Sshd::start(ground.lab)?, Web::start(ground.lab)?);
    for server in [&sshd as &dyn Server, &web] {
        let site = Fixture::new(ground.lab, amounts)?;
        server.connect(&site)?;
        whole::begin(ground, &site)?;
        // One connection and one ref advertisement for branch and notes together, and one more connection to push.
        for (scenario, most) in [(Scenario::NothingToDo, 1.0), (Scenario::OneFileChanged, 2.0)] {
            let whole = Whole::prepared(ground, &site, scenario)?;
            let mut row = whole.row(Kind::Wire, ground.few_pairs)?;
            row.id = format!("{} {}", scenario.id(), server.name());
            row.target = Some(most);
            row.connections = Some(whole.connections(server)?);
            take(row)?;
            whole.undo()?;
        }
        site.remove()?;
    }
    Ok(())
}
