//! Defines the command line of `notesurface`.

use std::cell::OnceCell;

use phase::CommonArgs;

use crate::pointer::Advance;

/// Show the notes that other people left for this user in the session logs that were fetched.
///
/// A note is a section `## Note for NAME` or `## Message for NAME` of a session log; "all", "everyone" and "team"
/// mean everybody. Each note is shown once: refs/lockstep/surfaced marks the commit up to which they have been.
#[derive(Debug, clap::Parser)]
#[command(version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Notesurface {
    /// Show the notes added after this revision, even if shown before.
    #[arg(long, value_name = "REV", group = "range")]
    pub since: Option<String>,

    /// Show all notes.
    #[arg(long, group = "range")]
    pub all: bool,

    /// Show the notes that have not been shown yet, without marking them as shown.
    #[arg(long, group = "range")]
    pub pending: bool,

    /// Like --pending, but never create or move refs/lockstep/surfaced.
    #[arg(long, group = "range")]
    pub dry_run: bool,

    /// The options of every phase.
    #[command(flatten)]
    pub common: CommonArgs,

    /// What to do other than show notes.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How to move the pointer once the notes were written out.
    #[arg(skip)]
    pub(crate) advance: OnceCell<Advance>,
}

/// What to do other than show notes.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Mark notes as shown: up to where the run in the document on stdin has looked for them, or else all.
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
