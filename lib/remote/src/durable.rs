//! Making sure that what was written is on the disk, as far as `core.fsync` asks for it.
//!
//! gix never calls fsync. After a power cut a ref could name objects that are empty files, in what may be the only copy
//! of somebody's work.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// From this many files on, one flush of the whole file system is cheaper than one for each of them.
const MANY: usize = 48;

/// Which parts of a repository are to survive a power cut, by
/// [`core.fsync`](https://git-scm.com/docs/git-config#Documentation/git-config.txt-corefsync).
///
/// Where nothing is said it is `added`: git's own default leaves out loose objects, refs and the index, and so "risks
/// losing recent work", which a program that commits by itself cannot ask anybody to do again. Whoever wants that says
/// `core.fsync=none,pack,derived-metadata`. Every `core.fsyncMethod` is honoured by flushing files, which promises at
/// least as much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durability {
    parts: u8,
}

/// A part of a repository that can be hardened on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Objects in files of their own.
    LooseObject,
    /// Packs.
    Pack,
    /// The indexes of packs.
    PackMetadata,
    /// The index of the work tree, and what is noted down while both change.
    Index,
    /// The files of the work tree, which git never flushes: the objects that they were made from are. Only `all` asks
    /// for it.
    WorkTree,
    /// Refs.
    Reference,
}

impl Part {
    fn bit(self) -> u8 {
        match self {
            Self::LooseObject => 1,
            Self::Pack => 2,
            Self::PackMetadata => 4,
            Self::Index => 8,
            Self::Reference => 16,
            Self::WorkTree => 32,
        }
    }
}

impl Durability {
    /// What `repo`'s configuration asks for.
    #[must_use]
    pub fn of(repo: &gix::Repository) -> Self {
        let config = repo.config_snapshot();
        let mut durability =
            config.string("core.fsync").map_or_else(Self::usual, |words| Self::parse(&words.to_string()));
        if config.boolean("core.fsyncObjectFiles") == Some(true) {
            durability.parts |= Part::LooseObject.bit();
        }
        durability
    }

    /// Whether `part` is to be flushed.
    #[must_use]
    pub fn covers(self, part: Part) -> bool {
        self.parts & part.bit() != 0
    }

    /// What to do about files of `part` that were written.
    #[must_use]
    pub fn flushing(self, part: Part) -> Flushing {
        if self.covers(part) { Flushing::Wanted } else { Flushing::LeftToTheSystem }
    }

    fn usual() -> Self {
        Self { parts: bits("added") | bits("derived-metadata") }
    }

    /// Starts with the default, as git does; unknown words are for versions of git to come.
    fn parse(words: &str) -> Self {
        let mut parts = Self::usual().parts;
        for word in words.split(',').map(str::trim) {
            match word.strip_prefix('-') {
                Some(less) => parts &= !bits(less),
                None if word == "none" => parts = 0,
                None => parts |= bits(word),
            }
        }
        Self { parts }
    }
}

fn bits(word: &str) -> u8 {
    let objects = Part::LooseObject.bit() | Part::Pack.bit();
    let committed = objects | Part::Reference.bit();
    match word {
        "loose-object" => Part::LooseObject.bit(),
        "pack" => Part::Pack.bit(),
        "pack-metadata" | "derived-metadata" => Part::PackMetadata.bit(),
        "index" => Part::Index.bit(),
        "reference" => Part::Reference.bit(),
        "objects" => objects,
        "committed" => committed,
        "added" => committed | Part::Index.bit(),
        "all" => u8::MAX,
        _ => 0,
    }
}

/// Whether files are flushed before the next step relies on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushing {
    /// They are.
    Wanted,
    /// They are written when the system sees fit.
    LeftToTheSystem,
}

impl Flushing {
    /// Flushes one open file.
    ///
    /// # Errors
    ///
    /// The disk failed, and what was written cannot be relied on.
    pub fn file(self, file: &File) -> io::Result<()> {
        match self {
            Self::Wanted => file.sync_all(),
            Self::LeftToTheSystem => Ok(()),
        }
    }

    /// Flushes the names in a folder, where the system can. A folder that is gone is not missed: others have removed what
    /// was in it, as `git pack-refs` does with refs, and then the folder.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn folder(self, folder: &Path) -> io::Result<()> {
        match self {
            Self::Wanted => unless_gone(sync_dir(folder)),
            Self::LeftToTheSystem => Ok(()),
        }
    }

    /// Flushes many files and the folders that hold them, all on the file system of `root`. Files and folders that are
    /// gone are not missed.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn batch(self, root: &Path, files: &[PathBuf]) -> io::Result<()> {
        self.contents(root, files)?;
        // Many were flushed with all else.
        if are_many(files) || files.is_empty() {
            return Ok(());
        }
        self.names(root, files)?;
        self.folder(root)
    }

    /// Flushes what many files hold, all on the file system of `root`, but not their names, for files that get their
    /// names later. Files that are gone are not missed.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn contents(self, root: &Path, files: &[PathBuf]) -> io::Result<()> {
        if self == Self::LeftToTheSystem {
            return Ok(());
        }
        #[cfg(target_os = "linux")]
        if are_many(files) {
            return Ok(rustix::fs::syncfs(File::open(root)?)?);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = root;
        files.iter().try_for_each(|path| unless_gone(sync_file(path)))
    }

    /// Flushes the names of many files in the folders that hold them, all on the file system of `root`.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn names(self, root: &Path, files: &[PathBuf]) -> io::Result<()> {
        if self == Self::LeftToTheSystem {
            return Ok(());
        }
        #[cfg(target_os = "linux")]
        if are_many(files) {
            return Ok(rustix::fs::syncfs(File::open(root)?)?);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = root;
        let mut folders: Vec<&Path> = files.iter().filter_map(|path| path.parent()).collect();
        folders.sort();
        folders.dedup();
        folders.into_iter().try_for_each(|folder| self.folder(folder))
    }
}

fn unless_gone(synced: io::Result<()>) -> io::Result<()> {
    match synced {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether one flush of the whole file system is cheaper than one for each file.
fn are_many(files: &[PathBuf]) -> bool {
    cfg!(target_os = "linux") && files.len() >= MANY
}

/// Waits until the file at `path` is on the disk. Windows flushes only files that may be written: of those that may not,
/// such as packs, it decides by itself when they are.
///
/// # Errors
///
/// Those of opening and syncing it.
pub fn sync_file(path: &Path) -> io::Result<()> {
    let file = match OpenOptions::new().read(true).write(cfg!(windows)).open(path) {
        Err(error) if cfg!(windows) && error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        file => file?,
    };
    file.sync_all()
}

/// Waits until the names in the directory `path` are on the disk; without effect where directories cannot be flushed.
///
/// # Errors
///
/// Those of opening and syncing it.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(path)?.sync_all() {
        // Some file systems cannot flush a folder, and say so in this way.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_configuration_all_is_flushed_that_the_next_step_relies_on() {
        for part in [Part::Pack, Part::PackMetadata, Part::LooseObject, Part::Reference, Part::Index] {
            assert!(Durability::usual().covers(part), "{part:?}");
        }
        assert!(!Durability::usual().covers(Part::WorkTree));
    }

    #[test]
    fn words_add_to_the_default_and_take_from_it() {
        let parsed = Durability::parse("committed,-loose-object,-pack-metadata");
        assert!(parsed.covers(Part::Reference) && parsed.covers(Part::Pack));
        assert!(!parsed.covers(Part::PackMetadata) && !parsed.covers(Part::LooseObject));
        assert!(Durability::parse("none,reference").covers(Part::Reference));
        assert!(!Durability::parse("none,reference").covers(Part::Pack));
        assert!(!Durability::parse("none,objects").covers(Part::Reference));
        assert!(!Durability::parse("none,committed").covers(Part::Index));
        assert!(Durability::parse("none,added").covers(Part::Index));
        assert!(Durability::parse("all").covers(Part::WorkTree));
    }

    #[test]
    fn what_others_removed_meanwhile_is_not_missed() {
        let root = std::env::temp_dir();
        let gone = root.join("nobody makes a folder like this").join("mem");
        assert!(Flushing::Wanted.folder(&gone).is_ok());
        assert!(Flushing::Wanted.batch(&root, &[gone.join("decisions")]).is_ok());
    }
}
