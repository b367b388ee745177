//! Writes reflog entries as git does, so that users can find former values of a ref.
//!
//! See `core.logAllRefUpdates` of <https://git-scm.com/docs/git-config>.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use gix::{
    ObjectId,
    actor::Signature,
    bstr::{BStr, ByteSlice as _},
};

use super::{
    claim::{is_missing, remove_empty_folders},
    ident::{self, Role},
};
use crate::permissions::{make_folders, share};

/// A reflog entry.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The old value of the ref; `None` if the ref is new.
    pub old: Option<ObjectId>,
    /// The new value.
    pub new: ObjectId,
    /// Who updated the ref, and when.
    pub by: &'a Signature,
    /// The message, in one line.
    pub reason: &'a BStr,
}

/// Appends an entry to the reflog of the ref `name` below `base`.
///
/// # Errors
///
/// If it cannot be written.
pub fn append(repo: &gix::Repository, base: &Path, name: &Path, line: Line<'_>) -> io::Result<()> {
    Log::open(repo, base, name)?.append(line)
}

/// The reflog of a ref, if it has one.
#[derive(Debug)]
pub struct Log<'repo> {
    repo: &'repo gix::Repository,
    file: Option<File>,
}

impl<'repo> Log<'repo> {
    /// Opens the reflog of the ref `name` below `base`, or creates it if `core.logAllRefUpdates` demands one.
    ///
    /// # Errors
    ///
    /// If it cannot be opened or created.
    pub fn open(repo: &'repo gix::Repository, base: &Path, name: &Path) -> io::Result<Self> {
        let path = base.join("logs").join(name);
        let file = match OpenOptions::new().append(true).open(&path) {
            Ok(file) => Some(file),
            Err(error) if !is_missing(&error) => return Err(error),
            Err(_) if begins_log(repo, name) => Some(begin(repo, &path)?),
            Err(_) => None,
        };
        Ok(Self { repo, file })
    }

    /// Appends an entry.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn append(self, line: Line<'_>) -> io::Result<()> {
        // One write, so that the entries of concurrent writers do not mix.
        self.file.map_or(Ok(()), |mut file| file.write_all(&text(self.repo, line)?))
    }
}

/// Deletes the reflog of the ref `name` below `base`, and the directories that become empty.
pub(super) fn delete(base: &Path, name: &Path) -> io::Result<()> {
    let logs = base.join("logs");
    let path = logs.join(name);
    match fs::remove_file(&path) {
        Err(error) if !is_missing(&error) => Err(error),
        _ => {
            super::remove_empty_parents(&logs, &path);
            Ok(())
        }
    }
}

/// Returns the committer for the reflog: as configured, or else `unknown`, where git makes up a name too; with the
/// current time, unless the environment sets another.
///
/// # Errors
///
/// If the configured value is invalid.
pub fn committer(repo: &gix::Repository) -> gix::Result<Signature> {
    let unknown =
        || Signature { name: "unknown".into(), email: "unknown@localhost".into(), time: ident::now() };
    ident::signature(repo, Role::Committer).unwrap_or_else(|| Ok(unknown()))
}

/// Whether a reflog is created for a ref of this name.
fn begins_log(repo: &gix::Repository, name: &Path) -> bool {
    let config = repo.config_snapshot();
    let key = "core.logAllRefUpdates";
    if config.string(key).is_some_and(|value| value.eq_ignore_ascii_case(b"always")) {
        return true;
    }
    let usual = ["refs/heads", "refs/remotes", "refs/notes"];
    config.boolean(key).unwrap_or(!repo.is_bare())
        && (name == Path::new("HEAD") || usual.iter().any(|folder| name.starts_with(folder)))
}

fn begin(repo: &gix::Repository, path: &Path) -> io::Result<File> {
    path.parent().map_or(Ok(()), |folder| make_folders(repo, folder))?;
    if path.is_dir() {
        // Directories of reflogs that were deleted.
        remove_empty_folders(path)?;
    }
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    share(repo, path)?;
    Ok(file)
}

fn text(repo: &gix::Repository, line: Line<'_>) -> io::Result<Vec<u8>> {
    let old = line.old.unwrap_or(repo.object_hash().null());
    let mut text = format!("{old} {} ", line.new).into_bytes();
    let mut time = gix::date::parse::TimeBuf::default();
    line.by.to_ref(&mut time).write_to(&mut text)?;
    // git replaces line ends and repeated spaces by one space.
    let words: Vec<&[u8]> = line.reason.fields().collect();
    if !words.is_empty() {
        text.push(b'\t');
        text.extend(words.join(b" ".as_slice()));
    }
    text.push(b'\n');
    Ok(text)
}
