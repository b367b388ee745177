//! The two folders: where commands come from and where they go.

use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use phase::{Fault, Run};

use crate::args::Cmdcopy;

/// Where the commands lie in a folder that has them.
const COMMANDS: [&str; 2] = [".claude", "commands"];

/// The folder to copy from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// The folder.
    pub(crate) folder: Utf8PathBuf,
    /// What the record calls it: all work trees of a repository have the same name for a folder in them.
    pub(crate) name: Utf8PathBuf,
    /// What its links must not lead out of.
    pub(crate) root: Utf8PathBuf,
    /// What its links must not lead into, although it may lie within the root: git's own files may hold credentials.
    pub(crate) private: Vec<Utf8PathBuf>,
}

impl Source {
    /// The folder to copy from, as the command line says, else that of the work tree.
    ///
    /// # Errors
    /// A fault with exit 78 where the user named a folder that is not there, or is none, or where the repository is bare.
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
        // A folder outside of the repository is a world of its own.
        let root = run.worktree().ok().filter(|root| folder.starts_with(root)).unwrap_or(&folder).to_owned();
        let name = folder.strip_prefix(&root).ok().filter(|_| root != folder).unwrap_or(&folder).to_owned();
        Ok(Self { folder, name, root, private })
    }
}

/// The folder to copy to, as the command line says, else that of the user's home; as an absolute path.
///
/// # Errors
/// A fault with exit 78 where the home is not known or not a whole path, or where the folder that the user named is relative to a current
/// directory that is gone.
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
    // It would be another one in each directory, and that of a repository would be committed.
    if home.is_relative() {
        return Err(Fault::misconfigured(format!("{variable} is {home}, which is not a whole path"))
            .help("set it to one, or name the folder with --to DIR"));
    }
    Ok(home)
}
