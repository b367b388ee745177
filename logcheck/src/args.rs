//! Defines the command line of `logcheck`.

use std::cell::RefCell;

use phase::CommonArgs;
use scan::Ahead;

/// Find uncommitted session logs, and stop the run so that they can be saved first.
///
/// A session log is a file whose path matches `(^|[^A-Za-z0-9_])session-logs/.*\.md$`, or the regular expressions of
/// git config `lockstep.sessionLogs` if there are any.
#[derive(Debug, clap::Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Logcheck {
    /// What to do if session logs are found [default: ask on a terminal, else stop].
    #[arg(long, value_enum, value_name = "WHAT")]
    pub on_found: Option<OnFound>,

    /// The shell command that saves session logs and syncs [default: git config lockstep.saveCommand].
    #[arg(long, value_name = "COMMAND")]
    pub save_command: Option<String>,

    /// Only report what was found and what would be done about it; the run goes on.
    #[arg(long)]
    pub dry_run: bool,

    /// The options of every phase.
    #[command(flatten)]
    pub common: CommonArgs,

    /// The scan of the working tree that was started while the document was awaited.
    #[arg(skip)]
    pub(crate) ahead: RefCell<Option<Ahead>>,
}

/// What to do if session logs are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnFound {
    /// End the run with exit code 3, so that they can be saved.
    Stop,
    /// Let the automatic commit include them.
    Proceed,
    /// Ask on the terminal; stop if there is none.
    Ask,
    /// Run the save command, then end the run.
    Save,
}

const EXAMPLES: &str = "\
Examples:
  logcheck                         look, and ask
  logcheck --on-found proceed      look, and let them be committed as they are
  logcheck --on-found save --save-command 'bin/save --sync'
  git config --add lockstep.sessionLogs '(^|/)journal/.*\\.md$'

Exit codes: 0 none found, or proceed, or saved; 3 they are to be saved first.";
