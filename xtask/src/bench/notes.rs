//! Generates many notes, with the fan-out that git would have given them.
//!
//! Git adds a level of fan-out if there are many notes. A merge would rewrite a tree with another fan-out, and that
//! would be measured instead.

use std::io::{Result, Write};

/// The notes ref of the merge base.
pub const BASE: &str = "refs/notes/base";
/// The local notes ref.
pub const LOCAL: &str = "refs/notes/local";
/// The remote's notes ref.
pub const REMOTE: &str = "refs/notes/remote";

/// A note that is a record. There are many, and the memory of a process that starts a program is counted as the
/// program's, so each is kept as small as possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The object that it annotates; different for each number.
    object: [u8; 20],
    number: u32,
    version: Version,
}

/// The last version of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// That of the merge base.
    First,
    /// That of the local side.
    Here,
    /// That of the remote side.
    There,
}

impl Note {
    /// Returns a version of the note with this number.
    pub fn new(number: u32, version: Version) -> Self {
        Self { object: spread(number), number, version }
    }

    fn text(&self) -> String {
        let Self { number, version, .. } = self;
        let seen = match version {
            Version::First => "at first",
            Version::Here => "here",
            Version::There => "there",
        };
        format!("---\ntype: decision\nid: {number}\n---\n\nWhy {}, as seen {seen}.\n", hex(&self.object))
    }

    /// Returns the hex digit of its object id at a position.
    fn digit(&self, place: usize) -> u8 {
        let byte = self.object[place / 2];
        if place.is_multiple_of(2) { byte >> 4 } else { byte & 15 }
    }

    /// Returns its path with this many levels of fan-out.
    fn path(&self, fanout: usize) -> String {
        let (folders, name) = self.object.split_at(fanout);
        folders.iter().map(|folder| format!("{folder:02x}/")).collect::<String>() + &hex(name)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns an object id whose digits are uniformly distributed.
fn spread(number: u32) -> [u8; 20] {
    // The finalizer of MurmurHash3: each bit of the number changes half of the bits.
    let mixed = |seed: u64| {
        let mut bits = u64::from(number).wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        bits ^ (bits >> 33)
    };
    let mut id = [0; 20];
    for (seed, part) in (1..).zip(id.chunks_mut(8)) {
        part.copy_from_slice(&mixed(seed).to_be_bytes()[..part.len()]);
    }
    id
}

/// Writes a commit of notes, which are sorted, for `git fast-import`, with `parent` as its parent.
pub fn commit(out: &mut dyn Write, name: &str, parent: Option<&str>, notes: &[Note]) -> Result<()> {
    writeln!(out, "commit {name}\ncommitter Mike <mike@example.com> 1780686000 -0700\ndata 0")?;
    if let Some(parent) = parent {
        writeln!(out, "from {parent}^0\ndeleteall")?;
    }
    lay_out(notes, 0, 0, &mut |path, note| {
        let text = note.text();
        writeln!(out, "M 100644 inline {path}\ndata {}\n{text}", text.len())
    })
}

/// Passes each note with its path to `put`; the notes are sorted by object id and share their first `depth` digits. A
/// level of fan-out is added where each of the next 16 digits leads to more than one note (`determine_fanout()` of
/// git's `notes.c`).
fn lay_out(
    notes: &[Note],
    depth: usize,
    fanout: usize,
    put: &mut dyn FnMut(String, &Note) -> Result<()>,
) -> Result<()> {
    let parts: Vec<_> = notes.chunk_by(|one, next| one.digit(depth) == next.digit(depth)).collect();
    let opens = depth == 2 * fanout && parts.len() == 16 && parts.iter().all(|part| part.len() > 1);
    let fanout = fanout + usize::from(opens);
    parts.into_iter().try_for_each(|part| match part {
        [note] => put(note.path(fanout), note),
        _ => lay_out(part, depth + 1, fanout, put),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(numbers: std::ops::Range<u32>) -> Vec<String> {
        let mut notes: Vec<_> = numbers.map(|number| Note::new(number, Version::Here)).collect();
        notes.sort_unstable();
        let mut paths = Vec::new();
        lay_out(&notes, 0, 0, &mut |path, _| {
            paths.push(path);
            Ok(())
        })
        .unwrap();
        paths
    }

    #[test]
    fn every_note_has_a_path_and_folders_open_with_their_number() {
        for (notes, slashes) in [(10, 0), (1_000, 1), (60_000, 2)] {
            let paths = paths(0..notes);
            assert_eq!(paths.len(), notes as usize);
            assert!(paths.iter().all(|path| path.len() == 40 + slashes), "{notes}: {:?}", paths.first());
        }
    }
}
