//! Copies the notes of replayed commits to the new commits, if the configuration asks for it.
//!
//! See `notes.rewriteRef` and the settings around it in
//! [git-notes](https://git-scm.com/docs/git-notes#_configuration). Otherwise a note stays with the old commit, as in
//! git: it is no longer shown, and is lost when that commit is pruned.

use std::collections::BTreeSet;
use std::env;

use anyhow::Context as _;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::glob::wildmatch;
use gix::note::plumbing::State;
use gix::objs::{Find, FindExt as _, Kind, Write};
use gix::refs::FullName;
use gix::{ObjectId, Repository};
use store::local_ref::{self, RefUpdate, UpdateOutcome, Value};

use crate::context::SyncContext;
use crate::faults;

/// The prefix of the refs in which notes are copied.
const NOTES: &str = "refs/notes/";
/// The message that git gives such a commit.
const MESSAGE: &str = "Notes added by 'git notes copy'";
/// How many times to try if other processes keep moving the ref.
const ATTEMPTS: u32 = 10;

/// What to do with a note if the new commit already has one, see `notes.rewriteMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Overwrite,
    Concatenate,
    CatSortUniq,
    Ignore,
}

/// Copies the notes of the first commit of each pair to the second one.
///
/// # Errors
/// The configuration is wrong, or a ref cannot be read or written.
pub fn copy(place: &SyncContext<'_>, rewritten: &[(ObjectId, ObjectId)]) -> anyhow::Result<()> {
    let repo = place.repo;
    let patterns = patterns(repo);
    if patterns.is_empty() || rewritten.is_empty() {
        return Ok(());
    }
    let mode = mode(repo)?;
    for name in refs(repo, &patterns)? {
        let doing = || format!("notes of {} cannot be copied", name.as_bstr());
        copy_in(place, &name, mode, rewritten).with_context(doing)?;
    }
    Ok(())
}

/// Returns the patterns of the refs in which notes are to be copied. As in git, `GIT_NOTES_REWRITE_REF` overrides
/// `notes.rewriteRef`, but not `notes.rewrite.rebase`.
fn patterns(repo: &Repository) -> Vec<BString> {
    let config = repo.config_snapshot();
    if config.boolean("notes.rewrite.rebase") == Some(false) {
        return Vec::new();
    }
    let all: Vec<BString> = match env::var("GIT_NOTES_REWRITE_REF") {
        Ok(refs) => refs.split(':').map(BString::from).collect(),
        Err(_) => {
            let values = config.plumbing().strings("notes.rewriteRef").unwrap_or_default();
            values.into_iter().map(|value| BString::from(value.to_vec())).collect()
        }
    };
    // Git does not copy notes in any other refs.
    all.into_iter().filter(|pattern| pattern.starts_with(NOTES.as_bytes())).collect()
}

fn mode(repo: &Repository) -> anyhow::Result<Mode> {
    let named = match env::var("GIT_NOTES_REWRITE_MODE") {
        Ok(mode) => Some(mode),
        Err(_) => repo.config_snapshot().string("notes.rewriteMode").map(|mode| mode.to_string()),
    };
    Ok(match named.as_deref() {
        None | Some("concatenate") => Mode::Concatenate,
        Some("overwrite") => Mode::Overwrite,
        Some("cat_sort_uniq") => Mode::CatSortUniq,
        Some("ignore") => Mode::Ignore,
        Some(other) => anyhow::bail!("notes.rewriteMode is {other}, and there is no such mode"),
    })
}

fn refs(repo: &Repository, patterns: &[BString]) -> anyhow::Result<Vec<FullName>> {
    let is_meant = |name: &BStr| {
        patterns.iter().any(|pattern| {
            pattern == name || gix::glob::wildmatch(pattern.as_bstr(), name, wildmatch::Mode::empty())
        })
    };
    let mut names = Vec::new();
    for reference in store::local_ref::list(repo, NOTES.into())? {
        if is_meant(reference.name.as_bstr()) {
            names.push(reference.name);
        }
    }
    Ok(names)
}

fn copy_in(
    place: &SyncContext<'_>,
    name: &FullName,
    mode: Mode,
    rewritten: &[(ObjectId, ObjectId)],
) -> anyhow::Result<()> {
    let repo = place.repo;
    for _ in 0..ATTEMPTS {
        let Value::Object(before) = local_ref::read(repo, name.as_ref())? else { return Ok(()) };
        let mut memory = repo.clone().with_object_memory();
        let tree = repo.find_commit(before)?.tree_id()?.detach();
        let Some(tree) = copied(&memory, tree, mode, rewritten)? else { return Ok(()) };
        let committer = place.people.committer()?.now();
        let commit = gix::objs::Commit {
            tree,
            parents: [before].into_iter().collect(),
            author: place.people.author()?.now(),
            committer,
            encoding: None,
            message: format!("{MESSAGE}\n").into(),
            extra_headers: Vec::new(),
        };
        let new = memory.write_object(&commit)?.detach();
        let objects = memory.objects.take_object_memory().unwrap_or_default();
        let (_, held) = store::add_objects(repo, objects).context("they cannot be stored")?;
        place.guard.check()?;
        let reason = format!("notes: {MESSAGE}");
        let edit = RefUpdate { name: name.as_ref(), expected: Some(before), new, reason: &reason };
        let written = local_ref::write(repo, edit).map_err(faults::of_ref)?;
        drop(held);
        match written {
            UpdateOutcome::Updated => return Ok(()),
            UpdateOutcome::Stale => {}
        }
    }
    anyhow::bail!("somebody else moved it each time")
}

/// Returns the tree with the copied notes, or `None` if there is nothing to copy.
fn copied(
    repo: &Repository,
    tree: ObjectId,
    mode: Mode,
    rewritten: &[(ObjectId, ObjectId)],
) -> anyhow::Result<Option<ObjectId>> {
    let mut notes = State::new(tree, &repo.objects)?;
    for (old, new) in rewritten {
        let Some(note) = notes.get(old, &repo.objects)? else { continue };
        let combined = match notes.get(new, &repo.objects)? {
            None => note,
            Some(there) => match mode {
                Mode::Overwrite => note,
                Mode::Ignore => continue,
                Mode::Concatenate => concatenated(&repo.objects, there, note)?,
                Mode::CatSortUniq => sorted(&repo.objects, there, note)?,
            },
        };
        notes.edit(*new, Some(combined), &repo.objects)?;
    }
    let with_copies = notes.write(&repo.objects)?;
    Ok((with_copies != tree).then_some(with_copies))
}

/// Concatenates two notes, with an empty line between them.
fn concatenated(objects: &(impl Find + Write), one: ObjectId, other: ObjectId) -> gix::Result<ObjectId> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let (first, second) =
        (objects.find_blob(&one, &mut first)?.data, objects.find_blob(&other, &mut second)?.data);
    objects.write_buf(Kind::Blob, &[first.strip_suffix(b"\n").unwrap_or(first), b"\n\n", second].concat())
}

/// Returns the lines of both notes, sorted and without duplicates and empty lines.
fn sorted(objects: &(impl Find + Write), one: ObjectId, other: ObjectId) -> gix::Result<ObjectId> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let (first, second) =
        (objects.find_blob(&one, &mut first)?.data, objects.find_blob(&other, &mut second)?.data);
    let lines: BTreeSet<&[u8]> =
        first.lines().chain(second.lines()).filter(|line| !line.is_empty()).collect();
    let text: Vec<u8> = lines.into_iter().flat_map(|line| [line, b"\n"].concat()).collect();
    objects.write_buf(Kind::Blob, &text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use testkit::World;

    use super::*;

    #[test]
    fn a_note_that_the_new_commit_has_already_is_joined_as_git_joins_them() {
        for (mode, name) in [
            (Mode::Concatenate, "concatenate"),
            (Mode::CatSortUniq, "cat_sort_uniq"),
            (Mode::Overwrite, "overwrite"),
            (Mode::Ignore, "ignore"),
        ] {
            let world = World::new();
            let repo = world.init("ours");
            let commit = |message: &str, note: &str| {
                repo.git(["commit", "--quiet", "--allow-empty", "-m", message]);
                repo.git(["notes", "add", "-m", note]);
                ObjectId::from_hex(repo.head().as_bytes()).unwrap()
            };
            let pair = (commit("old", "z\nold\n\na"), commit("new", "z\nnew"));
            let here = gix::open(repo.path()).unwrap();
            let tree = ObjectId::from_hex(repo.rev("refs/notes/commits^{tree}").as_bytes()).unwrap();
            let ours = copied(&here, tree, mode, &[pair]).unwrap().unwrap_or(tree);
            let copy = ["-c", "notes.rewriteRef=refs/notes/commits", "-c"];
            let mode = format!("notes.rewriteMode={name}");
            let invocation = repo.git_invocation().args(copy).arg(mode);
            invocation
                .args(["notes", "copy", "--for-rewrite=rebase"])
                .stdin(format!("{} {}\n", pair.0, pair.1))
                .success();
            assert_eq!(ours.to_string(), repo.rev("refs/notes/commits^{tree}"), "{name}");
        }
    }
}
