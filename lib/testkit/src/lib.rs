//! Creates worlds for tests: temporary directories with remotes, clones and worktrees, and a separate environment.
//!
//! Real git creates the fixtures and judges the results.
//!
//! A test that inherits its developer's environment passes on one machine and fails on the next: because of a global
//! hook, a signing key, or a `GIT_DIR` left over from a hook that started the tests. So every program that a
//! [`World`] starts gets a cleared environment.
//!
//! For tests only: if a fixture cannot be created, it panics with a description.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod binaries;
mod document;
mod invocation;
mod judge;
mod notes;
mod output;
mod pipeline;
mod recorder;
mod repo;
pub mod servers;
mod snapshot;
mod surroundings;
#[cfg(unix)]
mod terminal;
mod world;

pub use binaries::binary;
pub use document::Sections;
pub use invocation::{Invocation, Running};
pub use judge::{assert_converged, assert_same_tree};
pub use output::Output;
pub use pipeline::{Pipeline, Ran};
pub use recorder::Recorder;
pub use repo::Repo;
pub use snapshot::Snapshot;
#[cfg(unix)]
pub use terminal::Terminal;
pub use world::World;
