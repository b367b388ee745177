//! `logcheck`: finds uncommitted session logs before they are swept into a generic commit.
//!
//! A session log describes what a session was about. If the sync committed it unseen, it would go out as "sync:
//! auto-sync", and nobody would come back to write a proper commit message. So the run stops first, or runs a command
//! that saves the logs.

mod args;
mod ask;
mod look;
mod plan;
mod report;
mod save;

use std::sync::Arc;

use contract::{Decision, Exit, LogcheckSection};
use phase::{CommonArgs, Done, Fault, LockUse, Looked, Page, Phase, Run, SessionLogs, Turn, amount};

pub use args::{Logcheck, OnFound};
use plan::{Policy, Step};

impl Phase for Logcheck {
    type Section = LogcheckSection;

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn holding(&self) -> LockUse<'_> {
        LockUse::Joins
    }

    fn look_ahead(&self, repo: &gix::Repository, turn: Option<Turn>) -> Looked {
        self.ahead.replace(turn.and_then(|turn| look::ahead(repo, turn)));
        Looked::AtObjects
    }

    fn work(&self, run: &Run<'_>) -> anyhow::Result<Done<LogcheckSection>> {
        run.worktree()?;
        let logs = Arc::new(SessionLogs::of(run.repo())?);
        let (progress, guard) = (run.progress(), run.guard());
        let looked_at = |files: usize| {
            guard.alive();
            progress.set(|| format!("session logs: {} looked at", amount::of(files as u64, "file")));
        };
        let ahead = self.ahead.take().filter(|_| run.was_expected());
        let found = plan::found(look::changes(run.repo(), &logs, ahead, &looked_at)?)?;
        let step = plan::step(&found, &self.policy(run));

        if !found.is_empty() {
            let mut page = run.page();
            report::warning(&found, &mut page);
            match step {
                Step::Ask { .. } => run.ask_about(&page)?,
                _ => run.say(&page)?,
            }
        }
        let step = match step {
            Step::Ask { save_command } if !self.dry_run => plan::answered(ask::ask()?, save_command),
            other => other,
        };
        let section = LogcheckSection { found, decision: plan::decision(&step), ..Default::default() };
        if self.dry_run {
            return Ok(Done::ok(section));
        }
        self.take(run, step, section)
    }

    fn report(&self, section: &LogcheckSection, page: &mut Page) {
        report::decision(section, page);
    }
}

impl Logcheck {
    /// Returns what to do about logs, according to the command line and the configuration.
    fn policy(&self, run: &Run<'_>) -> Policy {
        let configured = || run.repo().config_snapshot().string("lockstep.saveCommand");
        let save_command = self.save_command.clone().or_else(|| configured().map(|line| line.to_string()));
        Policy {
            on_found: self.on_found,
            save_command: save_command.filter(|line| !line.trim().is_empty()),
            someone_to_ask: !self.common.quiet && ask::is_possible(),
        }
    }

    fn take(
        &self,
        run: &Run<'_>,
        step: Step,
        section: LogcheckSection,
    ) -> anyhow::Result<Done<LogcheckSection>> {
        let count = section.found.len();
        match step {
            Step::Nothing | Step::Proceed => Ok(Done::ok(section)),
            Step::Stop | Step::Ask { .. } => Ok(Done::fault(section, plan::unsaved(count))),
            Step::SaveUnconfigured => Ok(Done::fault(section, plan::no_save_command(count))),
            Step::Save(line) => match save::save(run, &line)? {
                save::Ended::Well => {
                    let section = LogcheckSection { decision: Decision::Saved, ..section };
                    Ok(Done::saved(section))
                }
                save::Ended::Badly(how) => {
                    let fault = Fault::new(Exit::Unsaved, format!("the save command `{line}` {how}"))
                        .help("save the session logs by hand, then sync again");
                    Ok(Done::fault(section, fault))
                }
            },
        }
    }
}
