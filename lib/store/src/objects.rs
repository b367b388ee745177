//! Reads many objects in sequence, reusing the buffers and the decompressor.
//!
//! After a day's work with git there are thousands of loose objects. gix maps each such file into memory and creates
//! a new decompressor for it, which takes several times as long as reading and inflating those few bytes, and blocks
//! other threads meanwhile. Objects that are not loose, or are large or damaged, are left to gix, which also reports
//! what is wrong.

mod folder;
mod predict;

use std::{
    io::{self, Read},
    path::Path,
};

use gix::{
    ObjectId,
    hash::oid,
    object::Kind,
    objs::{FindExt, compute_hash},
    zlib::{Inflate, Status},
};

use self::{folder::Folder, predict::Versions};
use crate::pack::Receiver;

/// Reads the objects of a repository, ignoring replace refs: the real objects are the ones that are sent or checked.
pub struct Reader {
    repo: gix::Repository,
    loose: Loose,
    hashes: bool,
}

/// Where an object probably is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    /// In a loose object: it was created here, and not long ago.
    Loose,
    /// In a pack: it was received, or is older.
    Packed,
}

/// Verifies that an object has this id.
///
/// # Errors
///
/// If it has another one: the file or pack that contains it is damaged.
pub fn check(id: &oid, kind: Kind, data: &[u8]) -> gix::Result<()> {
    if compute_hash(id.kind(), kind, data)? == id {
        return Ok(());
    }
    Err(gix::Error::from_error(io::Error::other(format!("object {id} is damaged: it is another one"))))
}

impl Reader {
    /// Reads from `repo`; replace refs are ignored.
    pub fn new(mut repo: gix::Repository) -> Self {
        repo.objects.ignore_replacements = true;
        let loose = Loose::of(&repo);
        Self { repo, loose, hashes: false }
    }

    /// Verifies the id of each object that is read, if `receiver` does not do so itself.
    pub fn with(self, receiver: Receiver) -> Self {
        Self { hashes: receiver == Receiver::ObjectDatabase, ..self }
    }

    /// Reads an object into `into`, replacing its content.
    pub fn read(&mut self, id: ObjectId, into: &mut Vec<u8>) -> gix::Result<Kind> {
        self.read_from(Storage::Loose, id, into)
    }

    /// Reads an object, looking in `home` first: a failed attempt to open a file takes longer than reading one.
    pub(crate) fn read_from(&mut self, home: Storage, id: ObjectId, into: &mut Vec<u8>) -> gix::Result<Kind> {
        let in_file = if home == Storage::Loose { self.loose.read(&id, into) } else { None };
        let kind = match in_file {
            Some(kind) => kind,
            None => self.repo.objects.find(&id, into)?.kind,
        };
        if self.hashes {
            check(&id, kind, into)?;
        }
        Ok(kind)
    }

    /// Reads an object that probably differs from `like` in one entry or line only.
    pub fn read_like(&mut self, id: ObjectId, like: &[u8], into: &mut Vec<u8>) -> gix::Result<Kind> {
        // A reader that does not verify ids would have to hash the object for this alone, which takes as long as it
        // saves.
        let read = if self.hashes { self.loose.read_like(&id, like, into) } else { None };
        read.map_or_else(|| self.read(id, into), Ok)
    }

    /// Returns the size of an object.
    pub fn size(&mut self, id: ObjectId) -> gix::Result<u64> {
        match self.loose.size(&id) {
            Some(size) => Ok(size),
            None => Ok(self.repo.find_header(id)?.size()),
        }
    }
}

/// Reads loose objects, ignoring replace refs.
pub struct Loose {
    folder: Folder,
    file: Vec<u8>,
    plain: Vec<u8>,
    inflate: Inflate,
    versions: Versions,
}

/// Larger objects and files are left to gix.
const LARGEST: usize = 256 * 1024;
/// The initial size of the buffers. Hardly any tree or commit is larger, and each thread has a reader.
const ROOM: usize = 16 * 1024;

impl Loose {
    /// Reads the loose objects of a repository.
    #[must_use]
    pub fn of(repo: &gix::Repository) -> Self {
        Self::within(repo.objects.store_ref().path())
    }

    /// Reads the loose objects in this objects directory.
    pub(crate) fn within(folder: &Path) -> Self {
        let folder = Folder::new(folder);
        let (file, plain) = (Vec::new(), Vec::new());
        Self { folder, file, plain, inflate: Inflate::default(), versions: Versions::default() }
    }

    /// Reads an object into `into`, if it is loose, small and undamaged.
    pub fn read(&mut self, id: &oid, into: &mut Vec<u8>) -> Option<Kind> {
        let compressed = self.open(id)?;
        let (mut status, mut size) = self.unpack(compressed)?;
        if status != Status::StreamEnd && self.plain.len() < LARGEST {
            self.plain.resize(LARGEST, 0);
            (status, size) = self.unpack(compressed)?;
        }
        let plain = &self.plain[..size];
        let (kind, size, header) = header(plain)?;
        let content = plain.get(header..)?;
        if status != Status::StreamEnd || content.len() as u64 != size {
            return None;
        }
        into.clear();
        into.extend_from_slice(content);
        Some(kind)
    }

    /// Reads an object, of which `like` is another version, into `into`, and verifies its id. The data after the
    /// difference need not be inflated: it is copied from `like`, and the id shows whether that was right. `None` if
    /// the object has to be read in the ordinary way.
    fn read_like(&mut self, id: &oid, like: &[u8], into: &mut Vec<u8>) -> Option<Kind> {
        let begin = self.versions.begin(like)? + LONGEST_HEADER;
        let compressed = self.open(id)?;
        if self.plain.len() < begin {
            self.plain.resize(begin.max(ROOM), 0);
        }
        self.inflate.reset();
        let packed = &self.file[..compressed];
        let (status, read, size) = self.inflate.prefix(packed, &mut self.plain[..begin]).ok()?;
        let begin = &self.plain[..size];
        let (kind, size, head) = header(begin)?;
        let size = usize::try_from(size).ok().filter(|size| *size < LARGEST)?;
        into.clear();
        into.extend_from_slice(begin.get(head..)?);
        if into.len() > size {
            return None;
        }
        if status != Status::StreamEnd {
            if let Some(rest) = self.versions.rest(into, size, like) {
                into.extend_from_slice(rest);
                let is_right = check(id, kind, into).is_ok();
                self.versions.was(is_right);
                if is_right {
                    return Some(kind);
                }
            }
            // There is room for more than the expected size, so the stream is inflated to its end.
            self.inflate.rest(&packed[read..], begin, head, into, size + 1).ok()?;
        }
        (into.len() == size && check(id, kind, into).is_ok()).then_some(kind)
    }

    /// Returns the size of a loose object.
    pub(crate) fn size(&mut self, id: &oid) -> Option<u64> {
        // Enough for the longest table of codes that may come first.
        let mut compressed = [0; 512];
        let read = self.folder.open(id)?.read(&mut compressed).ok()?;
        let mut start = [0; LONGEST_HEADER];
        self.inflate.reset();
        let (_, _, size) = self.inflate.prefix(&compressed[..read], &mut start).ok()?;
        Some(header(&start[..size])?.1)
    }

    /// Inflates as much of a file, of this compressed size, as there is room for.
    fn unpack(&mut self, compressed: usize) -> Option<(Status, usize)> {
        if self.plain.is_empty() {
            self.plain.resize(ROOM, 0);
        }
        self.inflate.reset();
        let (status, _, size) = self.inflate.once(&self.file[..compressed], &mut self.plain).ok()?;
        Some((status, size))
    }

    /// Reads the file of an object, and returns its size.
    fn open(&mut self, id: &oid) -> Option<usize> {
        let mut file = self.folder.open(id)?;
        if self.file.is_empty() {
            self.file.resize(ROOM, 0);
        }
        let mut read = file.read(&mut self.file).ok()?;
        if read == self.file.len() && read < LARGEST {
            self.file.resize(LARGEST, 0);
            read += file.read(&mut self.file[read..]).ok()?;
        }
        (read < self.file.len()).then_some(read)
    }
}

const LONGEST_HEADER: usize = 64;

/// Parses the header of a loose object: its kind, its size, and the length of the header.
fn header(plain: &[u8]) -> Option<(Kind, u64, usize)> {
    gix::objs::decode::loose_header(plain.get(..plain.len().min(LONGEST_HEADER))?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use gix::zlib::Compression;
    use testkit::World;

    use super::*;
    use crate::pack::deflate::Deflate;

    /// Returns data that is hardly compressible.
    fn noise(length: usize) -> Vec<u8> {
        let next =
            |state: &u64| Some(state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407));
        std::iter::successors(Some(1), next).map(|state| state.to_be_bytes()[0]).take(length).collect()
    }

    #[test]
    fn a_version_of_another_object_is_read_as_it_is_wherever_they_differ() {
        let world = World::new();
        let repo = gix::open(world.init("ours").path()).unwrap();
        let old = noise(8000);
        let changed = |at: &[usize], longer: usize| {
            let mut new = old.clone();
            at.iter().for_each(|at| new[*at] ^= 1);
            new.splice(at[0]..at[0], noise(longer));
            new
        };
        let versions = [
            changed(&[0], 0),
            changed(&[10], 0),
            changed(&[3000], 66),
            changed(&[3900, 3910], 0),
            changed(&[5000], 0),
            changed(&[7999], 0),
            // The predictions for these are wrong.
            changed(&[100, 7000], 0),
            changed(&[100, 6000, 7000], 5),
            old[..4100].to_vec(),
            old[..100].to_vec(),
            Vec::new(),
            [&old[..], &old].concat(),
        ];
        let mut reader = Reader::new(repo.clone()).with(Receiver::ObjectDatabase);
        let mut read = Vec::new();
        for _ in 0..3 {
            for version in &versions {
                let id = repo.write_blob(version).unwrap().detach();
                assert_eq!(reader.read_like(id, &old, &mut read).unwrap(), Kind::Blob);
                assert!(read == *version);
            }
        }
        let file = |version: &[u8]| {
            let id = repo.write_blob(version).unwrap().detach();
            (id, crate::object_file::path(&repo, &id))
        };
        for (one, other) in [(1, 4), (5, 2), (6, 0)] {
            let ((id, path), (_, another)) = (file(&versions[one]), file(&versions[other]));
            std::fs::remove_file(&path).unwrap();
            std::fs::copy(another, &path).unwrap();
            let error = reader.read_like(id, &old, &mut read).unwrap_err();
            assert!(error.to_string().contains("is damaged"), "{one}: {error}");
        }
        // Objects that are longer or shorter than their header says.
        for (says, is) in [(10, 8000), (3000, 8000), (7999, 8000), (8001, 8000), (9000, 8000)] {
            let (id, path) = file(format!("{says}").as_bytes());
            let whole = [format!("blob {says}\0").as_bytes(), &old[..is]].concat();
            let stream = Deflate::new(Compression::BEST_SPEED).all(&whole).unwrap().to_vec();
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, stream).unwrap();
            reader.read_like(id, &old, &mut read).unwrap_err();
        }
    }

    #[test]
    fn objects_of_every_size_are_read_and_the_largest_left_to_others() {
        let world = World::new();
        let repo = gix::open(world.init("ours").path()).unwrap();
        let lengths = [0, 10, ROOM - 1, ROOM, ROOM + 1, 5 * ROOM, LARGEST - 100, 10];
        let contents = lengths.iter().flat_map(|length| [vec![b'a'; *length], noise(*length)]);
        let written: Vec<_> = contents.map(|content| (repo.write_blob(&content).unwrap(), content)).collect();
        let too_large = repo.write_blob(noise(LARGEST)).unwrap();
        let mut loose = Loose::of(&repo);
        let mut read = Vec::new();
        for (id, content) in written {
            let length = content.len();
            let fits = loose.read(&id, &mut read) == Some(Kind::Blob) && read == content;
            assert!(fits || length > LARGEST / 2, "{length} bytes");
            assert_eq!(loose.size(&id), Some(length as u64), "{length} bytes");
        }
        assert_eq!(loose.read(&too_large, &mut read), None);
    }

    #[test]
    fn there_is_no_more_room_than_what_was_read_took_and_no_less_than_what_is_read_next_takes() {
        let world = World::new();
        let repo = gix::open(world.init("ours").path()).unwrap();
        let [small, other, large] = [noise(3000), noise(3001), noise(LARGEST)]
            .map(|content| (repo.write_blob(&content).unwrap().detach(), content));
        let (mut loose, mut read) = (Loose::of(&repo), Vec::new());
        assert_eq!(loose.size(&large.0), Some(LARGEST as u64));
        assert!(loose.file.len() <= ROOM && loose.plain.len() <= ROOM);
        loose.read_like(&small.0, &other.1, &mut read);
        assert_eq!(loose.read(&small.0, &mut read), Some(Kind::Blob));
        assert!(read == small.1 && loose.plain.len() == ROOM);
    }
}
