//! Appends text to a note without losing what concurrent writers add.
//!
//! `git notes append` reads the note, then the ref, then overwrites the ref unconditionally: of many concurrent
//! appends, few survive. Here the ref is updated by compare-and-swap from the value whose notes were read, and the
//! append starts over if another writer was faster.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use contract::Exit;
use gix::{ObjectId, Repository};
use phase::Fault;
use remote::Backoff;

use crate::{
    combine, commits,
    names::NotesRef,
    objects::Drafts,
    refs::{self, Moved},
    tree::{NotesTree, layout::Annotated},
};

const MESSAGE: &str = "Notes added by 'notes-sync append'";

/// Appends `text` to the note about `object`, after an empty line as git does, and returns the ref's new commit.
/// Retries for at most `wait` while others write the ref.
///
/// # Errors
/// A fault with exit 75 if others keep writing; else if the repository cannot be read or written.
pub fn append(
    repo: &Repository,
    name: &NotesRef,
    object: Annotated,
    text: &[u8],
    wait: Duration,
) -> Result<ObjectId> {
    let began = Instant::now();
    let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(250), Backoff::seed());
    loop {
        let tip = refs::read(repo, name.full().as_ref())?;
        let drafts = Drafts::of(repo);
        let commit = add(drafts.repo(), tip.commit, object, text)?;
        let (_, held) = drafts.keep()?;
        let moved = refs::advance(repo, &tip, commit, &format!("notes: {MESSAGE}"))?;
        drop(held);
        match moved {
            Moved::Done => return Ok(commit),
            Moved::Raced if began.elapsed() >= wait => {
                return Err(Fault::new(Exit::Deferred, refs::raced(repo, name.full().as_ref()))
                    .help("nothing was written: try again later, or give it more time with --wait")
                    .into());
            }
            Moved::Raced => thread::sleep(backoff.pause()),
        }
    }
}

/// Writes a commit on top of `parent` with the text appended.
fn add(repo: &Repository, parent: Option<ObjectId>, object: Annotated, text: &[u8]) -> Result<ObjectId> {
    let tree = match parent {
        Some(parent) => repo.find_commit(parent)?.tree_id()?.detach(),
        None => ObjectId::empty_tree(repo.object_hash()),
    };
    let mut notes = NotesTree::open(repo, tree)?;
    let mut note = match notes.get(object)? {
        Some(blob) => combine::read(repo, blob)?,
        None => Vec::new(),
    };
    if !note.is_empty() && !text.is_empty() {
        note.push(b'\n');
    }
    note.extend_from_slice(text);
    let blob = repo.write_blob(note).context("cannot write a note")?.detach();
    notes.set(object, Some(blob))?;
    commits::write(repo, notes.write()?, parent.as_slice(), &format!("{MESSAGE}\n"))
}
