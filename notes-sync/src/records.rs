//! Merges notes whose lines must not be sorted: three-way, by whole records.
//!
//! Sorting the lines of a note with YAML front matter destroys it, and concatenating both versions repeats what they
//! share, more with every round. So a note is split into records (see [`parse()`]), and each is kept or dropped as a
//! whole, byte for byte: what either side added stays, what one side removed and the other left alone stays removed,
//! and no record appears twice.

mod arrange;
mod join;
mod lines;
mod parse;

pub use parse::{Kind, Parsed, Record, parse};

use lines::Fences;

/// Merges two versions of a note with the common ancestor `base`, which is empty if there is none.
///
/// Records that both sides kept are in the order of `base`; a record that a side added follows the record that it
/// followed on that side, the local side's additions first.
pub fn merge(base: &[u8], local: &[u8], remote: &[u8]) -> Vec<u8> {
    if base == remote || local == remote {
        return local.to_vec();
    }
    if base == local {
        return remote.to_vec();
    }
    // Where an unclosed fence ends would depend on what the merge puts after it. So if there is one, fences count as
    // plain text, in all three versions, since only records that are split alike can be compared.
    let closed = [base, local, remote].into_iter().all(lines::all_fences_close);
    let fences = if closed { Fences::Whole } else { Fences::AsText };
    let [base, local, remote] = [base, local, remote].map(|note| parse::parse_with(note, fences));
    let records = arrange::arrange(&base, &local, &remote);
    join::join(&records, if local.records.is_empty() { &remote } else { &local })
}

/// Whether sorting the lines of a note would destroy it: it has front matter, fences, or NUL bytes.
pub fn has_structure(note: &[u8]) -> bool {
    let lines = lines::split(note);
    note.contains(&0)
        || (0..lines.len()).any(|at| {
            lines::fence_opens(lines[at]).is_some() || lines::front_matter_ends(&lines, at).is_some()
        })
}
