//! A three-way merge of whole records, for notes that are not bags of lines.
//!
//! Sorting the lines of a note with YAML front matter shreds it, and concatenating both versions repeats what they
//! share, more with every round. So a note is cut into records (see [`parse`]) and each is taken or dropped whole, byte
//! for byte: what either side added stays, what one side removed and the other left alone stays removed, and no record
//! comes twice.

mod arrange;
mod join;
mod lines;
mod parse;

pub use parse::{Kind, Parsed, Record, parse};

use lines::Fences;

/// Merges two versions of a note that started from `base`, which is empty where they started from nothing.
///
/// The records that both sides kept are in the order of `base`; what a side added follows the record that it followed
/// there, the local side's first.
pub fn merge(base: &[u8], local: &[u8], remote: &[u8]) -> Vec<u8> {
    if base == remote || local == remote {
        return local.to_vec();
    }
    if base == local {
        return remote.to_vec();
    }
    // The end of a fence that nobody closed would depend on what the merge puts after it. Then a fence is text like
    // any other, in all three versions, as only records that are cut alike can be compared.
    let closed = [base, local, remote].into_iter().all(lines::all_fences_close);
    let fences = if closed { Fences::Whole } else { Fences::AsText };
    let [base, local, remote] = [base, local, remote].map(|note| parse::parse_with(note, fences));
    let records = arrange::arrange(&base, &local, &remote);
    join::join(&records, if local.records.is_empty() { &remote } else { &local })
}

/// Whether a note would lose its meaning if its lines were sorted: it has front matter, fences, or bytes that are no
/// text.
pub fn has_structure(note: &[u8]) -> bool {
    let lines = lines::split(note);
    note.contains(&0)
        || (0..lines.len()).any(|at| {
            lines::fence_opens(lines[at]).is_some() || lines::front_matter_ends(&lines, at).is_some()
        })
}
