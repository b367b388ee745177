//! Flushes written files to disk, as far as `core.fsync` demands.
//!
//! gix never calls fsync. After a power failure a ref could name objects whose files are empty, in what may be the
//! only copy of the user's work.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// The number of files from which one flush of the whole file system is cheaper than flushing each file.
const MANY: usize = 48;

/// The parts of a repository that are to survive a power failure, according to
/// [`core.fsync`](https://git-scm.com/docs/git-config#Documentation/git-config.txt-corefsync).
///
/// The default is `added`: git's own default leaves out loose objects, refs and the index, and so "risks losing
/// recent work", which a program that commits automatically cannot ask anybody to do again. git's default can be had
/// by `core.fsync=none,pack,derived-metadata`. For every `core.fsyncMethod`, files are flushed, which guarantees at
/// least as much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durability {
    parts: u8,
}

/// A part of a repository that can be flushed separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Loose objects.
    LooseObject,
    /// Packs.
    Pack,
    /// Pack indexes.
    PackMetadata,
    /// The index, and what is recorded while it and the working tree change.
    Index,
    /// The files of the working tree, which git never flushes, since the objects they were made from are flushed.
    /// Only `all` includes them.
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
    /// Reads the configuration of `repo`.
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

    /// Returns what to do with written files of `part`.
    #[must_use]
    pub fn flushing(self, part: Part) -> Flushing {
        if self.covers(part) { Flushing::Wanted } else { Flushing::LeftToTheSystem }
    }

    fn usual() -> Self {
        Self { parts: bits("added") | bits("derived-metadata") }
    }

    /// Starts with the default, as git does; unknown words are left to later versions of git.
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
    /// They are flushed.
    Wanted,
    /// The operating system writes them when it chooses.
    LeftToTheSystem,
}

impl Flushing {
    /// Flushes one open file.
    ///
    /// # Errors
    ///
    /// If the disk failed; what was written cannot be relied on then.
    pub fn file(self, file: &File) -> io::Result<()> {
        match self {
            Self::Wanted => file.sync_all(),
            Self::LeftToTheSystem => Ok(()),
        }
    }

    /// Flushes the entries of a directory, if the operating system supports that. A directory that no longer exists
    /// is ignored: other processes have removed its content, as `git pack-refs` does with refs, and then the
    /// directory.
    ///
    /// # Errors
    ///
    /// If the disk failed.
    pub fn folder(self, folder: &Path) -> io::Result<()> {
        match self {
            Self::Wanted => unless_gone(sync_dir(folder)),
            Self::LeftToTheSystem => Ok(()),
        }
    }

    /// Flushes many files and the directories that contain them, all on the file system of `root`. Files and
    /// directories that no longer exist are ignored.
    ///
    /// # Errors
    ///
    /// If the disk failed.
    pub fn batch(self, root: &Path, files: &[PathBuf]) -> io::Result<()> {
        self.contents(root, files)?;
        // Many were flushed with all else.
        if are_many(files) || files.is_empty() {
            return Ok(());
        }
        self.names(root, files)?;
        self.folder(root)
    }

    /// Flushes the content of many files, all on the file system of `root`, but not their directory entries, for
    /// files that are renamed later. Files that no longer exist are ignored.
    ///
    /// # Errors
    ///
    /// If the disk failed.
    pub fn contents(self, root: &Path, files: &[PathBuf]) -> io::Result<()> {
        if let Some(done) = self.all_at_once(root, files) {
            return done;
        }
        files.iter().try_for_each(|path| unless_gone(sync_file(path)))
    }

    /// Flushes the directories that contain many files, all on the file system of `root`.
    ///
    /// # Errors
    ///
    /// If the disk failed.
    pub fn names(self, root: &Path, files: &[PathBuf]) -> io::Result<()> {
        if let Some(done) = self.all_at_once(root, files) {
            return done;
        }
        let mut folders: Vec<&Path> = files.iter().filter_map(|path| path.parent()).collect();
        folders.sort();
        folders.dedup();
        folders.into_iter().try_for_each(|folder| self.folder(folder))
    }

    /// Flushes the whole file system of `root`, if there are so many files that this is cheaper, or nothing if nothing
    /// is to be flushed. `None` if each has to be flushed by itself.
    fn all_at_once(self, root: &Path, files: &[PathBuf]) -> Option<io::Result<()>> {
        if self == Self::LeftToTheSystem {
            return Some(Ok(()));
        }
        #[cfg(target_os = "linux")]
        if are_many(files) {
            return Some(File::open(root).and_then(|root| Ok(rustix::fs::syncfs(root)?)));
        }
        let _ = (root, files);
        None
    }
}

fn unless_gone(synced: io::Result<()>) -> io::Result<()> {
    match synced {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether flushing the whole file system is cheaper than flushing each file.
fn are_many(files: &[PathBuf]) -> bool {
    cfg!(target_os = "linux") && files.len() >= MANY
}

/// Waits until the file at `path` is on disk. Windows can flush writable files only: read-only ones, such as packs,
/// it writes when it chooses.
///
/// # Errors
///
/// If it cannot be opened or flushed.
pub fn sync_file(path: &Path) -> io::Result<()> {
    let file = match OpenOptions::new().read(true).write(cfg!(windows)).open(path) {
        Err(error) if cfg!(windows) && error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        file => file?,
    };
    file.sync_all()
}

/// Waits until the entries of the directory `path` are on disk; has no effect where directories cannot be flushed.
///
/// # Errors
///
/// If it cannot be opened or flushed.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(path)?.sync_all() {
        // Some file systems cannot flush a directory, and return one of these errors.
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
