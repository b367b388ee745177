//! Completes and indexes a small received pack in memory, and writes it to disk.
//!
//! gix reads a pack from the stream, writes it together with the missing delta bases, and reads it again to index it.
//! For the few hundred objects of a sync, that takes longer than receiving them. A small pack is parsed once, in
//! memory, and its objects stay in memory for the next steps. Large or unusual packs are left to gix.

use std::{
    borrow::Cow,
    collections::HashSet,
    io::{self, Write as _},
    path::Path,
};

use gix::ObjectId;

use super::{
    MOST_AT_ONCE,
    incoming::IncomingPack,
    index::{self, Located},
    parsed_pack::{self, Form, ParsedPack},
    resolve::{Resolved, resolve},
    tmp_pack::TmpPack,
    write,
};
/// The maximum size in bytes of the uncompressed entries, and also of the objects that they represent.
const MOST: usize = 16 * 1024 * 1024;

/// Writes the pack `raw` and its index. `None` if the pack is not suitable.
pub(super) fn arrive(repo: &gix::Repository, raw: &[u8]) -> Option<IncomingPack> {
    Apart::of(repo, raw)?.write(repo.objects.store_ref().path())
}

/// A received pack with its entries and objects.
pub(super) struct Apart<'a> {
    loaded: ParsedPack<'a>,
    resolved: Resolved,
    hash: gix::hash::Kind,
}

impl<'a> Apart<'a> {
    /// Parses the pack `raw`. `None` if it is not suitable.
    pub fn of(repo: &gix::Repository, raw: &'a [u8]) -> Option<Self> {
        parsed_pack::count(raw).filter(|count| *count as usize <= MOST_AT_ONCE)?;
        let hash = repo.object_hash();
        let loaded = ParsedPack::parse(raw, hash, MOST)?;
        let resolved = resolve(repo, &loaded, MOST)?;
        Some(Self { loaded, resolved, hash })
    }

    /// Writes the completed pack and its index into the object database `objects`. `None` if that is not possible.
    pub fn write(self, objects: &Path) -> Option<IncomingPack> {
        let Complete { bytes, located, checksum } = complete(&self.loaded, &self.resolved, self.hash)?;
        let index = index::encode(located, checksum).ok()?;
        let files = TmpPack::new(objects).ok()?;
        let write = || -> io::Result<()> {
            files.pack.file().write_all(&bytes)?;
            files.index.file().write_all(&index)
        };
        write().ok()?;
        Some(IncomingPack::of(self.loaded.entries().len() as u64, files, checksum).with(self.resolved.recent))
    }
}

/// A pack that contains all its delta bases.
struct Complete<'a> {
    bytes: Cow<'a, [u8]>,
    located: Vec<Located>,
    checksum: ObjectId,
}

/// Completes a thin pack. If a missing base has only one delta, that delta is replaced by its object, which takes no
/// more room than the base would. A base of several deltas is appended.
fn complete<'a>(loaded: &ParsedPack<'a>, resolved: &Resolved, hash: gix::hash::Kind) -> Option<Complete<'a>> {
    let mut inside = HashSet::with_capacity(resolved.objects.len());
    // A pack that contains an object twice is unusual, and is left to gix.
    if !resolved.objects.iter().all(|object| inside.insert(object.id)) {
        return None;
    }
    if resolved.bases.is_empty() {
        return Some(as_it_came(loaded, resolved));
    }
    let mut whole: Vec<Option<&[u8]>> = vec![None; loaded.entries().len()];
    let mut missing = Vec::new();
    for base in &resolved.bases {
        match base.entries.as_slice() {
            [only] => whole[*only] = Some(&base.packed),
            _ if inside.contains(&base.object.id) => {}
            _ => missing.push(base),
        }
    }
    let mut pack = Growing::begin(loaded.entries().len() + missing.len())?;
    let mut starts = Vec::with_capacity(loaded.entries().len());
    for ((entry, object), whole) in loaded.entries().iter().zip(&resolved.objects).zip(whole) {
        starts.push(pack.bytes.len());
        let size = loaded.content(entry).len() as u64;
        match (entry.form, whole) {
            (_, Some(packed)) => {
                pack.header(write::whole(object.kind), object.size as u64);
                pack.bytes.extend_from_slice(packed);
            }
            (Form::DeltaOf(base), None) => {
                let distance = pack.bytes.len() - starts.get(base)?;
                pack.header(write::OFS_DELTA, size);
                write::distance(&mut pack.bytes, distance as u64);
                pack.bytes.extend_from_slice(loaded.packed(entry));
            }
            (Form::Whole(_) | Form::DeltaOfObject(_), None) => {
                pack.bytes.extend_from_slice(loaded.whole(entry));
            }
        }
        pack.end_of(object.id, *starts.last()?);
    }
    for base in missing {
        let start = pack.bytes.len();
        pack.header(write::whole(base.object.kind), base.object.data.len() as u64);
        pack.bytes.extend_from_slice(&base.packed);
        pack.end_of(base.object.id, start);
    }
    pack.end(hash)
}

/// Indexes a pack that is not thin.
fn as_it_came<'a>(loaded: &ParsedPack<'a>, resolved: &Resolved) -> Complete<'a> {
    let entries = loaded.entries().iter().zip(&resolved.objects);
    let located = entries.map(|(entry, object)| {
        let crc32 = zlib_rs::crc32::crc32(0, loaded.whole(entry));
        Located { id: object.id, offset: entry.start as u64, crc32 }
    });
    Complete { located: located.collect(), bytes: Cow::Borrowed(loaded.raw()), checksum: loaded.checksum() }
}

/// A pack that is being assembled.
struct Growing {
    bytes: Vec<u8>,
    located: Vec<Located>,
}

impl Growing {
    fn begin(objects: usize) -> Option<Self> {
        let bytes = write::preamble(write::count(objects).ok()?).to_vec();
        Some(Self { bytes, located: Vec::with_capacity(objects) })
    }

    fn header(&mut self, kind: u8, size: u64) {
        write::begin_entry(&mut self.bytes, kind, size);
    }

    /// Records the location of the entry that was written from `start` on.
    fn end_of(&mut self, id: ObjectId, start: usize) {
        let crc32 = zlib_rs::crc32::crc32(0, &self.bytes[start..]);
        self.located.push(Located { id, offset: start as u64, crc32 });
    }

    fn end<'a>(mut self, hash: gix::hash::Kind) -> Option<Complete<'a>> {
        let mut hasher = gix::hash::hasher(hash);
        hasher.update(&self.bytes);
        let checksum = hasher.try_finalize().ok()?;
        self.bytes.extend_from_slice(checksum.as_slice());
        Some(Complete { bytes: Cow::Owned(self.bytes), located: self.located, checksum })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use std::fs;

    use testkit::{Repo, World};

    use super::*;

    /// Returns the pack that git sends of `new` to a receiver that has `known`, made with these options.
    fn sent(from: &Repo, new: &str, known: &str, options: &str) -> Vec<u8> {
        let to = from.join(".git/sent");
        let script =
            format!("printf '{new}\\n^{known}\\n' | git pack-objects -q --revs --stdout {options} >{to}");
        from.program("sh").args(["-c", &script]).success();
        fs::read(to).unwrap()
    }

    fn text(page: u32, edits: u32) -> String {
        (0..300)
            .map(|line| format!("{line} of {page}: {}\n", if line < edits { line * 7919 } else { line }))
            .collect()
    }

    /// Creates two clones, one of which has commits that the other lacks: files that change repeatedly, and several
    /// versions of the same one. Also returns the tip and the start of these commits.
    fn clones() -> (World, [Repo; 2], [String; 2]) {
        let (world, _, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
        for page in 0..20 {
            theirs.write(&format!("pages/{page}.md"), text(page, 0));
        }
        theirs.commit_all("pages");
        theirs.push();
        ours.pull();
        let known = theirs.head();
        for round in 1..6 {
            for page in 0..20 {
                theirs.write(&format!("pages/{page}.md"), text(page, round));
            }
            for copy in 0..3 {
                theirs.write(&format!("copies/{round}-{copy}.md"), text(round, 20 + copy));
            }
            theirs.commit_all("edits");
        }
        let new = theirs.head();
        (world, [ours, theirs], [new, known])
    }

    #[test]
    fn a_pack_that_lacks_what_is_here_is_whole_afterwards_as_git_sees_it() {
        for options in [
            "--thin --delta-base-offset",
            "--thin --delta-base-offset --depth=1",
            "--thin --window=0",
            "--delta-base-offset",
        ] {
            let (_world, [ours, theirs], [new, known]) = clones();
            let raw = sent(&theirs, &new, &known, options);
            let repo = gix::open(ours.path()).unwrap();
            let arriving = arrive(&repo, &raw).unwrap();
            let recent = arriving.recent.clone();
            drop(arriving.keep(&repo).unwrap());
            ours.git(["fsck", "--strict", "--no-dangling", &new]);
            let pack = ours.path().join(".git/objects/pack");
            if !options.contains("--thin") {
                let files = pack.read_dir_utf8().unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
                assert!(files.into_iter().any(|file| file == raw), "what lacks nothing is kept as it came");
            }
            for entry in pack.read_dir_utf8().unwrap().map(Result::unwrap) {
                if entry.path().extension() == Some("idx") {
                    ours.git(["verify-pack", entry.path().as_str()]);
                }
            }
            let tree = |repo: &Repo| repo.git(["ls-tree", "-r", &new]);
            assert_eq!(tree(&ours), tree(&theirs), "{options}");
            let view = recent.real_view(&repo);
            for line in theirs.git(["rev-list", "--objects", &new]).lines() {
                let id = ObjectId::from_hex(&line.as_bytes()[..40]).unwrap();
                assert_eq!(view.find_object(id).unwrap().data, repo.find_object(id).unwrap().data, "{line}");
            }
        }
    }

    #[test]
    fn a_crowd_of_tiny_objects_is_left_to_others() {
        let world = World::new();
        let theirs = world.init("theirs");
        let blobs = |count: usize| {
            let blobs = (0..count).map(|blob| {
                let text = blob.to_string();
                format!("blob\ndata {}\n{text}\n", text.len())
            });
            theirs.program("git").args(["fast-import", "--quiet"]).stdin(blobs.collect::<String>()).success();
            let to = theirs.join(".git/sent");
            let script = format!(
                "git cat-file --batch-all-objects --batch-check='%(objectname)' | git pack-objects -q --stdout >{to}"
            );
            theirs.program("sh").args(["-c", &script]).success();
            fs::read(to).unwrap()
        };
        let repo = gix::open(world.init("ours").path()).unwrap();
        assert!(arrive(&repo, &blobs(MOST_AT_ONCE)).is_some());
        assert!(arrive(&repo, &blobs(MOST_AT_ONCE + 1)).is_none());
    }

    #[test]
    fn what_is_damaged_or_strange_is_left_to_others() {
        let (world, [ours, theirs], [new, known]) = clones();
        let raw = sent(&theirs, &new, &known, "--thin --delta-base-offset");
        let repo = gix::open(ours.path()).unwrap();
        for at in (0..raw.len()).step_by(97) {
            assert!(arrive(&repo, &raw[..at]).is_none(), "it ends at {at}");
            let mut bad = raw.clone();
            bad[at] ^= 0x10;
            assert!(arrive(&repo, &bad).is_none(), "it is damaged at {at}");
            let end = bad.len() - 20;
            let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
            hasher.update(&bad[..end]);
            bad[end..].copy_from_slice(hasher.try_finalize().unwrap().as_slice());
            // Now the checksum is right again. Whatever the result is, nothing must panic.
            let _ = arrive(&repo, &bad);
        }
        let by_name = sent(&theirs, &new, &known, "--thin");
        assert!(
            arrive(&repo, &by_name).is_none(),
            "it names what it holds itself by its id, not by where it is"
        );
        let elsewhere = gix::open(world.init("elsewhere").path()).unwrap();
        assert!(arrive(&elsewhere, &raw).is_none(), "what it lacks is not here either");
    }
}
