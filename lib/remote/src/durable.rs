//! Making sure that what was written is on the disk, as far as `core.fsync` promises it.
//!
//! gix never calls fsync. After a power cut a ref could name a pack that is empty, in what may be the only copy
//! of somebody's work.

use std::{fs::File, io, path::Path};

/// Which parts of a repository are to survive a power cut, by
/// [`core.fsync`](https://git-scm.com/docs/git-config#Documentation/git-config.txt-corefsync).
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
    /// The index of the work tree.
    Index,
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
        }
    }
}

impl Durability {
    /// What `repo`'s configuration asks for; without any, what git does by default: packs and their indexes.
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

    /// Whether `part` is to be synced.
    #[must_use]
    pub fn covers(self, part: Part) -> bool {
        self.parts & part.bit() != 0
    }

    fn usual() -> Self {
        Self { parts: Part::Pack.bit() | Part::PackMetadata.bit() }
    }

    /// Starts with git's default, as git does; unknown words are for versions of git to come.
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
    match word {
        "loose-object" => Part::LooseObject.bit(),
        "pack" => Part::Pack.bit(),
        "pack-metadata" | "derived-metadata" => Part::PackMetadata.bit(),
        "index" => Part::Index.bit(),
        "reference" => Part::Reference.bit(),
        "objects" | "committed" => objects,
        "added" => objects | Part::Index.bit(),
        "all" => u8::MAX,
        _ => 0,
    }
}

/// Waits until the file at `path` is on the disk.
///
/// # Errors
///
/// Those of opening and syncing it.
pub fn sync_file(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Waits until the names in the directory `path` are on the disk; without effect where directories cannot be
/// opened.
///
/// # Errors
///
/// Those of opening and syncing it.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Syncs the ref `name` after it was written or deleted, where that is asked for.
///
/// # Errors
///
/// Those of syncing.
pub fn sync_ref(repo: &gix::Repository, name: &gix::refs::FullNameRef) -> io::Result<()> {
    if !Durability::of(repo).covers(Part::Reference) {
        return Ok(());
    }
    let loose = repo.common_dir().join(name.to_path().map_err(io::Error::other)?);
    for file in [loose.as_path(), &repo.common_dir().join("packed-refs")] {
        match sync_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    match loose.parent() {
        Some(parent) if parent.is_dir() => sync_dir(parent),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_configuration_packs_are_synced_and_loose_objects_are_not() {
        assert!(Durability::usual().covers(Part::Pack) && Durability::usual().covers(Part::PackMetadata));
        assert!(!Durability::usual().covers(Part::LooseObject));
    }

    #[test]
    fn words_add_to_the_default_and_take_from_it() {
        let parsed = Durability::parse("committed,-pack-metadata");
        assert!(parsed.covers(Part::LooseObject) && parsed.covers(Part::Pack));
        assert!(!parsed.covers(Part::PackMetadata) && !parsed.covers(Part::Reference));
        assert!(Durability::parse("none,reference").covers(Part::Reference));
        assert!(!Durability::parse("none,reference").covers(Part::Pack));
        assert!(Durability::parse("all").covers(Part::Index));
    }
}
