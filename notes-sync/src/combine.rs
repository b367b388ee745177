//! Combines two versions of one note.
//!
//! Follows git's `notes.c` (`combine_notes_*()`) byte for byte, so that it makes no difference whether git or this
//! merges. One bug is not imitated: git sorts a note only up to its first NUL byte and loses the rest.

use anyhow::{Context, Result};
use gix::{ObjectId, Repository};

use crate::{records, strategy::Strategy};

/// The versions of one note, as bytes; `None` if the note does not exist on that side.
#[derive(Debug, Clone, Copy)]
pub struct Versions<'a> {
    /// The common ancestor.
    pub base: Option<&'a [u8]>,
    /// The local note.
    pub local: Option<&'a [u8]>,
    /// The remote's note.
    pub remote: Option<&'a [u8]>,
}

/// The result of combining two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Combined {
    /// The local version, even if that means no note.
    Local,
    /// The remote's version, even if that means no note.
    Remote,
    /// A new version.
    New(Vec<u8>),
    /// No note: nothing of either version is left.
    Removed,
}

/// Combines two versions that differ from each other and from the base.
pub fn combine(strategy: Strategy, versions: Versions<'_>) -> Combined {
    match strategy {
        Strategy::Ours => Combined::Local,
        Strategy::Theirs => Combined::Remote,
        Strategy::Union => match versions.local {
            None => Combined::Remote,
            Some(local) => union(local, versions.remote.unwrap_or_default()),
        },
        Strategy::CatSortUniq => match versions.local {
            None => Combined::Remote,
            Some(local) => Combined::New(sorted_lines(local, versions.remote.unwrap_or_default())),
        },
        Strategy::Records => {
            let [base, local, remote] =
                [versions.base, versions.local, versions.remote].map(Option::unwrap_or_default);
            match records::merge(base, local, remote) {
                merged if !merged.is_empty() => Combined::New(merged),
                _ if base.is_empty() => Combined::Local,
                _ => Combined::Removed,
            }
        }
    }
}

/// Combines two notes about one object in the same tree as git shows them: one after the other.
///
/// # Errors
/// If a note cannot be read, or the new one cannot be written.
pub(crate) fn concatenate_blobs(repo: &Repository, first: ObjectId, second: ObjectId) -> Result<ObjectId> {
    if first == second {
        return Ok(first);
    }
    match union(&read(repo, first)?, &read(repo, second)?) {
        Combined::Local | Combined::Removed => Ok(first),
        Combined::Remote => Ok(second),
        Combined::New(note) => Ok(repo.write_blob(note).context("cannot write a note")?.detach()),
    }
}

/// Reads a note.
///
/// # Errors
/// If it is missing or not a blob.
pub(crate) fn read(repo: &Repository, blob: ObjectId) -> Result<Vec<u8>> {
    let mut note = repo.find_blob(blob).with_context(|| format!("cannot read the note {blob}"))?;
    Ok(note.take_data())
}

/// Git's `combine_notes_concatenate()`.
fn union(local: &[u8], remote: &[u8]) -> Combined {
    if remote.is_empty() {
        return Combined::Local;
    }
    if local.is_empty() {
        return Combined::Remote;
    }
    Combined::New([local.strip_suffix(b"\n").unwrap_or(local), b"\n\n", remote].concat())
}

/// Git's `combine_notes_cat_sort_uniq()`: the lines of both, sorted, without duplicates and empty lines.
fn sorted_lines(local: &[u8], remote: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = [local, remote]
        .iter()
        .flat_map(|note| note.split(|byte| *byte == b'\n'))
        .filter(|line| !line.is_empty())
        .collect();
    lines.sort_unstable();
    lines.dedup();
    let mut note = Vec::with_capacity(local.len() + remote.len() + 2);
    for line in lines {
        note.extend_from_slice(line);
        note.push(b'\n');
    }
    note
}
