//! `lockstep bench`: measures whole runs and single phases against a shell script and git that do the same work.
//!
//! Within one measurement both sides alternate and begin each time with the same state, and the results are checked:
//! a run that did not do the work does not count. Otherwise the fastest sync would be the one that fails first.

mod amounts;
mod charts;
mod context;
mod fixture;
mod history;
mod machine;
mod many_clones;
mod measure;
mod merges;
mod notes;
mod options;
mod pairs;
mod phases;
mod results;
mod sandbox;
mod scenario;
mod servers;
mod sides;
mod snapshot;
mod start;
mod stats;
mod svg;
mod table;
mod whole;
mod wire;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use phase::Console;

use crate::{
    binaries::{self, Binaries},
    cargo::{Profile, Workspace},
    steps,
};
use amounts::Amounts;
use context::BenchContext;
use machine::Machine;
pub use options::Bench;
use options::What;
use results::{Results, Row};
use sandbox::{Pace, Sandbox};
use scenario::Scenario;
use sides::Sides;

/// Measures what is asked for, prints each row as soon as it is complete, and saves all of them.
pub fn run(args: &Bench, console: &Console) -> anyhow::Result<u8> {
    let workspace = Workspace::find()?;
    let lab = Sandbox::new(args.place.as_deref(), if args.quick { Pace::Quick } else { Pace::Careful })?;
    let ground = ground(args, &workspace, &lab)?;
    let machine = Machine::look(&lab)?;
    if machine.was_busy() {
        steps::done(console, "others want the processors as well: ratios hold, times do not")?;
    }
    let out = args.out.clone().or_else(|| (!args.quick).then(|| workspace.root().join("docs/bench")));
    let mut results = match &out {
        Some(out) => Results::read(&out.join(RESULTS), machine)?,
        None => Results { machine, rows: Vec::new() },
    };
    measure(args, &ground, console, &mut |row| {
        steps::done(console, &table::line(&row))?;
        results.add(row);
        // Save after each row, so that a later failure does not lose hours of measurements.
        out.as_ref().map_or(Ok(()), |out| keep(&results, out))
    })?;
    Ok(0)
}

/// The file with the figures, from which the tables and the plots are generated.
const RESULTS: &str = "results.json";

fn keep(results: &Results, out: &Utf8PathBuf) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("{out} could not be made"))?;
    results.write(&out.join(RESULTS))?;
    let page = std::iter::once(("results.md", table::page(results)));
    page.chain(charts::all(results)).try_for_each(|(name, text)| {
        let path = out.join(name);
        std::fs::write(&path, text).with_context(|| format!("{path} could not be written"))
    })
}

fn ground<'a>(args: &Bench, workspace: &Workspace, lab: &'a Sandbox) -> anyhow::Result<BenchContext<'a>> {
    let binaries = match &args.binaries {
        Some(folder) => Binaries::in_folder(&folder.canonicalize_utf8()?)?,
        None => {
            workspace.build_binaries(Profile::Release)?;
            Binaries::in_folder(&workspace.target(Profile::Release))?
        }
    };
    for name in binaries::ALL {
        let path = binaries.path(name);
        machine::read_anew(&path).with_context(|| format!("{path} cannot be read"))?;
    }
    let named = args.baseline.clone().or_else(|| std::env::var("LOCKSTEP_BASELINE").ok().map(Into::into));
    let own = workspace.root().join("bench");
    let baseline = named.unwrap_or_else(|| own.join("sync.sh"));
    let baseline = baseline.canonicalize_utf8().with_context(|| format!("{baseline} is not there"))?;
    Ok(BenchContext {
        lab,
        sides: Sides { lab, baseline, steps: own.join("steps.sh"), binaries },
        place: machine::file_system(lab.root()),
        pairs: args.pairs(),
        few_pairs: args.few_pairs(),
    })
}

fn measure(
    args: &Bench,
    ground: &BenchContext<'_>,
    console: &Console,
    take: &mut dyn FnMut(Row) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let amounts = |files| if args.quick { Amounts::quick(files) } else { Amounts::full(files) };
    if args.wants(What::Start) {
        steps::begin(console, "starts")?;
        start::starts(ground, take)?;
    }
    let scenarios = [
        (What::S1, Scenario::NothingToDo),
        (What::S2, Scenario::OneFileChanged),
        (What::S3, Scenario::Incoming),
        (What::S4, Scenario::Diverged),
        (What::S5, Scenario::Notes),
    ];
    let wanted: Vec<Scenario> =
        scenarios.into_iter().filter(|(what, _)| args.wants(*what)).map(|(_, scenario)| scenario).collect();
    let sizes = args.sizes();
    let first = sizes.first().copied().context("no size of repositories was given")?;
    for files in sizes {
        if !wanted.is_empty() || args.wants(What::Steps) {
            steps::begin(console, &format!("{} files", table::thousands(files)))?;
        }
        whole::scenarios(ground, amounts(files), &wanted, take)?;
        if args.wants(What::Steps) {
            phases::steps(ground, amounts(files), take)?;
        }
    }
    if args.wants(What::Merge) {
        steps::begin(console, "notes to merge")?;
        merges::rows(ground, take)?;
    }
    if args.wants(What::Wire) {
        steps::begin(console, "ssh and http")?;
        match servers::missing() {
            Some(name) => steps::done(
                console,
                &format!("left out, since there is no {name}: apt-get install openssh-server nginx fcgiwrap"),
            )?,
            None => wire::rows(ground, amounts(first), take)?,
        }
    }
    if args.wants(What::S6) {
        steps::begin(console, "many clones at once")?;
        take(many_clones::row(ground, amounts(first))?)?;
    }
    if args.wants(What::Scale) {
        steps::begin(console, "nothing to do, at several sizes")?;
        for files in args.scales() {
            take(whole::scale(ground, amounts(*files))?)?;
        }
    }
    Ok(())
}
