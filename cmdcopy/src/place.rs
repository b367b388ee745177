//! Determines the directory that commands are copied from, and the one that they are copied to.

use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use phase::{Fault, Run};

use crate::args::Cmdcopy;

/// The path of the commands below a working tree or a home directory.
const COMMANDS: [&str; 2] = [".claude", "commands"];

/// The directory to copy from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Its path.
    pub(crate) folder: Utf8PathBuf,
    /// Its name in the record: a directory within a repository has the same name in all worktrees.
    pub(crate) name: Utf8PathBuf,
    /// The directory that links must not lead out of.
    pub(crate) root: Utf8PathBuf,
    /// Directories that links must not lead into, even within the root: git's own files may contain credentials.
    pub(crate) private: Vec<Utf8PathBuf>,
}

impl Source {
    /// Returns the directory given on the command line, else that of the working tree.
    ///
    /// # Errors
    /// A fault with exit 78 if the given directory does not exist or is not a directory, or if there is none given
    /// and the repository is bare.
    pub(crate) fn of(args: &Cmdcopy, run: &Run<'_>) -> anyhow::Result<Self> {
        let git_dir = phase::real_path(run.repo().git_dir())?;
        let private = vec![git_dir, run.common_dir()];
        let Some(named) = &args.from else {
            let root = run.worktree()?.to_owned();
            return Ok(Self { folder: under(&root), name: under(Utf8Path::new("")), root, private });
        };
        let unusable = |error: std::io::Error| {
            Fault::misconfigured(format!("{named} cannot be copied from: {error}"))
                .help("--from takes a folder with commands in it")
        };
        let folder = phase::real_path(phase::from_here(named)?).map_err(unusable)?;
        if !folder.is_dir() {
            return Err(unusable(ErrorKind::NotADirectory.into()).into());
        }
        // A directory outside of the repository is its own root.
        let root = run.worktree().ok().filter(|root| folder.starts_with(root)).unwrap_or(&folder).to_owned();
        let name = folder.strip_prefix(&root).ok().filter(|_| root != folder).unwrap_or(&folder).to_owned();
        Ok(Self { folder, name, root, private })
    }
}

/// Returns the directory to copy to as an absolute path: the one given on the command line, else that in the user's
/// home directory.
///
/// # Errors
/// A fault with exit 78 if the home directory is unknown or not an absolute path, or if the given directory is
/// relative to a current directory that does not exist any more.
pub(crate) fn target(args: &Cmdcopy) -> anyhow::Result<Utf8PathBuf> {
    match &args.to {
        Some(named) => Ok(phase::from_here(named)?),
        None => Ok(camino::absolute_utf8(under(&home()?))?),
    }
}

fn under(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join(COMMANDS[0]).join(COMMANDS[1])
}

fn home() -> Result<Utf8PathBuf, Fault> {
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let home =
        std::env::var_os("HOME").or_else(|| std::env::var_os(variable)).filter(|home| !home.is_empty());
    let Some(home) = home else {
        return Err(Fault::misconfigured(format!(
            "{variable} is not set, so ~/.claude/commands is not known"
        ))
        .help("set it, or name the folder with --to DIR"));
    };
    let home = Utf8PathBuf::try_from(std::path::PathBuf::from(home)).map_err(|error| {
        Fault::misconfigured(format!("the home directory {error}"))
            .help("name the folder to copy to with --to DIR")
    })?;
    // A relative path would lead to another place from each directory, and a copy within a repository would be
    // committed.
    if home.is_relative() {
        return Err(Fault::misconfigured(format!("{variable} is {home}, which is not a whole path"))
            .help("set it to one, or name the folder with --to DIR"));
    }
    Ok(home)
}
