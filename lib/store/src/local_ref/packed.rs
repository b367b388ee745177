//! Reads `packed-refs`, and rewrites it without the refs that are deleted.
//!
//! An update only looks up refs in it. Deleting a packed ref means writing the whole file anew, under its lock and
//! once for all refs that are deleted. See <https://git-scm.com/docs/git-pack-refs>.

use std::{collections::BTreeSet, fs, io, path::Path};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice as _},
    refs::{FullName, FullNameRef, packed},
};

use super::{RefError, claim::LockFile};
use crate::durable::Flushing;

/// The name of the file in the common directory.
pub(super) const NAME: &str = "packed-refs";

/// The packed refs, which are read again whenever the file has changed.
#[derive(Default)]
pub(super) struct Packed {
    seen: Option<(Stamp, packed::Buffer)>,
}

/// Metadata that changes with the file: it is always replaced, never modified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<std::time::SystemTime>,
    bytes: u64,
    inode: u64,
}

impl Packed {
    /// Returns the value of `name`, if it is packed.
    pub fn find(&mut self, repo: &gix::Repository, name: &FullNameRef) -> gix::Result<Option<ObjectId>> {
        let Some(buffer) = self.fresh(repo)? else { return Ok(None) };
        Ok(buffer.try_find(name)?.map(|found| found.target()))
    }

    /// Returns a packed ref below the directory `name`.
    pub fn below(&mut self, repo: &gix::Repository, name: &FullNameRef) -> gix::Result<Option<FullName>> {
        let Some(buffer) = self.fresh(repo)? else { return Ok(None) };
        let mut prefix = name.as_bstr().to_owned();
        prefix.push(b'/');
        match buffer.iter_prefixed(prefix)?.next() {
            Some(found) => Ok(Some(found?.name.to_owned())),
            None => Ok(None),
        }
    }

    fn fresh(&mut self, repo: &gix::Repository) -> gix::Result<Option<&packed::Buffer>> {
        let Some(stamp) = Stamp::of(repo)? else {
            self.seen = None;
            return Ok(None);
        };
        if self.seen.as_ref().is_none_or(|(seen, _)| *seen != stamp) {
            // If the file is replaced between these two steps, it is read again the next time.
            self.seen = repo.refs.open_packed_buffer()?.map(|buffer| (stamp, buffer));
        }
        Ok(self.seen.as_ref().map(|(_, buffer)| buffer))
    }
}

impl Stamp {
    /// Reads the metadata of the packed refs of `repo`; `None` if there is no such file.
    pub fn of(repo: &gix::Repository) -> gix::Result<Option<Self>> {
        let meta = match fs::metadata(repo.refs.packed_refs_path()) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(gix::Error::from_error(error)),
        };
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&meta);
        #[cfg(not(unix))]
        let inode = 0;
        Ok(Some(Self { modified: meta.modified().ok(), bytes: meta.len(), inode }))
    }
}

/// Returns the content of the file, whose lock is held, without the refs `gone`; `None` if it does not contain them.
/// Everything else stays the same, byte for byte.
pub(super) fn rewritten(lock: &LockFile, gone: &BTreeSet<&BStr>) -> Result<Option<BString>, RefError> {
    let path = lock.target();
    if is_link(path) {
        return Err(RefError::Other(anyhow::anyhow!(
            "{} is a link, and a ref in it cannot be deleted here",
            path.display()
        )));
    }
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|error| unreadable(path, error))?,
    };
    let kept = without(&text, gone);
    Ok((kept.len() < text.len()).then_some(kept))
}

/// Writes the file, which stays locked.
pub(super) fn replace(
    repo: &gix::Repository,
    lock: &LockFile,
    text: &[u8],
    flushing: Flushing,
) -> Result<(), RefError> {
    lock.replace(repo, text, flushing)?;
    repo.refs.force_refresh_packed_buffer().map_err(|error| unreadable(lock.target(), error))
}

fn unreadable(path: &Path, error: impl Into<anyhow::Error>) -> RefError {
    RefError::doing(format!("cannot read {}", path.display()), error)
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink())
}

/// Returns the lines that do not belong to refs in `gone`. A line that begins with `^` belongs to the ref before it.
fn without(text: &[u8], gone: &BTreeSet<&BStr>) -> BString {
    let mut kept = BString::default();
    let mut keeps = true;
    for line in text.lines_with_terminator() {
        match line.first() {
            Some(b'#') => keeps = true,
            Some(b'^') => {}
            _ => {
                let name = line.trim_ascii_end().splitn_str(2, " ").nth(1).unwrap_or_default();
                keeps = !gone.contains(name.as_bstr());
            }
        }
        if keeps {
            kept.extend_from_slice(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ref_goes_together_with_what_it_peels_to() {
        let text = b"# pack-refs with: peeled fully-peeled sorted \n\
            1 refs/tags/a\n^2\n3 refs/tags/b\n^4\n5 refs/tags/bb\n";
        let gone = [BStr::new("refs/tags/b")].into();
        assert_eq!(
            without(text, &gone),
            "# pack-refs with: peeled fully-peeled sorted \n1 refs/tags/a\n^2\n5 refs/tags/bb\n"
        );
        assert_eq!(without(text, &BTreeSet::new()), text.as_bstr());
    }
}
