//! A cache of what directories contained, so that those that have not changed need not be listed again.
//!
//! Listing a directory takes longer than reading its stat data. Any name that is added to or removed from a directory
//! changes the directory's own times; so a directory with the same times as before contains the same names, if the
//! file system is reliable in this, and if the times were not so recent when they were recorded that another change
//! would not have shown. What is recorded of a directory is a fingerprint of its names: if it equals that of the
//! names in the index, the directory contains nothing that the index does not know. The stat data of files are read
//! all the same.
//!
//! It corresponds to git's untracked cache, with less in it, and like that it is off if `core.untrackedCache` is
//! false. See <https://git-scm.com/docs/git-update-index#_untracked_cache>.

use std::collections::hash_map::DefaultHasher;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use gix::bstr::BStr;

use crate::folder::{Folder, Identity};

/// The name of the cache's file in the worktree's git directory.
const FILE: &str = "lockstep-folders";
/// The first bytes of the file.
const MAGIC: &[u8; 8] = b"folders1";
/// The length of everything before the records: the magic, the salt, and the file system's number.
const HEAD: usize = 24;
/// The length of a record in the file.
const RECORD: usize = 48;
/// A buffer size that suffices for the names of most directories.
const NAMES: usize = 4096;
/// The age in seconds from which a directory's times can be trusted: some file systems have a resolution of two
/// seconds.
const OLD: i64 = 3;
/// The cache is written only if at least so many of its records are new, and at least one in so many of all.
const WORTH: (usize, usize) = (64, 50);

/// The cache of the directories of a working tree.
#[derive(Debug)]
pub struct UntrackedCache {
    /// The path of its file; `None` if nothing can be cached.
    path: Option<PathBuf>,
    /// Makes the fingerprints unpredictable for those who choose file names.
    salt: u64,
    /// The number of the working tree's file system. Directories on file systems mounted below it are not cached.
    dev: u64,
    /// Sorted by the fingerprint of the path.
    records: Vec<Record>,
    /// The second in which the scan began.
    now: i64,
}

/// What is cached of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The fingerprint of its path.
    path: u64,
    /// The directory's identity, which includes when it was last changed.
    identity: Identity,
    /// The fingerprint of the names in it.
    names: u64,
}

impl UntrackedCache {
    /// Returns a cache that is off.
    pub fn off() -> Self {
        UntrackedCache { path: None, salt: 0, dev: 0, records: Vec::new(), now: 0 }
    }

    /// Reads the cache of the working tree whose top directory is `root`.
    pub fn of(repo: &gix::Repository, root: &Folder) -> Self {
        let is_wanted = repo.config_snapshot().boolean("core.untrackedCache").unwrap_or(true);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        let now = now.and_then(|since| i64::try_from(since.as_secs()).ok());
        let (Some(dev), Some(now), true) = (root.reliable(), now, is_wanted) else {
            return UntrackedCache::off();
        };
        let path = repo.git_dir().join(FILE);
        let fresh = || (RandomState::new().build_hasher().finish(), Vec::new());
        // An unreadable file is replaced; it is only a cache.
        let (salt, records) =
            std::fs::read(&path).ok().and_then(|bytes| decode(&bytes, dev)).unwrap_or_else(fresh);
        UntrackedCache { path: Some(path), salt, dev, records, now }
    }

    /// Whether anything can be cached at all.
    pub fn is_on(&self) -> bool {
        self.path.is_some()
    }

    /// Returns the record of the directory `path`.
    pub fn recall(&self, path: &BStr) -> Option<&Record> {
        if self.records.is_empty() {
            return None;
        }
        let path = self.fingerprint_of(path);
        let at = self.records.binary_search_by_key(&path, |record| record.path).ok()?;
        self.records.get(at)
    }

    /// Returns a new record of the directory `path`, which was `identity` just before its names were read; `None` if
    /// it may change without a trace.
    pub fn learn(&self, path: &BStr, identity: Identity, names: u64) -> Option<Record> {
        let is_old = identity.changed_last().checked_add(OLD).is_some_and(|safe| safe <= self.now);
        let is_here = identity.dev == self.dev;
        (self.is_on() && is_old && is_here).then(|| Record {
            path: self.fingerprint_of(path),
            identity,
            names,
        })
    }

    /// Begins a fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint { salt: self.salt, names: Vec::with_capacity(NAMES) }
    }

    /// Returns the next cache, if `records` are all that it is to contain; `None` if it is not worth writing.
    pub fn after(&self, mut records: Vec<Record>) -> Option<CacheUpdate> {
        let path = self.path.clone()?;
        let is_new = |record: &&Record| {
            let at = self.records.binary_search_by_key(&record.path, |known| known.path);
            at.ok().and_then(|at| self.records.get(at)) != Some(record)
        };
        let new = records.iter().filter(is_new).count();
        let (least, share) = WORTH;
        if new < least.max(records.len() / share) {
            return None;
        }
        records.sort_unstable_by_key(|record| record.path);
        Some(CacheUpdate { path, bytes: encode(self.salt, self.dev, &records) })
    }

    fn fingerprint_of(&self, path: &BStr) -> u64 {
        hash(self.salt, path)
    }
}

impl Record {
    /// Whether the directory still has the recorded identity. Then no name was added or removed since.
    pub fn is_of(&self, identity: Identity) -> bool {
        self.identity == identity
    }

    /// Whether the directory contained exactly the names that have the fingerprint `names`.
    pub fn holds(&self, names: u64) -> bool {
        self.names == names
    }
}

/// A fingerprint of the names in a directory, in the order of the index.
pub struct Fingerprint {
    salt: u64,
    /// All names: hashing them one by one takes several times as long.
    names: Vec<u8>,
}

impl Fingerprint {
    /// Adds the next name.
    pub fn add(&mut self, name: &[u8], is_folder: bool) {
        self.names.extend_from_slice(name);
        self.names.push(if is_folder { b'/' } else { 0 });
    }

    /// Returns the fingerprint of all names.
    pub fn finish(self) -> u64 {
        hash(self.salt, &self.names)
    }
}

fn hash(salt: u64, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(salt);
    hasher.write(bytes);
    hasher.finish()
}

/// A new version of the cache, to be written.
#[derive(Debug, Clone)]
pub struct CacheUpdate {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl CacheUpdate {
    /// Writes the file, replacing the previous one. Only one run at a time may do so.
    ///
    /// If it is lost or damaged, the next scan lists all directories again; so it is not made durable.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self) -> io::Result<()> {
        let new: &Path = &self.path.with_extension("new");
        std::fs::write(new, &self.bytes)?;
        std::fs::rename(new, &self.path)
    }
}

fn encode(salt: u64, dev: u64, records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + records.len() * RECORD + 8);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&salt.to_le_bytes());
    bytes.extend_from_slice(&dev.to_le_bytes());
    for Record { path, identity, names } in records {
        bytes.extend_from_slice(&path.to_le_bytes());
        bytes.extend_from_slice(&names.to_le_bytes());
        bytes.extend_from_slice(&identity.ino.to_le_bytes());
        for (secs, nsecs) in [identity.mtime, identity.ctime] {
            bytes.extend_from_slice(&(secs << 30 | i64::from(nsecs)).to_le_bytes());
        }
        // Reserved for later fields.
        bytes.extend_from_slice(&[0; 8]);
    }
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Returns the salt and the records; `None` if the file has another format, is for another file system, or is
/// damaged.
fn decode(bytes: &[u8], dev: u64) -> Option<(u64, Vec<Record>)> {
    let (body, sum) = bytes.split_last_chunk::<8>()?;
    let (head, records) = body.split_at_checked(HEAD)?;
    let number = |bytes: &[u8], at: usize| {
        bytes.get(at..at + 8)?.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes))
    };
    let is_ours = head.starts_with(MAGIC) && number(head, 16)? == dev && records.len() % RECORD == 0;
    if !is_ours || checksum(body) != u64::from_le_bytes(*sum) {
        return None;
    }
    let time = |packed: u64| ((packed as i64) >> 30, (packed & ((1 << 30) - 1)) as u32);
    let record = |bytes: &[u8]| {
        let identity = Identity {
            dev,
            ino: number(bytes, 16)?,
            mtime: time(number(bytes, 24)?),
            ctime: time(number(bytes, 32)?),
        };
        Some(Record { path: number(bytes, 0)?, names: number(bytes, 8)?, identity })
    };
    let records = records.chunks_exact(RECORD).map(record).collect::<Option<_>>()?;
    Some((number(head, 8)?, records))
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: u64) -> Record {
        let identity =
            Identity { dev: 7, ino: path + 1, mtime: (1_700_000_000, 999_999_999), ctime: (-5, 3) };
        Record { path, identity, names: 99 }
    }

    #[test]
    fn what_was_written_is_read_and_nothing_of_it_when_a_byte_differs() {
        let records = vec![record(1), record(2)];
        let bytes = encode(42, 7, &records);
        assert_eq!(decode(&bytes, 7), Some((42, records)));
        assert_eq!(decode(&bytes, 8), None);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(decode(&damaged, 7), None, "byte {at}");
            assert_eq!(decode(&bytes[..at], 7), None, "cut at {at}");
        }
    }

    #[test]
    fn a_folder_whose_times_are_young_is_not_remembered() {
        let memory = UntrackedCache {
            path: Some("x".into()),
            salt: 1,
            dev: 7,
            records: Vec::new(),
            now: 1_700_000_002,
        };
        assert_eq!(memory.learn("a".into(), record(1).identity, 99), None);
        let memory = UntrackedCache { now: 1_700_000_003, ..memory };
        assert!(memory.learn("a".into(), record(1).identity, 99).is_some());
    }
}
