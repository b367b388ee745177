//! The command line of `gitsync`, and the policies for the main repository and for the vault that follow from it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Parser;
use gix::bstr::BString;
use gix::pathspec::MagicSignature;
use phase::{CommonArgs, Fault, LockArgs, Turn};
use scan::{Ahead, Everything};

use crate::policy::{Commit, Policy, Pull, Push};
use crate::worktree::Trash;

/// Commit everything, fetch, rebase, update the working tree and push; then the same for the vault.
#[derive(Debug, Clone, Parser)]
#[command(name = "gitsync", version, after_help = EXAMPLES)]
pub struct Args {
    /// Use TEXT as the commit message [default: sync: auto-sync from HOST at TIME].
    #[arg(short, long, value_name = "TEXT")]
    pub message: Option<String>,

    /// Do not commit; stop if incoming changes touch uncommitted files.
    #[arg(long, conflicts_with_all = ["message", "only"])]
    pub no_commit: bool,

    /// Commit only what matches the given pathspecs, and leave everything else as it is, staged or not; commit
    /// nothing in the vault.
    #[arg(long, value_name = "PATHSPEC", num_args = 1..)]
    pub only: Vec<String>,

    /// Do not fetch or rebase.
    #[arg(long)]
    pub no_pull: bool,

    /// Do not push.
    #[arg(long)]
    pub no_push: bool,

    /// How many attempts to make when the remote or a local file changes during the run.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub attempts: u32,

    /// Give up after this long without a byte from the remote [default: git's http.lowSpeedTime, else 30s].
    #[arg(long, value_name = "TIME", value_parser = phase::duration)]
    pub stall: Option<Duration>,

    /// The vault, a second repository to sync [default: vault_path of .claude/identity.json].
    #[arg(long, value_name = "DIR", conflicts_with = "no_vault")]
    pub vault: Option<Utf8PathBuf>,

    /// Do not sync the vault.
    #[arg(long)]
    pub no_vault: bool,

    /// Show what would be done, without changing anything.
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub(crate) common: CommonArgs,

    #[command(flatten)]
    pub(crate) lock: LockArgs,

    #[arg(skip)]
    pub(crate) leavings: Rest,

    #[arg(skip)]
    pub(crate) foresight: Foresight,
}

/// Replaced files that are still being removed. Dropping the command line waits for their removal: that happens last,
/// when the next phase is already at work.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rest(Arc<Mutex<Vec<Trash>>>);

impl Rest {
    /// Keeps `leavings` until the command line is dropped.
    pub fn take_over(&self, leavings: Vec<Trash>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(leavings);
    }
}

/// The scan of the working tree that was started while the run document was awaited.
#[derive(Debug, Clone, Default)]
pub(crate) struct Foresight(Arc<Mutex<Option<Ahead>>>);

impl Foresight {
    /// Starts a scan of everything as soon as the `turn` has come, unless nothing is to be committed or this is a dry
    /// run.
    pub fn begin(&self, args: &Args, repo: &gix::Repository, turn: Turn) {
        if !args.no_commit && !args.dry_run {
            let ahead = Ahead::begin(repo, Everything, move || turn.has_come());
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ahead;
        }
    }

    /// Returns the scan that was started, the first time that it is called.
    pub fn take(&self) -> Option<Ahead> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

const EXAMPLES: &str = "\
Examples:
  gitsync                          sync the repository around you
  gitsync --no-push --fresh        bring in what the others did
  gitsync --dry-run                see what would happen
  gitsync --only session-logs/today.md -m 'notes of today'
  lock acquire | gitsync | notes-sync | lock release";

impl Args {
    /// Returns the policy for the main repository, `repo`, whose working tree is at `root`.
    ///
    /// # Errors
    /// A fault with exit 1 where a pathspec is invalid or leads out of the working tree.
    pub fn policy(&self, repo: &gix::Repository, root: &Path) -> anyhow::Result<Policy> {
        let message = self.message.clone();
        let commit = if self.no_commit {
            Commit::Nothing
        } else if self.only.is_empty() {
            Commit::Everything { message }
        } else {
            Commit::Only { pathspecs: self.pathspecs(repo, root)?, message }
        };
        Ok(self.with(commit))
    }

    /// Returns the policy for the vault. `--only` names no files of the vault, so with it nothing is committed there.
    pub fn vault_policy(&self) -> Policy {
        let commit = if self.no_commit || !self.only.is_empty() {
            Commit::Nothing
        } else {
            Commit::Everything { message: self.message.clone() }
        };
        self.with(commit)
    }

    fn with(&self, commit: Commit) -> Policy {
        Policy {
            commit,
            pull: if self.no_pull { Pull::No } else { Pull::Wanted },
            push: if self.no_push { Push::No } else { Push::Wanted },
            attempts: self.attempts,
            stall: self.stall,
        }
    }

    /// Returns the pathspecs relative to the root of the working tree; on the command line they are relative to
    /// `--repo` or the current directory, and the environment says how they are meant; see `GIT_LITERAL_PATHSPECS` in
    /// <https://git-scm.com/docs/git>.
    fn pathspecs(&self, repo: &gix::Repository, root: &Path) -> anyhow::Result<Vec<BString>> {
        let typed_in = phase::from_here(self.common.repo.as_deref().unwrap_or(Utf8Path::new(".")))?;
        let prefix = typed_in
            .canonicalize()?
            .strip_prefix(root.canonicalize()?)
            .map(Path::to_owned)
            .unwrap_or_default();
        let defaults = crate::stage::pathspec_defaults(repo)?;
        let root = phase::real_path(root)?.into_std_path_buf();
        self.only
            .iter()
            .map(|text| {
                let wrong = |why: String| {
                    Fault::failed(format!("'{text}' is no pathspec of this work tree: {why}")).help(
                        "a pathspec is a path or a pattern such as 'notes/*.md'; see `git help glossary`",
                    )
                };
                let mut pattern = gix::pathspec::parse(text.as_bytes(), defaults)
                    .map_err(|error| wrong(error.to_string()))?;
                // The root of all directories is not within the work tree, though gix takes it for the tree's.
                if pattern.path().is_empty() && pattern.signature.contains(MagicSignature::MUST_BE_DIR) {
                    return Err(wrong("the path leads out of it".into()).into());
                }
                pattern.normalize(&prefix, &root).map_err(|error| wrong(error.to_string()))?;
                Ok(pattern.to_bstring())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Args {
        Args::try_parse_from(std::iter::once("gitsync").chain(args.iter().copied()))
            .expect("the line is right")
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Args::command().debug_assert();
    }

    #[test]
    fn by_default_everything_is_committed_pulled_and_pushed() {
        let policy = parse(&[]).vault_policy();
        assert_eq!(policy.commit, Commit::Everything { message: None });
        assert_eq!((policy.pull, policy.push, policy.attempts), (Pull::Wanted, Push::Wanted, 10));
    }

    #[test]
    fn pathspecs_of_the_main_repository_commit_nothing_in_the_vault() {
        assert_eq!(parse(&["--only", "a", "b"]).vault_policy().commit, Commit::Nothing);
    }

    #[test]
    fn to_commit_nothing_and_to_say_what_is_to_be_committed_is_a_contradiction() {
        assert!(Args::try_parse_from(["gitsync", "--no-commit", "-m", "x"]).is_err());
        assert!(Args::try_parse_from(["gitsync", "--attempts", "0"]).is_err());
    }
}
