//! `cmdcopy`: copies the commands that a team keeps in its repository to each user's own directory.
//!
//! The target directory belongs to the user, who may have edited the copies there, or written other commands with the
//! same names. So no file is overwritten that is not provably a copy, unless it is backed up first.

mod apply;
mod args;
mod copy;
mod disk;
mod look;
mod place;
mod plan;
mod record;
mod report;

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use contract::{CmdcopySection, Exit};
use phase::{CommonArgs, Done, Fault, LockUse, Page, Phase, Run};

pub use args::Cmdcopy;
use copy::Report;
use look::Target;
use place::Source;
use plan::Gone;
use record::Record;
use report::Tense;

impl Phase for Cmdcopy {
    type Section = CmdcopySection;

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn holding(&self) -> LockUse<'_> {
        if self.dry_run { LockUse::Joins } else { LockUse::Takes(&self.lock) }
    }

    fn work(&self, run: &Run<'_>) -> anyhow::Result<Done<CmdcopySection>> {
        let source = Source::of(self, run)?;
        let folder = place::target(self)?;
        let mut commands = look::commands(&source)?;
        let mut record = Record::read(&run.common_dir(), &folder);
        let copied = record.copied();
        if self.prune && !commands.lead_away {
            let missing = look::not_checked_out(run.repo(), &source, &commands)?;
            let was_copied = |name: &String| copied.from(&source.name).any(|copied| copied == name);
            commands.by_name.extend(missing.into_iter().filter(|(name, _)| was_copied(name)));
        }

        let names: BTreeSet<_> = commands.by_name.keys().chain(copied.commands.keys()).collect();
        let targets = look::targets(&folder, names.into_iter())?;
        let unreadable_targets = targets.iter().filter(|(_, target)| **target == Target::Unreadable);
        let mut unreadable = commands.unreadable.clone();
        unreadable.extend(unreadable_targets.map(|(name, _)| folder.join(name)));
        let gone = if self.prune && !commands.lead_away { Gone::Go(&source.name) } else { Gone::Stay };
        let steps = plan::plan(commands.by_name, &targets, &copied, gone);

        let Report { files, fault } = if self.dry_run {
            Report {
                files: steps.iter().filter_map(|(name, step)| step.prospect(name)).collect(),
                fault: None,
            }
        } else {
            copy::copy(&folder, &mark(run), &source.name, &steps, &mut record, run.guard())?
        };
        let section =
            CmdcopySection { from: source.folder.into(), to: folder.into(), files, ..Default::default() };
        let fault = fault.or_else(|| unnameable(&commands.unnameable)).or_else(|| not_allowed(&unreadable));
        Ok(match fault {
            None => Done::ok(section),
            Some(fault) => Done::fault(section, fault),
        })
    }

    fn report(&self, section: &CmdcopySection, page: &mut Page) {
        report::files(section, if self.dry_run { Tense::Conditional } else { Tense::Past }, page);
    }
}

/// Returns what marks this run's temporary files: the run's id, without the characters that a file name may not
/// contain, and the process id.
fn mark(run: &Run<'_>) -> String {
    let id: String = run.document().run.chars().filter(char::is_ascii_alphanumeric).take(26).collect();
    format!("{id}-{}", std::process::id())
}

fn not_allowed(paths: &[Utf8PathBuf]) -> Option<Fault> {
    let first = paths.first()?;
    let more = if paths.len() > 1 { format!(", and {} more", paths.len() - 1) } else { String::new() };
    let message = format!("{first} cannot be read{more}");
    Some(Fault::new(Exit::NotAllowed, message).help("make it readable for yourself: chmod u+r"))
}

fn unnameable(names: &[String]) -> Option<Fault> {
    (!names.is_empty()).then(|| {
        Fault::failed(format!("commands with names that are not UTF-8: {}", names.join(", ")))
            .help("give them names that are UTF-8")
    })
}
