//! Merges three trees with the result that git has, renames included.
//!
//! Which file was renamed to which decides where a change ends up, so it is not enough to find plausible renames:
//! they have to be git's. The steps are those of git's merge-ort: the trees are compared ([`walk`]), renames are
//! detected ([`detect`]) and followed, those of directories first ([`folder_renames`], [`file_renames`]), and then
//! each path is decided ([`settle`]). What would be left half-done in the working tree is a list of paths here.

mod alike;
mod candidates;
mod detect;
mod file_renames;
mod folder_renames;
mod git_order;
mod matrix;
mod paths;
mod settle;
mod votes;
mod walk;

use gix::ObjectId;
use gix::bstr::BString;

use super::alive::Alive;
use super::content::Blobs;
use super::merge::Sides;
use folder_renames::Wish;
use paths::{Each, Side};

pub use paths::{BASE, Item};

/// How renames are detected.
#[derive(Debug, Clone, Copy)]
pub struct Detection {
    /// The square of this is the highest number of pairs of files that are compared.
    pub limit: usize,
}

/// The result of a merge.
pub enum Merged {
    /// This tree.
    Clean(ObjectId),
    /// The paths that conflict.
    Conflict(Vec<BString>),
}

/// Merges the trees of `sides`, with renames unless there is no `detection`.
///
/// # Errors
/// An object cannot be read or written, or a merge driver fails.
pub fn merge(
    objects: &Alive<'_>,
    sides: Sides,
    detection: Option<Detection>,
    blobs: &mut Blobs<'_>,
) -> anyhow::Result<Merged> {
    let mut found = walk::walk(objects, sides)?;
    let mut disputed = Vec::new();
    if let Some(Detection { limit }) = detection
        && Side::BOTH.iter().any(|side| found.candidates.of(*side).matter())
    {
        let mut renames = Each::default();
        for side in Side::BOTH {
            *renames.of_mut(side) = detect::find(objects, found.candidates.of_mut(side), limit)?;
        }
        disputed.extend(folder_renames::follow(&mut found, &mut renames, Wish::of(objects.repo)));
        file_renames::follow(&mut found.paths, renames, blobs)?;
    }
    let known = [sides.base, sides.ours, sides.theirs].map(Some);
    let tree = settle::settle(objects.repo, known, found.paths, blobs, &mut disputed)?;
    Ok(if disputed.is_empty() { Merged::Clean(tree) } else { Merged::Conflict(disputed) })
}
