//! A repository's own store: its objects, loose and in packs, its refs with their reflogs, and the history that they
//! form.
//!
//! gix can read all of this. This crate writes it: complete and flushed before anything relies on it, while git works
//! on the same repository, and such that what a killed process leaves can be cleaned up. It also reads, with less
//! work than gix, what every run reads: small loose objects and recent commits.
//!
//! Without this crate, each phase would write refs and objects in its own way, and each would forget something else:
//! the reflog, the permissions of a shared repository, the `.keep` file that protects a new pack from being pruned.

mod add;
pub mod connectivity;
pub mod durable;
mod freshen;
mod history;
pub mod local_ref;
pub mod object_file;
pub mod objects;
pub mod pack;
pub mod permissions;
mod recent;
pub mod temporary;
mod view;

pub use add::{add_loose, add_objects};
pub use freshen::Freshener;
pub use history::{CachedObjects, Commit, History, commit_graph, has_replace_refs};
pub use objects::Loose;
pub use pack::{
    Receiver,
    keep_file::PackKeep,
    prepared::{CommitRange, ObjectWalk, PreparedPack, VisitedCommit, WalkedObjects},
    single_change::Replaced,
};
pub use recent::RecentObjects;
pub use temporary::remove_stale_packs;
pub use view::clone_view;
