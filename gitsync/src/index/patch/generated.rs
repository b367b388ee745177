//! Tests with generated indexes and edits that a patched index has the same bytes as one that is decoded and written
//! whole.

use gix::ObjectId;
use gix::index::entry::{Mode, stat::Time};
use gix::index::{File, write};

use super::*;

/// A generator of pseudo-random numbers, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn path(&mut self) -> BString {
        let mut path = BString::default();
        for _ in 0..=self.below(2) {
            path.extend_from_slice(
                ["a", "b", "a.b", "a0", "a-long-name", "ä"][self.below(6) as usize].as_bytes(),
            );
            path.push(b'/');
        }
        path.extend_from_slice(format!("{}", self.below(9)).as_bytes());
        path
    }

    fn put(&mut self) -> Put {
        let number = self.below(1 << 30) as u32;
        let time = Time { secs: number, nsecs: number / 3 };
        Put {
            id: ObjectId::try_from([number as u8; 20].as_slice()).unwrap(),
            mode: [Mode::FILE, Mode::FILE_EXECUTABLE, Mode::SYMLINK][self.below(3) as usize],
            stat: Stat { mtime: time, ctime: time, dev: 1, ino: number, uid: 2, gid: 3, size: number / 2 },
            flags: match self.below(12) {
                0 => Flags::SKIP_WORKTREE,
                1 => Flags::ASSUME_VALID,
                _ => Flags::empty(),
            },
        }
    }

    fn edits(&mut self, count: u64) -> Edits {
        let mut edits = Edits::default();
        for _ in 0..count {
            let (path, put) = (self.path(), self.put());
            let edit = match self.below(4) {
                0 => Edit::Remove,
                1 => Edit::Refresh(put.stat),
                _ => Edit::Put(put),
            };
            edits.insert(path, edit);
        }
        edits
    }
}

fn bytes(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    let options = write::Options { extensions: write::Extensions::None, skip_hash: true };
    state.write_to(&mut bytes, options).unwrap();
    if let Some(cache) = state.tree() {
        cache.write_to(&mut bytes).unwrap();
    }
    bytes
}

#[test]
fn what_is_patched_is_what_is_written_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index");
    let repo = gix::init_bare(directory.path().join("repo")).unwrap();
    let (mut dice, mut patched) = (Dice(1), 0);
    for round in 0..400 {
        let mut before = State::new(gix::hash::Kind::Sha1);
        dice.edits(round % 60).apply(&mut before);
        let mut file = bytes(&before);
        file.extend_from_slice(&[0; 20]);
        std::fs::write(&path, &file).unwrap();

        let index = Index::read(&repo, &path).unwrap();
        let count = dice.below(12);
        let edits = dice.edits(count);
        let Some(patch) = Patch::of(&index, &edits) else { continue };
        let mut here = Vec::new();
        patch.write(edits.clone().into_iter(), None, &mut here).unwrap();

        let mut whole: File = index.decoded().unwrap().clone();
        edits.clone().apply(&mut whole);
        // An index that had extended entries may keep the later version without having any.
        let mut there = bytes(&whole);
        there[7] = here[7];
        assert!(here == there, "round {round}");
        let pieces = patch.pieces(edits.into_iter(), None).unwrap();
        let (old, mut from_file) = (std::fs::File::open(&path).unwrap(), Vec::new());
        pieces.write(&old, &mut from_file).unwrap();
        assert!(here == from_file, "round {round}");
        patched += 1;
    }
    assert!(patched > 200, "only {patched} were simple");
}
