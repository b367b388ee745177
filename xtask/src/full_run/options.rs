//! The options of a full run, and the steps that each of them is for.
//!
//! Each is passed on under the name that it has in the step, unless two steps would claim that name. Values that a
//! step would reject are rejected here already: the steps start concurrently, and by the time a late one complains
//! about its options an early one may have pushed.

use std::ffi::OsString;

use camino::Utf8PathBuf;
use phase::Color;

use super::pipeline::{Messages, Plan, Reports, Step};
use crate::binaries::Binaries;

/// Sync a repository, its vault and its notes, in one run with one report.
///
/// Takes the lock, looks for uncommitted session logs, commits, fetches, rebases and pushes, merges notes, shows
/// incoming messages, copies commands, and releases the lock.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct FullRun {
    /// The repository [default: the one around the current directory].
    #[arg(long, value_name = "DIR")]
    pub repo: Option<Utf8PathBuf>,

    /// Sync a playground created in a temporary directory, and show where to look.
    #[arg(long, conflicts_with = "repo")]
    pub demo: bool,

    /// Show what would be done, without changing anything; each step prints its own plan.
    #[arg(long)]
    pub dry_run: bool,

    /// Write the run document to stdout instead of the report.
    #[arg(long)]
    pub json: bool,

    /// Report only messages and errors; show no progress.
    #[arg(short, long)]
    pub quiet: bool,

    /// Keep messages from other people for an interactive run: report only how many there are.
    #[arg(long)]
    pub keep_messages: bool,

    /// When to use colour.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,

    /// How long to wait while another run holds the lock [default: 120s].
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Lock")]
    pub wait: Option<String>,

    /// How long another run's lock may show no sign of life before it counts as stale [default: 10m].
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Lock")]
    pub stale_after: Option<String>,

    /// What to do if session logs are found [default: ask on a terminal, else stop].
    #[arg(long, value_name = "WHAT", value_parser = ["stop", "proceed", "ask", "save"], help_heading = "Session logs")]
    pub on_found: Option<String>,

    /// Short for `--on-found proceed`.
    #[arg(long, conflicts_with = "on_found", help_heading = "Session logs")]
    pub proceed: bool,

    /// The shell command that saves session logs and syncs [default: git config lockstep.saveCommand].
    #[arg(long, value_name = "COMMAND", help_heading = "Session logs")]
    pub save_command: Option<String>,

    /// Use TEXT as the commit message [default: sync: auto-sync from HOST at TIME].
    #[arg(short, long, value_name = "TEXT", help_heading = "Repository")]
    pub message: Option<String>,

    /// Commit only what matches the pathspec, and leave everything else as it is, staged or not; commit nothing in
    /// the vault. May be given several times.
    #[arg(long, value_name = "PATHSPEC", help_heading = "Repository")]
    pub only: Vec<String>,

    /// Do not commit; stop if incoming changes touch uncommitted files.
    #[arg(long, conflicts_with_all = ["message", "only"], help_heading = "Repository")]
    pub no_commit: bool,

    /// Do not fetch or rebase commits; notes are still fetched.
    #[arg(long, help_heading = "Repository")]
    pub no_pull: bool,

    /// Push neither commits nor notes.
    #[arg(long, help_heading = "Repository")]
    pub no_push: bool,

    /// How many attempts to make when the remote or a local file changes during the run [default: 10].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Repository")]
    pub attempts: Option<u32>,

    /// Give up a fetch or push of commits after this long without a byte from the remote [default: git's
    /// http.lowSpeedTime, else 30s].
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Repository")]
    pub stall: Option<String>,

    /// The vault, a second repository to sync [default: vault_path of .claude/identity.json].
    #[arg(long, value_name = "DIR", conflicts_with = "no_vault", help_heading = "Repository")]
    pub vault: Option<String>,

    /// Do not sync the vault.
    #[arg(long, help_heading = "Repository")]
    pub no_vault: bool,

    /// The notes refs to sync, as a glob; refs/notes/ may be omitted; may be given several times [default: git config
    /// lockstep.notesRef, else refs/notes/mem/*].
    #[arg(long = "ref", value_name = "GLOB", help_heading = "Notes")]
    pub refs: Vec<String>,

    /// How to combine a note that both sides changed [default: git config, else cat_sort_uniq].
    #[arg(long, value_name = "NAME", value_parser = STRATEGIES, help_heading = "Notes")]
    pub strategy: Option<String>,
}

/// The strategies for combining notes.
const STRATEGIES: [&str; 5] = ["cat_sort_uniq", "union", "ours", "theirs", "records"];

/// Checks a length of time, and returns it as it was typed.
fn time(text: &str) -> Result<String, String> {
    phase::duration(text).map(|_| text.to_owned())
}

const EXAMPLES: &str = "\
Examples:
  lockstep full-run                           the repository around you
  lockstep full-run --repo ~/tools --proceed  from cron: logs are committed too
  lockstep full-run --json | jq .outcome      for a script
  lockstep full-run --demo                    first, on a playground

Exit codes: 0 done; 1 failed; 3 session logs are to be saved first; 4 conflict;
69 remote unreachable; 75 another run holds the lock; 77 not allowed; 78 wrong
configuration; 130, 143 ended by Ctrl-C, SIGTERM.";

impl FullRun {
    /// Returns the seven steps, each with its options; `owner` is the process that owns the lock.
    pub fn plan(&self, binaries: &Binaries, owner: u32) -> Plan {
        let step = |(name, args)| Step { name, program: binaries.path(name), args };
        let acknowledge = Line::default().word("ack").word("--quiet").word("--json").0;
        let messages = match self.counting() {
            Counting::Later | Counting::Never => Messages::NotShown,
            Counting::InTheDocument => Messages::WrittenThen(step(("notesurface", acknowledge))),
            Counting::WhenShown => Messages::ShownThen(step(("notesurface", acknowledge))),
        };
        // The document contains no plan, so each step prints its own, which is what the user asked for.
        let reports = if self.dry_run && !self.json { Reports::OnStdout } else { Reports::OnStderr };
        let repo = self.repo.clone().unwrap_or_else(|| ".".into());
        Plan { repo, steps: self.arguments(owner).into_iter().map(step).collect(), messages, reports }
    }

    fn counting(&self) -> Counting {
        if self.dry_run {
            // The step that finds the messages prints them, to stderr.
            Counting::Never
        } else if self.keep_messages {
            Counting::Later
        } else if self.json {
            Counting::InTheDocument
        } else {
            Counting::WhenShown
        }
    }

    fn arguments(&self, owner: u32) -> Vec<(&'static str, Vec<OsString>)> {
        let attempts = self.attempts.map(|attempts| attempts.to_string());
        let notes = Line::default().flag("--no-push", self.no_push).flag("--dry-run", self.dry_run);
        let steps = [
            ("lock", self.acquire(owner)),
            ("logcheck", self.logcheck()),
            ("gitsync", self.gitsync()),
            (
                "notes-sync",
                notes
                    .each("--ref", &self.refs)
                    .value("--strategy", self.strategy.as_deref())
                    .value("--attempts", attempts.as_deref()),
            ),
            (
                "notesurface",
                match self.counting() {
                    Counting::InTheDocument | Counting::WhenShown | Counting::Later => {
                        Line::default().word("--pending")
                    }
                    Counting::Never => Line::default().word("--dry-run"),
                },
            ),
            ("cmdcopy", Line::default().flag("--dry-run", self.dry_run)),
            ("lock", Line::default().word("release")),
        ];
        steps.into_iter().map(|(name, line)| (name, self.with_common(line))).collect()
    }

    fn acquire(&self, owner: u32) -> Line {
        // A full run begins a run; it ignores stdin.
        let line = Line::default().word("acquire").word("--fresh");
        self.patience(line.value("--owner-pid", Some(&owner.to_string())))
    }

    /// Adds how long to wait for a lock: the repository's or the vault's.
    fn patience(&self, line: Line) -> Line {
        line.value("--wait", self.wait.as_deref()).value("--stale-after", self.stale_after.as_deref())
    }

    fn logcheck(&self) -> Line {
        let on_found = if self.proceed { Some("proceed") } else { self.on_found.as_deref() };
        Line::default()
            .value("--on-found", on_found)
            .value("--save-command", self.save_command.as_deref())
            .flag("--dry-run", self.dry_run)
    }

    fn gitsync(&self) -> Line {
        let attempts = self.attempts.map(|attempts| attempts.to_string());
        self.patience(Line::default())
            .value("--message", self.message.as_deref())
            .each("--only", &self.only)
            .flag("--no-commit", self.no_commit)
            .flag("--no-pull", self.no_pull)
            .flag("--no-push", self.no_push)
            .value("--attempts", attempts.as_deref())
            .value("--stall", self.stall.as_deref())
            .value("--vault", self.vault.as_deref())
            .flag("--no-vault", self.no_vault)
            .flag("--dry-run", self.dry_run)
    }

    fn with_common(&self, line: Line) -> Vec<OsString> {
        let color = match self.color {
            Color::Auto => None,
            Color::Always => Some("always"),
            Color::Never => Some("never"),
        };
        // The document contains no plan, so in a dry run each step prints its own.
        line.value("--repo", self.repo.as_ref().map(|repo| repo.as_str()))
            .flag("--reported-elsewhere", !self.dry_run)
            .flag("--json", true)
            .flag("--quiet", self.quiet)
            .value("--color", color)
            .0
    }
}

/// When messages count as shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counting {
    /// Once this process has written the document.
    InTheDocument,
    /// Once this process has printed them.
    WhenShown,
    /// In a later run.
    Later,
    /// Not at all.
    Never,
}

/// A command line under construction.
#[derive(Debug, Default)]
struct Line(Vec<OsString>);

impl Line {
    fn word(mut self, word: &str) -> Self {
        self.0.push(word.into());
        self
    }

    fn flag(self, name: &str, given: bool) -> Self {
        if given { self.word(name) } else { self }
    }

    /// Adds an option and its value as one word, so that a value which begins with a dash is not taken for an option.
    fn value(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.word(&format!("{name}={value}")),
            None => self,
        }
    }

    fn each(self, name: &str, values: &[String]) -> Self {
        values.iter().fold(self, |line, value| line.value(name, Some(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(args: &FullRun) -> Vec<String> {
        let line = |(name, args): (&str, Vec<OsString>)| {
            let args = args.iter().map(|arg| arg.to_string_lossy().into_owned());
            let told = args.filter(|arg| !["--reported-elsewhere", "--json"].contains(&arg.as_str()));
            std::iter::once(name.to_owned()).chain(told).collect::<Vec<_>>().join(" ")
        };
        args.arguments(42).into_iter().map(line).collect()
    }

    #[test]
    fn without_options_it_is_the_pipeline_that_a_person_would_type() {
        assert_eq!(
            lines(&FullRun::default()),
            [
                "lock acquire --fresh --owner-pid=42",
                "logcheck",
                "gitsync",
                "notes-sync",
                "notesurface --pending",
                "cmdcopy",
                "lock release"
            ]
        );
    }

    #[test]
    fn each_option_reaches_the_steps_that_it_is_for() {
        let args = FullRun {
            repo: Some("/tools".into()),
            proceed: true,
            no_push: true,
            wait: Some("5s".into()),
            message: Some("--dashing".into()),
            refs: vec!["refs/notes/a".into(), "refs/notes/b/*".into()],
            ..FullRun::default()
        };
        let lines = lines(&args);
        assert_eq!(lines[0], "lock acquire --fresh --owner-pid=42 --wait=5s --repo=/tools");
        assert_eq!(lines[1], "logcheck --on-found=proceed --repo=/tools");
        assert_eq!(lines[2], "gitsync --wait=5s --message=--dashing --no-push --repo=/tools");
        assert_eq!(lines[3], "notes-sync --no-push --ref=refs/notes/a --ref=refs/notes/b/* --repo=/tools");
    }

    #[test]
    fn a_dry_run_is_one_of_every_step_that_changes_something() {
        let lines = lines(&FullRun { dry_run: true, ..FullRun::default() });
        assert_eq!(lines.len(), 7);
        assert!(lines[1..6].iter().all(|line| line.contains("--dry-run")), "{lines:?}");
    }

    #[test]
    fn what_a_step_would_refuse_is_refused_before_the_first_one_starts() {
        #[derive(clap::Parser)]
        struct Parser {
            #[command(flatten)]
            _args: FullRun,
        }
        let parse = |words: &[&str]| {
            <Parser as clap::Parser>::try_parse_from(std::iter::once("full-run").chain(words.iter().copied()))
        };
        for words in [
            ["--no-commit", "--message=mine"],
            ["--no-commit", "--only=a"],
            ["--strategy", "best"],
            ["--attempts", "0"],
            ["--attempts", "many"],
            ["--stall", "soon"],
            ["--wait", "-1s"],
            ["--stale-after", "1d"],
            ["--on-found", "shrug"],
        ] {
            assert!(parse(&words).is_err(), "{words:?}");
        }
        assert!(parse(&["--strategy", "union", "--attempts", "3", "--stall", "5s"]).is_ok());
    }

    #[test]
    fn messages_count_as_shown_where_and_when_they_are() {
        let notesurface =
            |args: &FullRun| lines(args).into_iter().find(|line| line.starts_with("notesurface")).unwrap();
        assert_eq!(notesurface(&FullRun::default()), "notesurface --pending");
        assert_eq!(notesurface(&FullRun { json: true, ..FullRun::default() }), "notesurface --pending");
        let dry = FullRun { json: true, dry_run: true, ..FullRun::default() };
        assert_eq!(notesurface(&dry), "notesurface --dry-run");
    }

    #[test]
    fn every_step_leaves_the_report_to_the_run() {
        for (name, args) in FullRun::default().arguments(42) {
            assert!(args.contains(&"--reported-elsewhere".into()), "{name}");
        }
    }
}
