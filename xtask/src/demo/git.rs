//! Runs git to create the playground's history; the sync itself is left to the run.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use phase::{Fault, programs::program};

use super::Playground;

/// A clone, or a bare repository.
#[derive(Debug)]
pub struct Repo<'a> {
    playground: &'a Playground,
    path: Utf8PathBuf,
}

impl<'a> Repo<'a> {
    /// Creates an empty bare repository.
    pub fn bare(playground: &'a Playground, name: &str) -> anyhow::Result<Self> {
        let repo = Self { playground, path: playground.path(name) };
        git(playground, playground.root(), &["init", "--quiet", "--bare", repo.path.as_str()])?;
        Ok(repo)
    }

    /// Clones it for `user`.
    pub fn clone_for(&self, user: &str, name: &str) -> anyhow::Result<Self> {
        let path = self.playground.path(name);
        git(
            self.playground,
            self.playground.root(),
            &["clone", "--quiet", self.path.as_str(), path.as_str()],
        )?;
        let clone = Self { playground: self.playground, path };
        clone.git(&["config", "user.name", user])?;
        clone.git(&["config", "user.email", &format!("{}@example.com", user.to_lowercase())])?;
        Ok(clone)
    }

    /// Runs git in it.
    pub fn git(&self, args: &[&str]) -> anyhow::Result<()> {
        git(self.playground, &self.path, args)
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        write(&self.path.join(path), text)
    }

    /// Commits all changes.
    pub fn commit(&self, message: &str) -> anyhow::Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])
    }

    /// Pushes the branch.
    pub fn push_branch(&self) -> anyhow::Result<()> {
        self.git(&["push", "--quiet", "origin", "HEAD"])
    }

    /// Pushes the branch and the notes.
    pub fn push(&self) -> anyhow::Result<()> {
        self.git(&["push", "--quiet", "origin", "HEAD", "refs/notes/*"])
    }
}

/// Writes a file, and creates its parent directories.
pub fn write(path: &Utf8Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("{folder} could not be made"))?;
    }
    std::fs::write(path, text).with_context(|| format!("{path} could not be written"))
}

fn git(playground: &Playground, directory: &Utf8Path, args: &[&str]) -> anyhow::Result<()> {
    let mut command = program("git");
    command.args(args).current_dir(directory).env("GIT_TERMINAL_PROMPT", "0");
    playground.surroundings().apply(&mut command);
    let output = command.output().map_err(|error| {
        Fault::failed(format!("git could not be started: {error}"))
            .help("the demo makes its repositories with git: install it, then try again")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Fault::failed(format!("`git {}` failed in the playground: {words}", args.join(" "))).into())
}
