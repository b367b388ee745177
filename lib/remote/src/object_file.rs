//! Writes loose objects.
//!
//! gix writes them as well, but under temporary names that cannot be told from those of other programs and that git
//! does not know: a process that is killed would leave its file behind for good.

use std::{
    fs,
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

use gix::{
    ObjectId, Repository,
    objs::{Kind, encode::loose_header},
    zlib::stream::deflate,
};

use crate::{
    permissions::{make_folders, share},
    temporary::Temporary,
};

/// How often a directory is created again if it vanishes before a file is in it: `git gc` removes empty ones.
const ATTEMPTS: usize = 10;

/// Writes the object `id` into the object database of `repo`, even if it exists there already.
///
/// # Errors
///
/// If it cannot be written.
pub fn write(repo: &Repository, id: ObjectId, kind: Kind, data: &[u8]) -> io::Result<()> {
    let write = || {
        let draft = draft(repo)?;
        let mut out = deflate::Write::new(draft.file(), repo.objects.loose_compression);
        out.write_all(&loose_header(kind, data.len() as u64))?;
        out.write_all(data)?;
        out.flush()?;
        publish(repo, draft, id)
    };
    write().map_err(|error| named(repo, &error))
}

/// Writes an object of `size` bytes that is too large for memory, and returns its id. `read` must yield `size` bytes.
///
/// # Errors
///
/// If it cannot be written, or if `read` fails or yields another number of bytes; nothing is stored then.
pub fn write_stream(repo: &Repository, kind: Kind, size: u64, read: &mut dyn Read) -> io::Result<ObjectId> {
    let here = |error| named(repo, &error);
    let draft = draft(repo).map_err(here)?;
    let mut hasher = gix::hash::hasher(repo.object_hash());
    let mut out = deflate::Write::new(draft.file(), repo.objects.loose_compression);
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
    publish(repo, draft, id).map_err(here)?;
    Ok(id)
}

/// Returns the path of the loose object `id`.
#[must_use]
pub fn path(repo: &Repository, id: &ObjectId) -> PathBuf {
    let hex = id.to_hex().to_string();
    objects(repo).join(&hex[..2]).join(&hex[2..])
}

fn draft(repo: &Repository) -> io::Result<Temporary> {
    Temporary::create(objects(repo), "obj")
}

fn objects(repo: &Repository) -> &Path {
    repo.objects.store_ref().path()
}

/// Adds to an error what was being done, and where.
fn named(repo: &Repository, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write an object into {}: {error}", objects(repo).display()))
}

fn publish(repo: &Repository, draft: Temporary, id: ObjectId) -> io::Result<()> {
    let target = path(repo, &id);
    share(repo, draft.path())?;
    let rename = || fs::rename(draft.path(), &target);
    let mut renamed = rename();
    for _ in 0..ATTEMPTS {
        if !renamed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            break;
        }
        target.parent().map_or(Ok(()), |folder| make_folders(repo, folder))?;
        renamed = rename();
    }
    match renamed {
        // Windows does not replace a file that is open for reading; it is the same object.
        Err(_) if cfg!(windows) && target.exists() => Ok(()),
        result => result,
    }
}
