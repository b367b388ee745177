//! `lockstep doctor`: checks whether runs will succeed in a repository, and says how to fix what is wrong.
//!
//! A refspec that overwrites notes, a hook that git silently skips or a misspelt key shows its effect weeks later, as
//! something lost. The repository is first turned into plain facts, which are then judged without side effects;
//! nothing is changed.

mod check;
mod facts;
mod judge;
mod look;
mod report;

use camino::Utf8PathBuf;
use phase::Console;

use check::{Check, State};

/// Check a repository's set-up, and say how to fix what is wrong.
///
/// Prints one line per check: ok, warn or bad. Nothing is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: Utf8PathBuf,

    /// Do not contact the remote.
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

/// Gathers the facts, judges them and prints the checks.
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
