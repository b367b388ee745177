//! The directory in which everything is measured, with its own home directory and git configuration.
//!
//! With the user's own configuration, an fsmonitor, a credential helper or `core.fsync` would be measured too.

use std::{io::Write as _, process::Stdio};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use phase::programs::program;
use tempfile::TempDir;

/// Git's own defaults, but without automatic maintenance, which could start during a measurement.
const GIT_CONFIG: &str = "\
[user]
	name = Mike
	email = mike@example.com
[init]
	defaultBranch = main
	templateDir =
[gc]
	auto = 0
[maintenance]
	auto = false
";

/// How imported objects are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objects {
    /// In a pack, as after a fetch, a push or a clone.
    Packed,
    /// As loose objects, as after a day's work with git.
    Loose,
}

/// Whether figures are to be exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Before each run, wait until the system is at rest.
    Careful,
    /// Only check that everything works.
    Quick,
}

/// A temporary directory, removed when this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    root: Utf8PathBuf,
    pace: Pace,
    _folder: TempDir,
}

impl Sandbox {
    /// Creates one in `place`, or in the default temporary directory.
    pub fn new(place: Option<&Utf8Path>, pace: Pace) -> anyhow::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("lockstep-bench-");
        let folder = match place {
            Some(place) => builder.tempdir_in(place),
            None => builder.tempdir(),
        };
        let folder = folder.context("no temporary folder could be made to measure in")?;
        let root = folder.path().canonicalize().context("the temporary folder cannot be found")?;
        let root = Utf8PathBuf::try_from(root).context("the temporary folder's path is not UTF-8")?;
        let lab = Self { root, pace, _folder: folder };
        std::fs::create_dir(lab.home()).context("the home for the measurements could not be made")?;
        std::fs::write(lab.home().join(".gitconfig"), GIT_CONFIG)
            .context("the git configuration for the measurements could not be written")?;
        Ok(lab)
    }

    /// Returns the directory.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns whether figures are to be exact.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Returns the home directory for all runs.
    pub fn home(&self) -> Utf8PathBuf {
        self.root.join("home")
    }

    /// Returns a command with a cleared environment, except for `PATH`.
    pub fn command(&self, name: impl AsRef<std::ffi::OsStr>, directory: &Utf8Path) -> std::process::Command {
        let mut command = program(name);
        command.env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let home = self.home();
        command
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C.UTF-8")
            .current_dir(directory)
            .stdin(Stdio::null());
        command
    }

    /// Runs git, which must succeed, and returns its stdout without the trailing newlines.
    pub fn git(&self, directory: &Utf8Path, args: &[&str]) -> anyhow::Result<String> {
        let output =
            self.command("git", directory).args(args).output().context("git could not be started")?;
        if !output.status.success() {
            bail!("`git {}` failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        let mut text = String::from_utf8(output.stdout).context("git's output is not UTF-8")?;
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }

    /// Runs `git fast-import` on what `write` writes.
    pub fn import(
        &self,
        repository: &Utf8Path,
        objects: Objects,
        write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
    ) -> anyhow::Result<()> {
        let limit = match objects {
            Objects::Packed => "fastimport.unpackLimit=0",
            Objects::Loose => "fastimport.unpackLimit=1000000000",
        };
        let mut command = self.command("git", repository);
        command.args(["-c", limit, "fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
        let mut child = command.spawn().context("git fast-import could not be started")?;
        let stdin = child.stdin.take().context("git fast-import has no stdin")?;
        let mut stream = std::io::BufWriter::new(stdin);
        // If it died of an error in the stream, its exit code and its messages say more than the broken pipe.
        let written = write(&mut stream).and_then(|()| stream.flush());
        drop(stream);
        let status = child.wait().context("git fast-import cannot be waited for")?;
        if !status.success() {
            bail!("git fast-import failed");
        }
        written.context("git fast-import did not read everything")
    }
}
