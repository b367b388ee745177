//! Reads a file of the working tree and converts it to the content that git stores for it.
//!
//! Line endings, encodings, `$Id$` and filters all make a difference. And a file may change while it is read: its
//! stat data are taken before and after, and only if they agree do content and stat data belong together. Otherwise
//! the index would record a half-read file as unchanged.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::index::entry::Mode;
use gix::objs::Kind as ObjectKind;
use gix::worktree::stack::state::attributes::Source;
pub use scan::Abilities;
use scan::{NestedHead, nested_head};

use super::sink::Sink;
use crate::convert::{Conversions, EncodingFailed, FilterFailed, ToGit};
use crate::watch::Watch;
use crate::worktree::disk::{Disk, Found, Kind, is_missing, lstat};

/// Files of at least this size are not read into memory, unless they have to be converted as a whole.
const LARGE: u64 = 8 * 1024 * 1024;
/// How often a file that changes while it is read is tried.
const ATTEMPTS: usize = 5;

/// The result of reading one path.
#[derive(Debug)]
pub enum Content {
    /// Its object, and its stat data at that time.
    Read {
        /// The id of the object that git stores for it.
        id: ObjectId,
        /// What was there while it was read.
        found: Found,
    },
    /// Nothing is there, or no longer.
    Missing,
    /// A directory that is not a repository with a commit, or something that git cannot store.
    NotAFile(Found),
    /// A nested repository whose `HEAD` cannot be read.
    UnreadableRepository,
    /// It changed during each attempt to read it.
    KeepsChanging,
    /// A required filter failed.
    FilterFailed(FilterFailed),
    /// It is in another encoding than UTF-8, and could not be converted to it.
    EncodingFailed(EncodingFailed),
    /// It could not be read or converted; the reason as text.
    Failed(String),
}

/// Whether objects are stored, or only their ids are computed.
pub enum Into<'a> {
    /// Store them here.
    Sink(&'a mut dyn Sink),
    /// Only compute their ids.
    Nowhere,
}

/// Reads files of the working tree as git would.
pub struct Reader<'repo> {
    repo: &'repo gix::Repository,
    conversions: Conversions<'repo>,
}

impl<'repo> Reader<'repo> {
    /// Creates a reader for the working tree of `repo`. Attributes come from the working tree, or from `index` where
    /// their files are not checked out.
    ///
    /// # Errors
    /// The configuration of filters or attributes is wrong.
    pub fn new(repo: &'repo gix::Repository, index: &gix::index::State) -> anyhow::Result<Self> {
        Ok(Reader { repo, conversions: Conversions::new(repo, index, Source::WorktreeThenIdMapping)? })
    }

    /// Reads what is at `path`. `index` tells which line endings were stored so far.
    ///
    /// # Errors
    /// The object database failed, or the run lost its lock. Problems with the file itself are reported in
    /// [`Content`].
    pub fn read(
        &mut self,
        disk: &mut Disk,
        path: &BStr,
        index: &gix::index::State,
        mut into: Into<'_>,
        watch: &dyn Watch,
    ) -> anyhow::Result<Content> {
        let full = disk.full(path)?;
        for _ in 0..ATTEMPTS {
            let Some(before) = disk.look(path)? else { return Ok(Content::Missing) };
            watch.alive();
            let id = match before.kind {
                Kind::File { .. } => self.file(&full, &before, path, index, &mut into, watch),
                Kind::Link => self.link(&full, &mut into),
                Kind::Folder => match nested_head(&full) {
                    NestedHead::Commit(id) => Ok(Some(id)),
                    NestedHead::None => return Ok(Content::NotAFile(before)),
                    NestedHead::Unreadable => return Ok(Content::UnreadableRepository),
                },
                Kind::Other => return Ok(Content::NotAFile(before)),
            };
            let id = match id {
                Ok(id) => id,
                Err(Trouble::File(error)) if is_missing(&error) => None,
                Err(Trouble::File(error)) => return Ok(Content::Failed(error.to_string())),
                Err(Trouble::Filter(error)) => {
                    let error = match error.downcast::<FilterFailed>() {
                        Ok(failed) => return Ok(Content::FilterFailed(failed)),
                        Err(error) => error,
                    };
                    return Ok(match error.downcast::<EncodingFailed>() {
                        Ok(failed) => Content::EncodingFailed(failed),
                        Err(error) => Content::Failed(format!("{error:#}")),
                    });
                }
                Err(Trouble::Store(error)) => return Err(error),
            };
            let after = disk.look(path)?;
            if let (Some(id), Some(after)) = (id, after)
                && before.kind == after.kind
                && (before.kind == Kind::Folder || (before.stat, before.len) == (after.stat, after.len))
            {
                return Ok(Content::Read { id, found: after });
            }
        }
        Ok(Content::KeepsChanging)
    }

    /// Returns the id of the object that git would store for the file or symbolic link at `full` if it were at
    /// `path`; `None` if it cannot be read.
    pub fn id_elsewhere(&mut self, full: &Path, path: &BStr, index: &gix::index::State) -> Option<ObjectId> {
        let found = lstat(full).ok()??;
        let id = match found.kind {
            Kind::Link => self.link(full, &mut Into::Nowhere),
            Kind::File { .. } => self.file(full, &found, path, index, &mut Into::Nowhere, &()),
            Kind::Folder | Kind::Other => return None,
        };
        id.ok()?
    }

    fn link(&self, full: &Path, into: &mut Into<'_>) -> Result<Option<ObjectId>, Trouble> {
        let target = std::fs::read_link(full).map_err(Trouble::File)?;
        let target = gix::path::into_bstr(target).map_err(|error| Trouble::Filter(error.into()))?;
        put(self.repo, into, &target).map(Some)
    }

    /// Returns the object id of a regular file; `None` if the file is no longer the one that was examined.
    fn file(
        &mut self,
        full: &Path,
        before: &Found,
        path: &BStr,
        index: &gix::index::State,
        into: &mut Into<'_>,
        watch: &dyn Watch,
    ) -> Result<Option<ObjectId>, Trouble> {
        let open = || -> Result<Option<File>, Trouble> {
            let file = open_plainly(full).map_err(Trouble::File)?;
            let meta = gix::index::fs::Metadata::from_file(&file)
                .and_then(|meta| Found::new(&meta))
                .map_err(Trouble::File)?;
            Ok((meta.kind == before.kind && meta.stat == before.stat && meta.len == before.len)
                .then_some(file))
        };
        let Some(file) = open()? else { return Ok(None) };
        match self.conversions.to_git(file, path, index).map_err(Trouble::Filter)? {
            ToGit::Bytes(bytes) => put(self.repo, into, &bytes).map(Some),
            ToGit::Unchanged(mut file) if before.len < LARGE => {
                let mut bytes = Vec::with_capacity(usize::try_from(before.len).unwrap_or(0) + 1);
                file.read_to_end(&mut bytes).map_err(Trouble::File)?;
                put(self.repo, into, &bytes).map(Some)
            }
            ToGit::Unchanged(mut file) => {
                let known = hash(self.repo, &mut file, before.len, watch)?;
                let Some(known) = known else { return Ok(None) };
                let Into::Sink(sink) = into else { return Ok(Some(known)) };
                if sink.holds(&known) {
                    return Ok(Some(known));
                }
                let Some(file) = open()? else { return Ok(None) };
                let mut exactly = Exactly { file, left: before.len, watch };
                let stored = sink.put_stream(ObjectKind::Blob, before.len, &mut exactly);
                // If it was cut short, the file has changed; the disk has not failed.
                if exactly.left > 0 { Ok(None) } else { stored.map(Some).map_err(Trouble::Store) }
            }
        }
    }
}

enum Trouble {
    /// The file could not be opened or read.
    File(io::Error),
    /// A filter or conversion failed.
    Filter(anyhow::Error),
    /// The object database failed.
    Store(anyhow::Error),
}

/// Opens a regular file without following a symbolic link, and without waiting for a writer if it has become a pipe
/// meanwhile.
fn open_plainly(full: &Path) -> io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags((rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW).bits() as i32);
    }
    options.open(full)
}

fn put(repo: &gix::Repository, into: &mut Into<'_>, bytes: &[u8]) -> Result<ObjectId, Trouble> {
    match into {
        Into::Sink(sink) => sink.put(ObjectKind::Blob, bytes).map_err(Trouble::Store),
        Into::Nowhere => gix::objs::compute_hash(repo.object_hash(), ObjectKind::Blob, bytes)
            .context("cannot hash")
            .map_err(Trouble::Store),
    }
}

/// Returns the object id of a large file; `None` if it is not `len` bytes long.
fn hash(
    repo: &gix::Repository,
    file: &mut File,
    len: u64,
    watch: &dyn Watch,
) -> Result<Option<ObjectId>, Trouble> {
    let mut hasher = gix::hash::hasher(repo.object_hash());
    hasher.update(&gix::objs::encode::loose_header(ObjectKind::Blob, len));
    let mut buffer = vec![0; 256 * 1024];
    let mut left = len;
    loop {
        let read = file.read(&mut buffer).map_err(Trouble::File)?;
        watch.alive();
        if read == 0 {
            break;
        }
        let Some(rest) = left.checked_sub(read as u64) else { return Ok(None) };
        left = rest;
        hasher.update(&buffer[..read]);
    }
    let id = hasher.try_finalize().context("cannot hash").map_err(Trouble::Store)?;
    Ok((left == 0).then_some(id))
}

/// Reads exactly as many bytes as announced, or fails: an object with a wrong length would be corrupt.
struct Exactly<'a> {
    file: File,
    left: u64,
    watch: &'a dyn Watch,
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.watch.alive();
        if self.left == 0 {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        if read == 0 && most > 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file became shorter while it was read",
            ));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// Those of `paths` that differ from `index` or are not in it. What cannot be determined counts as changed.
///
/// # Errors
/// The configuration is wrong, or the index damaged.
pub fn changed(
    repo: &gix::Repository,
    index: &scan::Index,
    mut paths: Vec<BString>,
) -> anyhow::Result<Vec<BString>> {
    if paths.is_empty() {
        return Ok(paths);
    }
    let root = repo.workdir().context("a bare repository has no work tree")?;
    let (state, abilities) = (index.decoded()?, Abilities::of(repo)?);
    let mut reader = Reader::new(repo, state)?;
    let mut is_same = |path: &BStr| -> Option<bool> {
        let entry = index.find(path)?;
        let full = root.join(gix::path::from_bstr(path).ok()?);
        let mode = mode(lstat(&full).ok()??.kind, Some(entry.mode), abilities)?;
        Some(mode == entry.mode && reader.id_elsewhere(&full, path, state)?.as_ref() == entry.id)
    };
    paths.retain(|path| is_same(path.as_bstr()) != Some(true));
    Ok(paths)
}

/// The mode that the index should record for what was found, given the mode it has.
///
/// On a file system without executable bits or symbolic links, the index knows better than the disk.
pub fn mode(found: Kind, before: Option<Mode>, abilities: Abilities) -> Option<Mode> {
    match found {
        Kind::Folder => Some(Mode::COMMIT),
        Kind::Link => Some(Mode::SYMLINK),
        Kind::Other => None,
        Kind::File { .. } if !abilities.links && before == Some(Mode::SYMLINK) => before,
        Kind::File { .. } if !abilities.executable => Some(
            before.filter(|mode| matches!(*mode, Mode::FILE | Mode::FILE_EXECUTABLE)).unwrap_or(Mode::FILE),
        ),
        Kind::File { executable: true } => Some(Mode::FILE_EXECUTABLE),
        Kind::File { executable: false } => Some(Mode::FILE),
    }
}
