//! Reads the index: as raw bytes, which suffice for a scan, or decoded, for callers that change it.

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

/// An index that was read. If possible, it stays as the bytes of its file, and is decoded only for callers that need
/// all of it.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// The bytes of its file, and the decoded index once it was needed.
    Raw(Box<Raw>, OnceLock<Box<gix::index::File>>),
    /// A form that has to be decoded.
    Decoded(Box<gix::index::File>),
}

/// One entry of an index.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its path.
    pub path: &'a BStr,
    /// The file's stat data when it was last known to be unchanged.
    pub stat: Stat,
    /// The type of the file.
    pub mode: Mode,
    /// The id of its object.
    pub id: &'a gix::oid,
    /// Its flags.
    pub flags: Flags,
}

impl Index {
    /// Reads the index at `path`; an empty one if there is none yet.
    ///
    /// A split index is returned whole, a sparse one with every file of its sparse directories. The checksum is not
    /// verified, which would take longer than everything else: git verifies it only in `git fsck`.
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

    /// Forgets the index without freeing its memory, which the system does when the process exits. For a process that
    /// is about to exit while another waits for it: unmapping a large index takes a quarter of a millisecond.
    pub fn leave_to_the_end(self) {
        std::mem::forget(self);
    }

    /// Returns the number of entries.
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

    /// Returns the path of the entry at `at`.
    pub fn path(&self, at: usize) -> &BStr {
        match &self.form {
            Form::Raw(raw, _) => raw.path(at),
            Form::Decoded(index) => index.entries()[at].path(index),
        }
    }

    /// Returns the stage of the entry at `at`; 0 unless its path is unmerged.
    pub fn stage(&self, at: usize) -> u32 {
        match &self.form {
            Form::Raw(raw, _) => raw.stage(at),
            Form::Decoded(index) => index.entries()[at].stage_raw(),
        }
    }

    /// Returns the entry at `at`.
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

    /// Returns the entry at `path`; `None` if there is none, or the path is unmerged.
    pub fn find(&self, path: &BStr) -> Option<Entry<'_>> {
        let at = first_without(0..self.len(), |at| self.path(at) < path);
        (at < self.len() && self.path(at) == path && self.stage(at) == 0).then(|| self.entry(at))
    }

    /// Returns when it was written.
    pub fn timestamp(&self) -> FileTime {
        match &self.form {
            Form::Raw(raw, _) => raw.timestamp,
            Form::Decoded(index) => index.timestamp(),
        }
    }

    /// Returns the id of the tree for this index, if it is known without building the tree: git keeps it in the
    /// index's `TREE` extension, and invalidates it with any change.
    pub fn tree(&self) -> Option<ObjectId> {
        match &self.form {
            Form::Raw(raw, _) => raw.root_tree,
            Form::Decoded(index) => {
                index.tree().filter(|tree| tree.num_entries.is_some()).map(|tree| tree.id)
            }
        }
    }

    /// Whether a path is unmerged.
    pub fn is_unmerged(&self) -> bool {
        match &self.form {
            Form::Raw(raw, _) => raw.is_unmerged,
            Form::Decoded(index) => index.entries().iter().any(|entry| entry.stage_raw() != 0),
        }
    }

    /// Whether a file is marked skip-worktree.
    pub fn leaves_files_out(&self) -> bool {
        match &self.form {
            Form::Raw(raw, _) => raw.leaves_out,
            Form::Decoded(index) => {
                index.entries().iter().any(|entry| entry.flags.contains(Flags::SKIP_WORKTREE))
            }
        }
    }

    /// Returns the index as it is in its file, unless it had to be decoded: for callers that copy what does not
    /// change.
    pub fn as_written(&self) -> Option<AsWritten<'_>> {
        match &self.form {
            Form::Raw(raw, _) => Some(AsWritten(raw)),
            Form::Decoded(_) => None,
        }
    }

    /// Whether it is large, and so mapped into memory.
    pub fn is_mapped(&self) -> bool {
        match &self.form {
            Form::Raw(raw, _) => raw.bytes.is_mapped(),
            Form::Decoded(_) => false,
        }
    }

    /// Unmaps the index, and returns the file that it was mapped from. That file does not change: whoever changes an
    /// index replaces the file.
    pub fn into_file(self) -> Option<File> {
        match self.form {
            Form::Raw(raw, _) => raw.bytes.into_file(),
            Form::Decoded(_) => None,
        }
    }

    /// Returns the entries that are `wanted`, as a separate index.
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

    /// Returns the whole index, which is decoded at the first call only.
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

    /// Returns the whole index, for changes.
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

/// An index as it is in its file: of version 2 or 3, neither split nor sparse.
#[derive(Debug, Clone, Copy)]
pub struct AsWritten<'a>(&'a Raw);

impl<'a> AsWritten<'a> {
    /// Returns the version of its format, 2 or 3.
    pub fn version(self) -> u32 {
        self.0.version()
    }

    /// Returns the hash function of its object ids.
    pub fn object_hash(self) -> gix::hash::Kind {
        self.0.hash
    }

    /// Returns the bytes of the entries in `range`. They may be copied unchanged into another index of the same
    /// version, or of a later one.
    pub fn bytes_of(self, range: Range<usize>) -> &'a [u8] {
        self.0.bytes_of(range)
    }

    /// Returns the position of the entries in `range` within the file.
    pub fn place_of(self, range: Range<usize>) -> Range<usize> {
        self.0.place_of(range)
    }

    /// Returns its `TREE` extension, if it has one.
    pub fn cache(self) -> Option<gix::index::extension::Tree> {
        self.0.cache()
    }
}

fn decode(raw: &Raw, path: PathBuf) -> anyhow::Result<gix::index::File> {
    let (state, _) = State::from_bytes(&raw.bytes, raw.timestamp, raw.hash, Default::default())
        .with_context(|| format!("cannot read the index {}", path.display()))?;
    Ok(gix::index::File::from_state(state, path))
}

/// An index that was decoded already.
impl From<gix::index::File> for Index {
    fn from(index: gix::index::File) -> Self {
        Index { path: index.path().to_owned(), form: Form::Decoded(Box::new(index)) }
    }
}

/// Reads and decodes an index, see [`Index::read`].
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn read(repo: &gix::Repository, path: &Path) -> anyhow::Result<gix::index::File> {
    let skip_hash = true;
    let cannot = || format!("cannot read the index {}", path.display());
    let index = gix::index::File::at_or_default(path, repo.object_hash(), skip_hash, Default::default())
        .with_context(cannot)?;
    // A misplaced path would not be found: its file would count as untracked, and be in the tree twice.
    index.verify_entries().with_context(cannot)?;
    sparse::expand(repo, index)
}

/// Returns the index as it is in its file, if it has the usual form.
fn raw(file: File, hash: gix::hash::Kind) -> std::io::Result<Option<Raw>> {
    let meta = file.metadata()?;
    let content = Content::of(file, usize::try_from(meta.len()).unwrap_or(0))?;
    Ok(Raw::new(content, FileTime::from_last_modification_time(&meta), hash))
}

/// Returns the first number in `range` for which `is` is false; it has to be true for all numbers before that one,
/// and for none after it.
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
