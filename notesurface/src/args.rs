//! The options of `notesurface`.

use std::cell::OnceCell;

use phase::CommonArgs;

use crate::pointer::Advance;

/// Show the notes that other people left for this user in the session logs that came in.
///
/// A note is a section `## Note for NAME` or `## Message for NAME` of a session log; "all", "everyone" and "team" mean
/// everybody. Each is shown once: refs/lockstep/surfaced says up to where they have been.
#[derive(Debug, clap::Parser)]
#[command(version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Notesurface {
    /// Show the notes that came after this revision, also those shown before.
    #[arg(long, value_name = "REV", group = "range")]
    pub since: Option<String>,

    /// Show all notes that there are.
    #[arg(long, group = "range")]
    pub all: bool,

    /// Show what has not been shown yet, and let the next run show it again.
    #[arg(long, group = "range")]
    pub pending: bool,

    /// As --pending, and leave the pointer alone in every other way too.
    #[arg(long, group = "range")]
    pub dry_run: bool,

    /// The options of every phase.
    #[command(flatten)]
    pub common: CommonArgs,

    /// Another thing to do than to show notes.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How the pointer moves once the notes were written out.
    #[arg(skip)]
    pub(crate) advance: OnceCell<Advance>,
}

/// Another thing to do than to show notes.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Count what came in as shown: where the document has notes, as far as they were looked for; else everything.
    Ack {
        /// The options of every phase.
        #[command(flatten)]
        common: CommonArgs,
    },
}

const EXAMPLES: &str = "\
Examples:
  gitsync | notesurface           sync, and show what others wrote
  notesurface --pending           look without counting it as shown
  notesurface --since HEAD~50     look back
  notesurface ack                 count everything as shown
  notesurface --pending -q | tee run.json | jq '.phases.notesurface.notes'
  notesurface ack <run.json       count as shown what was in that document";
