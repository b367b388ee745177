//! `lockstep doctor`: whether a repository is set up so that runs will go through, and what to do where it is not.
//!
//! A refspec that overwrites notes, a hook that git silently skips or a misspelt key shows itself weeks later, as
//! something lost. Looking turns the repository into plain facts, judging them is pure, and nothing is changed.

mod check;
mod facts;
mod judge;
mod look;
mod report;

use camino::Utf8PathBuf;
use phase::Console;

use check::{Check, State};

/// Check a repository's set-up, and say what to do about what is wrong.
///
/// Each check is a line: ok, warn or bad. Nothing is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: Utf8PathBuf,

    /// Do not ask the remote whether it answers.
    #[arg(long)]
    offline: bool,

    /// Write the checks as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  lockstep doctor --repo ~/claudetools
  lockstep doctor --offline
  lockstep doctor --json | jq -r '.checks[] | select(.state != \"ok\") | .help'

Exit codes: 0 nothing is bad; 1 something is.";

/// Looks, judges and tells.
pub fn run(args: &Doctor, console: &Console) -> anyhow::Result<u8> {
    let mut checks = match look::look(&args.repo, !args.offline) {
        Ok(facts) => judge::judge(&facts),
        Err(fault) => {
            let help = fault.remedy().unwrap_or("name a repository with --repo DIR");
            vec![Check::bad("repository", fault.message(), help)]
        }
    };
    checks.extend(judge::binaries(&look::binaries()));
    let mut page = console.page();
    if args.json {
        page.line(report::json(&checks));
    } else {
        report::draw(&checks, &mut page);
    }
    console.say(&page)?;
    Ok(u8::from(checks.iter().any(|check| check.state == State::Bad)))
}
