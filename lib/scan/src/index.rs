//! The index: what is tracked, as far as a scan needs to know, and as a whole for whoever changes it.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context as _;
use filetime::FileTime;
use gix::ObjectId;
use gix::bstr::BStr;
use gix::index::State;
use gix::index::entry::{Flags, Mode, Stat};

use crate::content::Content;
use crate::raw::Raw;
use crate::sparse;

/// An index that was read. Where that is enough it stays as it lies in its file; it is taken apart for whoever wants to
/// see all of it.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// As it lies in its file, and taken apart once somebody has asked for that.
    Raw(Box<Raw>, OnceLock<Box<gix::index::File>>),
    /// It is of a kind that has to be taken apart.
    Decoded(Box<gix::index::File>),
}

/// One entry of an index.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its path.
    pub path: &'a BStr,
    /// What the file was like when it was last known to be the same.
    pub stat: Stat,
    /// Its kind.
    pub mode: Mode,
    /// Its object.
    pub id: &'a gix::oid,
    /// Its marks.
    pub flags: Flags,
}

impl Index {
    /// Reads the index that lies at `path`; an empty one where there is none yet.
    ///
    /// A split index comes back whole, a sparse one with every file of the folders that it had left out. Its checksum
    /// is not computed, which would take longer than all the rest: git does not either, but in `git fsck`.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn read(repo: &gix::Repository, path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot read the index {}", path.display());
        let as_written = match File::open(path) {
            Ok(file) => raw(file, repo.object_hash()).with_context(cannot)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(cannot),
        };
        let form = match as_written {
            Some(raw) => Form::Raw(Box::new(raw), OnceLock::new()),
            None => Form::Decoded(Box::new(read(repo, path)?)),
        };
        Ok(Index { path: path.to_owned(), form })
    }

    /// Gives back nothing of what it has in memory: the system takes that when the process ends. For whoever is about to
    /// end, and waited for: a large index is a quarter of a millisecond's work to unmap.
    pub fn leave_to_the_end(self) {
        std::mem::forget(self);
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Raw(raw, _) => raw.len(),
            Form::Decoded(index) => index.entries().len(),
        }
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The path of the entry at `at`.
    pub fn path(&self, at: usize) -> &BStr {
        match &self.form {
            Form::Raw(raw, _) => raw.path(at),
            Form::Decoded(index) => index.entries()[at].path(index),
        }
    }

    /// Which of several versions of its path the entry at `at` is; 0 where there is but one.
    pub fn stage(&self, at: usize) -> u32 {
        match &self.form {
            Form::Raw(raw, _) => raw.stage(at),
            Form::Decoded(index) => index.entries()[at].stage_raw(),
        }
    }

    /// The entry at `at`.
    pub fn entry(&self, at: usize) -> Entry<'_> {
        match &self.form {
            Form::Raw(raw, _) => raw.entry(at),
            Form::Decoded(index) => {
                let entry = &index.entries()[at];
                let (stat, mode, flags) = (entry.stat, entry.mode, entry.flags);
                Entry { path: entry.path(index), stat, mode, id: &entry.id, flags }
            }
        }
    }

    /// The entry at `path`; none where a merge has left several versions of it.
    pub fn find(&self, path: &BStr) -> Option<Entry<'_>> {
        let at = first_without(0..self.len(), |at| self.path(at) < path);
        (at < self.len() && self.path(at) == path && self.stage(at) == 0).then(|| self.entry(at))
    }

    /// When it was written.
    pub fn timestamp(&self) -> FileTime {
        match &self.form {
            Form::Raw(raw, _) => raw.timestamp,
            Form::Decoded(index) => index.timestamp(),
        }
    }

    /// The id of the tree that it would make, where it is known without making it: git keeps it in the index's `TREE`
    /// extension, and drops it with any change.
    pub fn tree(&self) -> Option<ObjectId> {
        match &self.form {
            Form::Raw(raw, _) => raw.root_tree,
            Form::Decoded(index) => {
                index.tree().filter(|tree| tree.num_entries.is_some()).map(|tree| tree.id)
            }
        }
    }

    /// Whether it holds several versions of a path, since a merge has not been finished.
    pub fn is_unmerged(&self) -> bool {
        match &self.form {
            Form::Raw(raw, _) => raw.is_unmerged,
            Form::Decoded(index) => index.entries().iter().any(|entry| entry.stage_raw() != 0),
        }
    }

    /// Whether it marks files to be left out of the work tree.
    pub fn leaves_files_out(&self) -> bool {
        match &self.form {
            Form::Raw(raw, _) => raw.leaves_out,
            Form::Decoded(index) => {
                index.entries().iter().any(|entry| entry.flags.contains(Flags::SKIP_WORKTREE))
            }
        }
    }

    /// The index as it lies in its file, where it has not had to be taken apart: for whoever copies what stays of it.
    pub fn as_written(&self) -> Option<AsWritten<'_>> {
        match &self.form {
            Form::Raw(raw, _) => Some(AsWritten(raw)),
            Form::Decoded(_) => None,
        }
    }

    /// Whether it is large, and seen where it lies.
    pub fn is_mapped(&self) -> bool {
        match &self.form {
            Form::Raw(raw, _) => raw.bytes.is_mapped(),
            Form::Decoded(_) => false,
        }
    }

    /// The file that it is mapped from, with nothing of it in memory any more. It stays as it is: whoever changes an
    /// index replaces it.
    pub fn into_file(self) -> Option<File> {
        match self.form {
            Form::Raw(raw, _) => raw.bytes.into_file(),
            Form::Decoded(_) => None,
        }
    }

    /// As much of it as is `wanted`, as an index of its own.
    pub fn part(&self, wanted: impl Fn(&BStr) -> bool) -> State {
        let (hash, timestamp) = match &self.form {
            Form::Raw(raw, _) => (raw.hash, raw.timestamp),
            Form::Decoded(index) => (index.object_hash(), index.timestamp()),
        };
        let mut part = State::new(hash);
        part.set_timestamp(timestamp);
        for at in (0..self.len()).filter(|at| wanted(self.path(*at))) {
            let entry = self.entry(at);
            part.dangerously_push_entry(entry.stat, entry.id.to_owned(), entry.flags, entry.mode, entry.path);
        }
        part
    }

    /// All of it. It is taken apart at the first call only.
    ///
    /// # Errors
    /// It is damaged.
    pub fn decoded(&self) -> anyhow::Result<&gix::index::File> {
        match &self.form {
            Form::Decoded(index) => Ok(index),
            Form::Raw(raw, decoded) => match decoded.get() {
                Some(index) => Ok(index),
                None => {
                    let index = decode(raw, self.path.clone())?;
                    Ok(decoded.get_or_init(|| Box::new(index)))
                }
            },
        }
    }

    /// All of it, to be changed.
    ///
    /// # Errors
    /// It is damaged.
    pub fn into_decoded(self) -> anyhow::Result<gix::index::File> {
        match self.form {
            Form::Decoded(index) => Ok(*index),
            Form::Raw(raw, decoded) => match decoded.into_inner() {
                Some(index) => Ok(*index),
                None => decode(&raw, self.path),
            },
        }
    }
}

/// An index as it lies in its file: of version 2 or 3, neither split nor sparse.
#[derive(Debug, Clone, Copy)]
pub struct AsWritten<'a>(&'a Raw);

impl<'a> AsWritten<'a> {
    /// The version of its form, 2 or 3.
    pub fn version(self) -> u32 {
        self.0.version()
    }

    /// What its objects are named by.
    pub fn object_hash(self) -> gix::hash::Kind {
        self.0.hash
    }

    /// The bytes of the entries in `range`. They may stand in another index of its version, or of a later one, as they
    /// are.
    pub fn bytes_of(self, range: Range<usize>) -> &'a [u8] {
        self.0.bytes_of(range)
    }

    /// Where in its file the entries in `range` lie.
    pub fn place_of(self, range: Range<usize>) -> Range<usize> {
        self.0.place_of(range)
    }

    /// Its `TREE` extension, if it has one.
    pub fn cache(self) -> Option<gix::index::extension::Tree> {
        self.0.cache()
    }
}

fn decode(raw: &Raw, path: PathBuf) -> anyhow::Result<gix::index::File> {
    let (state, _) = State::from_bytes(&raw.bytes, raw.timestamp, raw.hash, Default::default())
        .with_context(|| format!("cannot read the index {}", path.display()))?;
    Ok(gix::index::File::from_state(state, path))
}

/// An index that is at hand already.
impl From<gix::index::File> for Index {
    fn from(index: gix::index::File) -> Self {
        Index { path: index.path().to_owned(), form: Form::Decoded(Box::new(index)) }
    }
}

/// Reads an index and takes it apart, see [`Index::read`].
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn read(repo: &gix::Repository, path: &Path) -> anyhow::Result<gix::index::File> {
    let skip_hash = true;
    let cannot = || format!("cannot read the index {}", path.display());
    let index = gix::index::File::at_or_default(path, repo.object_hash(), skip_hash, Default::default())
        .with_context(cannot)?;
    // A path that is not where it belongs would not be found: its file would count as new, and be in the tree twice.
    index.verify_entries().with_context(cannot)?;
    sparse::expand(repo, index)
}

/// An index as it lies in its file, where it is of the usual form.
fn raw(file: File, hash: gix::hash::Kind) -> std::io::Result<Option<Raw>> {
    let meta = file.metadata()?;
    let content = Content::of(file, usize::try_from(meta.len()).unwrap_or(0))?;
    Ok(Raw::new(content, FileTime::from_last_modification_time(&meta), hash))
}

/// The first number in `range` of which `is` does not hold, where it holds of all before that one.
pub fn first_without(range: Range<usize>, is: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if is(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
