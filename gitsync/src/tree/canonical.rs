//! Writes trees with the modes that git uses today.
//!
//! Old tools wrote modes such as `100664` and `040000`. Git reads these, and writes their modern equivalents; copying
//! them into new trees creates objects that servers reject. See git's `canon_mode()`.

use gix::ObjectId;
use gix::bstr::BStr;
use gix::objs::tree::EntryMode;
use gix::objs::{Tree, Write as _};

/// The mode as git writes it.
pub fn mode(mode: EntryMode) -> EntryMode {
    mode.kind().into()
}

/// Whether git would write another mode.
pub fn is_odd(mode: EntryMode) -> bool {
    mode != self::mode(mode)
}

/// Writes `tree` with the modes that git would write.
///
/// # Errors
/// It cannot be written.
pub fn write(repo: &gix::Repository, tree: &Tree) -> gix::Result<ObjectId> {
    if !tree.entries.iter().any(|entry| is_odd(entry.mode)) {
        return repo.write(tree);
    }
    let mut tree = tree.clone();
    for entry in &mut tree.entries {
        entry.mode = mode(entry.mode);
    }
    repo.write(&tree)
}

/// Writes `tree` with the modes that git would write, in all of its trees except those that both `others` also have.
///
/// # Errors
/// A tree cannot be read or written.
pub fn unless_in(
    repo: &gix::Repository,
    tree: ObjectId,
    others: [Option<ObjectId>; 2],
) -> anyhow::Result<ObjectId> {
    if others == [Some(tree); 2] {
        return Ok(tree);
    }
    let mut now = repo.find_tree(tree)?.decode()?.to_owned();
    let [one, other] = others.map(|id| id.map(|id| repo.find_tree(id)).transpose());
    let others = [one?, other?];
    for entry in &mut now.entries {
        entry.mode = mode(entry.mode);
        if entry.mode.is_tree() {
            let below =
                [folder(&others[0], entry.filename.as_ref()), folder(&others[1], entry.filename.as_ref())];
            entry.oid = unless_in(repo, entry.oid, below)?;
        }
    }
    Ok(repo.write(&now)?)
}

/// The id of the subtree `name` in a tree.
fn folder(tree: &Option<gix::Tree<'_>>, name: &BStr) -> Option<ObjectId> {
    let entry = tree.as_ref()?.find_entry(name.to_owned()).filter(|entry| entry.mode().is_tree())?;
    Some(entry.object_id())
}
