//! Builds the command lines that are measured: the baseline's, git's, and ours.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use super::{fixture::Fixture, history::NOTES, notes, sandbox::Sandbox};
use crate::binaries::Binaries;

/// One of the two sides that do the same work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The shell script, or git.
    Theirs,
    /// Lockstep, or one of its phases.
    Ours,
}

/// The programs of both sides.
#[derive(Debug)]
pub struct Sides<'a> {
    /// Where they work.
    pub lab: &'a Sandbox,
    /// The shell script that does a whole run.
    pub baseline: Utf8PathBuf,
    /// The shell script that does single steps of it.
    pub steps: Utf8PathBuf,
    /// Our binaries.
    pub binaries: Binaries,
}

/// A step that is measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `logcheck`, and `git status --porcelain` piped into `grep`.
    Logs,
    /// `gitsync`, and git's status, add, commit, fetch, rebase and push.
    Branch,
    /// `notes-sync`, and git's fetch, notes merge and push.
    Notes,
    /// `notesurface`, and git's diff piped into awk.
    Messages,
}

impl Step {
    /// Returns the phase that does it.
    pub fn phase(self) -> &'static str {
        match self {
            Self::Logs => "logcheck",
            Self::Branch => "gitsync",
            Self::Notes => "notes-sync",
            Self::Messages => "notesurface",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Branch => "branch",
            Self::Notes => "notes",
            Self::Messages => "messages",
        }
    }
}

impl Sides<'_> {
    /// Returns the command of a whole run on a clone, including notes, messages and commands.
    pub fn whole(&self, side: Side, clone: &Utf8PathBuf) -> Command {
        match side {
            Side::Theirs => {
                let mut command = self.lab.command("bash", clone);
                let commands = self.lab.home().join(".claude/commands");
                command.args([self.baseline.as_str(), clone.as_str(), "--notes", "refs/notes/mem/*"]);
                command.args(["--user", "mike", "--commands-to", commands.as_str(), "--proceed"]);
                command
            }
            Side::Ours => {
                let mut command = self.ours("lockstep", clone);
                command.args(["full-run", "--proceed", "--repo", clone.as_str()]);
                command
            }
        }
    }

    /// Returns the command that merges two local notes refs in a bare repository.
    pub fn merge(&self, side: Side, repository: &Utf8Path) -> Command {
        let strategy = "cat_sort_uniq";
        match side {
            Side::Theirs => {
                let mut command = self.lab.command("git", repository);
                command.args(["notes", "--ref", notes::LOCAL, "merge", "--quiet", "--strategy", strategy]);
                command.arg(notes::REMOTE);
                command
            }
            Side::Ours => {
                let mut command = self.ours("notes-sync", repository);
                command.args(["merge", "--quiet", "--ref", notes::LOCAL, "--strategy", strategy]);
                command.arg(notes::REMOTE);
                command
            }
        }
    }

    /// Returns the command of one of our binaries, by its name instead of its path.
    ///
    /// Of a program that is started by its path, Linux counts the memory of the parent process as well (it is started
    /// by `vfork`, within the parent's memory); git is started by its name.
    pub fn ours(&self, name: &str, directory: &Utf8Path) -> Command {
        let mut command = self.lab.command(name, directory);
        let here = self.binaries.path(name);
        let here = here.parent().map(|folder| folder.as_std_path().to_owned());
        let path = std::env::var_os("PATH").unwrap_or_default();
        if let Ok(path) = std::env::join_paths(here.into_iter().chain(std::env::split_paths(&path))) {
            command.env("PATH", path);
        }
        command
    }

    /// Returns the command of one step; `since` is the clone's commit before new commits were pulled.
    pub fn step(&self, side: Side, step: Step, site: &Fixture<'_>, since: &str) -> Command {
        match side {
            Side::Theirs => {
                let mut command = self.lab.command("bash", &site.clone);
                command.args([self.steps.as_str(), step.word(), NOTES, since]);
                command
            }
            Side::Ours => {
                let mut command = self.ours(step.phase(), &site.clone);
                command.args(["--fresh", "--json", "--quiet"]);
                match step {
                    Step::Logs => command.arg("--on-found=proceed"),
                    Step::Branch => command.arg("--no-vault"),
                    Step::Notes => &mut command,
                    Step::Messages => command.args(["--since", since]),
                };
                command
            }
        }
    }
}
