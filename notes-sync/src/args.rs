//! Defines the command line of `notes-sync`.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use camino::Utf8PathBuf;
use phase::{Color, CommonArgs, Fault, LockArgs};

use gix::Repository;

use crate::{
    ahead::Ahead,
    look::Rescue,
    settings,
    strategy::Strategy,
    sync::{Direction, Policy},
};

/// Fetch, merge and push notes refs, so that every clone gets all notes and none is lost.
#[derive(Debug, clap::Parser)]
#[command(name = "notes-sync", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Change local notes, outside of any run.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Sync, as a phase of a run.
    #[command(flatten)]
    pub sync: SyncArgs,
}

const EXAMPLES: &str = "\
Examples:
  notes-sync                       the notes below refs/notes/mem, in and out
  notes-sync --no-push             as a session begins: bring them in
  notes-sync --dry-run             see what would be fetched and merged
  notes-sync --ref commits --strategy union
  notes-sync append --ref mem/decisions -m 'We keep the old parser.'
  notes-sync merge --ref mem/decisions refs/notes/origin/mem/decisions";

/// The options of the phase.
#[derive(Debug, clap::Args)]
pub struct SyncArgs {
    /// The notes refs to sync, as globs; refs/notes/ may be omitted [default: git config lockstep.notesRef, else
    /// refs/notes/mem/*].
    #[arg(long = "ref", value_name = "GLOB", num_args = 1..)]
    pub refs: Vec<String>,

    /// The remote [default: that of the current branch, else origin, else remote.pushDefault, else the only one].
    #[arg(long, value_name = "NAME")]
    pub remote: Option<String>,

    /// How to combine a note that both sides changed: cat_sort_uniq, union, ours, theirs or records [default: git
    /// config, else cat_sort_uniq].
    #[arg(long, value_name = "STRATEGY")]
    pub strategy: Option<Strategy>,

    /// Fetch and merge notes, but do not push them.
    #[arg(long)]
    pub no_push: bool,

    /// How many attempts to make when others push at the same time.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub attempts: u32,

    /// Only show what would be done; the remote is asked for its refs.
    #[arg(long)]
    pub dry_run: bool,

    /// Do not restore notes that a concurrent `git notes` dropped from a ref.
    #[arg(long)]
    pub no_rescue: bool,

    /// The options of every phase.
    #[command(flatten)]
    pub common: CommonArgs,

    /// The options for the lock.
    #[command(flatten)]
    pub lock: LockArgs,

    #[arg(skip)]
    pub(crate) foresight: Foresight,
}

/// The prefetch of local commits that was started while the document was awaited.
#[derive(Clone, Default)]
pub struct Foresight(Arc<Mutex<Option<Ahead>>>);

impl Foresight {
    /// Starts the prefetch, unless nothing is going to be pushed. Errors are ignored here: the run meets them again
    /// and reports them.
    pub(crate) fn begin(&self, args: &SyncArgs, repo: &Repository) {
        if args.dry_run || args.no_push {
            return;
        }
        let begun = || {
            Ahead::early(repo, &args.policy(repo)?.globs, &settings::remote(repo, args.remote.as_deref())?)
        };
        *self.locked() = begun().ok().flatten();
    }

    /// Takes the prefetch, if one was started; `None` from the second call on.
    pub(crate) fn take(&self) -> Option<Ahead> {
        self.locked().take()
    }

    fn locked(&self) -> MutexGuard<'_, Option<Ahead>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Foresight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foresight").field("began", &self.locked().is_some()).finish()
    }
}

/// What to do outside of a run.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Merge notes into a local ref, as `git notes merge` does.
    Merge(MergeArgs),
    /// Append text to a note, safely while others write it.
    Append(AppendArgs),
}

/// The options of `merge`.
#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// The notes ref to merge into.
    #[arg(long = "ref", value_name = "REF")]
    pub into: String,

    /// How to combine a note that both sides changed [default: git config, else cat_sort_uniq].
    #[arg(long, short, value_name = "STRATEGY")]
    pub strategy: Option<Strategy>,

    /// The notes to merge: a notes ref, or any other revision.
    #[arg(value_name = "FROM")]
    pub from: String,

    /// The options of both commands.
    #[command(flatten)]
    pub tool: ToolArgs,
}

/// The options of `append`.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("text").required(true)))]
pub struct AppendArgs {
    /// The notes ref.
    #[arg(long = "ref", value_name = "REF")]
    pub name: String,

    /// The object that the note is about.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub object: String,

    /// The text; if given several times, each becomes a paragraph.
    #[arg(short, long, value_name = "TEXT", group = "text")]
    pub message: Vec<String>,

    /// A file with the text; - is stdin.
    #[arg(short = 'F', long, value_name = "FILE", group = "text")]
    pub file: Option<Utf8PathBuf>,

    /// Read the text from stdin.
    #[arg(value_name = "-", group = "text", value_parser = ["-"])]
    pub stdin: Option<String>,

    /// The options of both commands.
    #[command(flatten)]
    pub tool: ToolArgs,
}

/// The options of the commands that are not phases.
#[derive(Debug, clap::Args)]
pub struct ToolArgs {
    /// A directory in the repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repo: Utf8PathBuf,

    /// How long to keep trying while others write the same notes.
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = phase::duration)]
    pub wait: Duration,

    /// Print errors only.
    #[arg(short, long)]
    pub quiet: bool,

    /// When to use colour.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
}

impl SyncArgs {
    /// Returns the policy that the options and the repository's configuration ask for.
    ///
    /// # Errors
    /// A fault with exit 78 if the configuration is wrong.
    pub fn policy(&self, repo: &gix::Repository) -> Result<Policy, Fault> {
        Ok(Policy {
            globs: settings::globs(repo, &self.refs)?,
            direction: if self.no_push { Direction::In } else { Direction::Both },
            attempts: self.attempts,
            rescue: if self.no_rescue { Rescue::Leave } else { Rescue::Merge },
        })
    }
}
