//! Many notes at once, in the folders in which git would have put them.
//!
//! Git opens a level of folders where there are many notes. A tree in another layout would be laid out anew by whoever
//! merges it, and that would be measured instead.

use std::{
    collections::BTreeMap,
    io::{Result, Write},
};

/// What both sides started from.
pub const BASE: &str = "refs/notes/base";
/// The notes here.
pub const LOCAL: &str = "refs/notes/local";
/// The notes there.
pub const REMOTE: &str = "refs/notes/remote";

/// Notes, by the object that each is about.
pub type Notes = BTreeMap<String, String>;

/// A note that is a record, and the object that it is about: no two numbers have the same.
pub fn note(number: usize, side: &str) -> (String, String) {
    let object = spread(number as u64);
    let text = format!("---\ntype: decision\nid: {number}\n---\n\nWhy {object}, as seen {side}.\n");
    (object, text)
}

/// An id that is as likely to begin with one digit as with any other.
fn spread(number: u64) -> String {
    // The finalizer of MurmurHash3: each bit of the number changes half of the bits.
    let mixed = |seed: u64| {
        let mut bits = number.wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        bits ^ (bits >> 33)
    };
    format!("{:016x}{:016x}{:08x}", mixed(1), mixed(2), mixed(3) >> 32)
}

/// Writes a commit of notes for `git fast-import`, on top of `parent`.
pub fn commit(out: &mut dyn Write, name: &str, parent: Option<&str>, notes: &Notes) -> Result<()> {
    writeln!(out, "commit {name}\ncommitter Mike <mike@example.com> 1780686000 -0700\ndata 0")?;
    if let Some(parent) = parent {
        writeln!(out, "from {parent}^0\ndeleteall")?;
    }
    let notes: Vec<Note<'_>> = notes.iter().collect();
    lay_out(&notes, 0, 0, &mut |path, text| {
        writeln!(out, "M 100644 inline {path}\ndata {}\n{text}", text.len())
    })
}

type Note<'a> = (&'a String, &'a String);

/// Gives notes their paths; they come in the order of their objects and share their first `depth` digits. A level of folders
/// opens where each of the next 16 digits leads to more than one note (`determine_fanout()` of git's `notes.c`).
fn lay_out(
    notes: &[Note<'_>],
    depth: usize,
    fanout: usize,
    put: &mut dyn FnMut(String, &str) -> Result<()>,
) -> Result<()> {
    let parts: Vec<_> =
        notes.chunk_by(|one, next| one.0.as_bytes()[depth] == next.0.as_bytes()[depth]).collect();
    let opens = depth == 2 * fanout && parts.len() == 16 && parts.iter().all(|part| part.len() > 1);
    let fanout = fanout + usize::from(opens);
    parts.into_iter().try_for_each(|part| match part {
        [(object, text)] => {
            let (folders, name) = object.split_at(2 * fanout);
            let folders = folders.as_bytes().chunks(2).map(String::from_utf8_lossy);
            let path = folders.fold(String::new(), |path, folder| path + &folder + "/");
            put(path + name, text)
        }
        _ => lay_out(part, depth + 1, fanout, put),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(numbers: std::ops::Range<usize>) -> Vec<String> {
        let notes: Notes = numbers.map(|number| note(number, "here")).collect();
        let notes: Vec<Note<'_>> = notes.iter().collect();
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
            assert_eq!(paths.len(), notes);
            assert!(paths.iter().all(|path| path.len() == 40 + slashes), "{notes}: {:?}", paths.first());
        }
    }
}
