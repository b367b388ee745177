//! Determines which files are ignored, by git's ignore rules: see <https://git-scm.com/docs/gitignore>.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::glob::pattern::Case;
use gix::index::entry::Flags;

use crate::index::Index;
use crate::pattern::{Patterns, Sign, Target};

/// The name of the file with the rules of a directory.
const FILE: &str = ".gitignore";

/// The ignore rules of a working tree, for use by one thread.
pub struct Ignored<'a> {
    repo: gix::Repository,
    root: PathBuf,
    index: &'a Index,
    case: Case,
    /// The rules for all directories: the user's, and those of the repository's `info/exclude`.
    everywhere: Vec<Patterns>,
    /// The directories down to the path that was asked about last, the root first.
    folders: Vec<Folder>,
}

/// A directory, and its own rules.
struct Folder {
    /// Its path, with a slash at the end unless it is the root.
    path: BString,
    patterns: Patterns,
    /// Whether it is ignored, and with it everything below.
    is_ignored: bool,
}

impl<'a> Ignored<'a> {
    /// Loads the rules of the working tree of `repo`, whose index is `index`.
    ///
    /// # Errors
    /// A file with rules cannot be read; the error names it.
    pub fn of(repo: gix::Repository, index: &'a Index) -> anyhow::Result<Self> {
        let root = repo.workdir().context("a bare repository has no work tree")?.to_owned();
        let case = if repo.filesystem_options()?.ignore_case { Case::Fold } else { Case::Sensitive };
        let files = of_user(&repo)?.into_iter().chain([repo.common_dir().join("info/exclude")]);
        let everywhere = files.map(|file| read(&file)).collect::<anyhow::Result<_>>()?;
        Ok(Self { repo, root, index, case, everywhere, folders: Vec::new() })
    }

    /// Whether what is at `path` is ignored, itself or with a directory that it lies in.
    ///
    /// # Errors
    /// A file with rules cannot be read; the error names it.
    pub fn holds(&mut self, path: &BStr, target: Target) -> anyhow::Result<bool> {
        self.enter(path)?;
        let is_within_ignored = self.folders.last().is_some_and(|folder| folder.is_ignored);
        Ok(is_within_ignored || self.decide(path, target))
    }

    /// Loads the rules of the directories that `path` lies in.
    fn enter(&mut self, path: &BStr) -> anyhow::Result<()> {
        while self.folders.last().is_some_and(|folder| !path.starts_with(&folder.path)) {
            self.folders.pop();
        }
        if self.folders.is_empty() {
            let patterns = self.rules_of(b"".as_bstr())?;
            self.folders.push(Folder { path: BString::default(), patterns, is_ignored: false });
        }
        let known = self.folders.last().map_or(0, |folder| folder.path.len());
        let slashes = path.find_iter(b"/").filter(|slash| *slash >= known);
        for slash in slashes {
            let is_within_ignored = self.folders.last().is_some_and(|folder| folder.is_ignored);
            let is_ignored = is_within_ignored || self.decide(path[..slash].as_bstr(), Target::Folder);
            let folder = path[..=slash].as_bstr();
            let patterns = if is_ignored { Patterns::default() } else { self.rules_of(folder)? };
            self.folders.push(Folder { path: folder.to_owned(), patterns, is_ignored });
        }
        Ok(())
    }

    /// Decides by the rules of the directories that were entered, of which the deepest comes first, and by those for
    /// all directories.
    fn decide(&self, path: &BStr, target: Target) -> bool {
        let own = |folder: &Folder| folder.patterns.last_match(&path[folder.path.len()..], target, self.case);
        let general = |patterns: &Patterns| patterns.last_match(path, target, self.case);
        let sign = self.folders.iter().rev().find_map(own);
        sign.or_else(|| self.everywhere.iter().rev().find_map(general)) == Some(Sign::Positive)
    }

    /// Reads the rules of a directory: from the index if their file is not there and skip-worktree. git does not
    /// follow a link in its place.
    fn rules_of(&self, folder: &BStr) -> anyhow::Result<Patterns> {
        let path = BString::from([folder.as_bytes(), FILE.as_bytes()].concat());
        let file = self.root.join(gix::path::from_bstr(path.as_bstr())?);
        if fs::symlink_metadata(&file).is_ok_and(|meta| meta.is_file()) {
            return read(&file);
        }
        let entry = self.index.find(path.as_bstr());
        let Some(entry) = entry.filter(|entry| entry.flags.contains(Flags::SKIP_WORKTREE)) else {
            return Ok(Patterns::default());
        };
        let blob =
            self.repo.find_blob(entry.id).with_context(|| format!("cannot read {path} of the index"))?;
        Ok(Patterns::parse(&blob.data))
    }
}

/// Reads the rules in a file that need not exist.
fn read(file: &Path) -> anyhow::Result<Patterns> {
    match fs::read(file) {
        Ok(text) => Ok(Patterns::parse(&text)),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory
            ) =>
        {
            Ok(Patterns::default())
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Returns the file with the user's own rules. An empty setting disables it, and an empty variable counts as unset;
/// see <https://git-scm.com/docs/gitignore>.
fn of_user(repo: &gix::Repository) -> anyhow::Result<Option<PathBuf>> {
    let config = repo.config_snapshot();
    if let Some(named) = config.string("core.excludesFile") {
        let file = if named.is_empty() { None } else { config.trusted_path("core.excludesFile")? };
        if let Some(file) = file.as_ref().filter(|file| file.is_dir()) {
            bail!("core.excludesFile names {}, which is a folder", file.display());
        }
        return Ok(file);
    }
    let allowed = repo.open_options().permissions.env;
    let folder = match env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => allowed.xdg_config_home.check_opt(PathBuf::from(folder)),
        None => gix::path::env::home_dir()
            .and_then(|home| allowed.home.check_opt(home))
            .map(|home| home.join(".config")),
    };
    Ok(folder.map(|folder| folder.join("git/ignore")))
}
