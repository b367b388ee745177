//! Defines the command line of `cmdcopy`.

use camino::Utf8PathBuf;
use phase::{CommonArgs, LockArgs};

/// Copy .claude/commands/*.md of the repository to ~/.claude/commands.
///
/// Only files that differ are written, each atomically. A file that the user has changed is first saved as
/// NAME.md.bak; a target that is a link, or read-only, is left alone.
#[derive(Debug, clap::Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Cmdcopy {
    /// The directory to copy from [default: .claude/commands of the working tree].
    #[arg(long, value_name = "DIR")]
    pub from: Option<Utf8PathBuf>,

    /// The directory to copy to [default: ~/.claude/commands].
    #[arg(long, value_name = "DIR")]
    pub to: Option<Utf8PathBuf>,

    /// Remove commands that were copied from the same directory before, are gone from it, and were not edited since.
    #[arg(long)]
    pub prune: bool,

    /// Only show what would be done.
    #[arg(long)]
    pub dry_run: bool,

    /// The options for the lock.
    #[command(flatten)]
    pub lock: LockArgs,

    /// The options of every phase.
    #[command(flatten)]
    pub common: CommonArgs,
}

const EXAMPLES: &str = "\
Examples:
  cmdcopy --dry-run             see what would be copied
  cmdcopy --prune               copy, and remove what is gone from there
  cmdcopy --to ~/laptop/.claude/commands";
