//! Writes loose objects.
//!
//! gix writes them as well, but under temporary names that cannot be told from those of other programs and that git
//! does not know: a process that is killed would leave its file behind for good.

use std::{
    fs::{self, File},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

use gix::{
    ObjectId, Repository,
    hashtable::HashSet,
    objs::{Kind, encode::loose_header},
    zlib::stream::deflate,
};

use crate::{
    durable::{Durability, Part},
    permissions::{make_folders, share},
    temporary::{self, Folder},
};

/// How often a directory is created again if it vanishes before a file is in it: `git gc` removes empty ones.
const ATTEMPTS: usize = 10;

/// Loose objects that have been written but not named yet: none must be found by its name before it is on disk, since
/// after a power failure that could be the name of an empty file. Dropping it deletes them.
pub struct Drafts<'repo> {
    repo: &'repo Repository,
    folder: Option<Folder>,
    written: HashSet<ObjectId>,
}

impl<'repo> Drafts<'repo> {
    /// Creates an empty set of drafts for `repo`.
    #[must_use]
    pub fn new(repo: &'repo Repository) -> Self {
        Self { repo, folder: None, written: HashSet::default() }
    }

    /// Whether the object `id` is one of them.
    #[must_use]
    pub fn has(&self, id: &ObjectId) -> bool {
        self.written.contains(id)
    }

    /// Writes the object `id`, even if the repository contains it already.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&mut self, id: ObjectId, kind: Kind, data: &[u8]) -> io::Result<()> {
        if self.has(&id) {
            return Ok(());
        }
        let repo = self.repo;
        let mut write = || {
            let path = self.folder()?.join(id.to_hex().to_string());
            let mut out = deflate::Write::new(create(&path)?, repo.objects.loose_compression);
            out.write_all(&loose_header(kind, data.len() as u64))?;
            out.write_all(data)?;
            out.flush()
        };
        write().map_err(|error| named(repo, &error))?;
        self.written.insert(id);
        Ok(())
    }

    /// Writes an object of `size` bytes that is too large for memory, and returns its id. `read` must yield `size`
    /// bytes.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or if `read` fails or yields another number of bytes; the object is dropped then.
    pub fn write_stream(&mut self, kind: Kind, size: u64, read: &mut dyn Read) -> io::Result<ObjectId> {
        let repo = self.repo;
        let here = |error| named(repo, &error);
        let path = self.folder().map_err(here)?.join("stream");
        let mut hasher = gix::hash::hasher(repo.object_hash());
        let mut out = deflate::Write::new(create(&path).map_err(here)?, repo.objects.loose_compression);
        let mut put = |bytes: &[u8]| {
            hasher.update(bytes);
            out.write_all(bytes).map_err(here)
        };
        put(&loose_header(kind, size))?;
        let (mut buffer, mut left) = (vec![0; 64 * 1024], size);
        loop {
            let count = match read.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count?,
            };
            left = match (count, left.checked_sub(count as u64)) {
                (0, _) if left == 0 => break,
                (1.., Some(left)) => left,
                _ => return Err(io::Error::other("it is not as long as it was said to be")),
            };
            put(&buffer[..count])?;
        }
        out.flush().map_err(here)?;
        let id = hasher.try_finalize().map_err(io::Error::other)?;
        fs::rename(&path, path.with_file_name(id.to_hex().to_string())).map_err(here)?;
        self.written.insert(id);
        Ok(id)
    }

    /// Makes them part of the repository: flushes their contents, gives them their names, and flushes these, as far as
    /// `core.fsync` demands it.
    ///
    /// # Errors
    ///
    /// If one of them cannot be flushed or renamed.
    pub fn publish(&mut self) -> io::Result<()> {
        let Some(folder) = self.folder.take() else { return Ok(()) };
        let written = std::mem::take(&mut self.written);
        let publish = || {
            let root = objects(self.repo);
            let flushing = Durability::of(self.repo).flushing(Part::LooseObject);
            let draft = |id: &ObjectId| folder.path().join(id.to_hex().to_string());
            flushing.contents(root, &written.iter().map(draft).collect::<Vec<_>>())?;
            let (mut files, mut has_new_folders) = (Vec::with_capacity(written.len()), false);
            for id in &written {
                let file = path(self.repo, id);
                has_new_folders |= name(self.repo, &draft(id), &file)?;
                files.push(file);
            }
            flushing.names(root, &files)?;
            if has_new_folders { flushing.folder(root) } else { Ok(()) }
        };
        publish().map_err(|error| named(self.repo, &error))
    }

    /// Returns this process's own quarantine directory, named like git's: `tmp_objdir-…`.
    fn folder(&mut self) -> io::Result<&Path> {
        if self.folder.is_none() {
            self.folder = Some(Folder::new(objects(self.repo))?);
        }
        self.folder.as_ref().map(Folder::path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Returns the path of the loose object `id`.
#[must_use]
pub fn path(repo: &Repository, id: &ObjectId) -> PathBuf {
    let hex = id.to_hex().to_string();
    objects(repo).join(&hex[..2]).join(&hex[2..])
}

/// A file for one object; what is left there of one that was not written to its end is removed.
fn create(path: &Path) -> io::Result<File> {
    match temporary::options().open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            temporary::options().open(path)
        }
        file => file,
    }
}

fn objects(repo: &Repository) -> &Path {
    repo.objects.store_ref().path()
}

/// Adds to an error what was being done, and where.
fn named(repo: &Repository, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write an object into {}: {error}", objects(repo).display()))
}

/// Gives a draft its name, and says whether the folder had to be made for that.
fn name(repo: &Repository, draft: &Path, target: &Path) -> io::Result<bool> {
    share(repo, draft)?;
    let rename = || fs::rename(draft, target);
    let (mut renamed, mut has_new_folder) = (rename(), false);
    for _ in 0..ATTEMPTS {
        if !renamed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            break;
        }
        target.parent().map_or(Ok(()), |folder| make_folders(repo, folder))?;
        (renamed, has_new_folder) = (rename(), true);
    }
    match renamed {
        // Windows does not replace a file that is open for reading; it is the same object.
        Err(_) if cfg!(windows) && target.exists() => Ok(has_new_folder),
        result => result.map(|()| has_new_folder),
    }
}
