//! Fetches, merges and pushes notes refs, so that every clone gets all notes and none is lost.

mod ahead;
pub mod append;
pub mod apply;
mod args;
pub mod combine;
mod command;
pub mod commits;
pub mod dry_run;
mod exchange;
pub mod globs;
mod hazards;
mod heard;
pub mod look;
mod memory;
pub mod merge;
pub mod merge_here;
mod merging;
pub mod names;
pub mod objects;
mod others_merge;
pub mod plan;
pub mod progress;
pub mod records;
pub mod reflog;
pub mod refs;
mod report;
pub mod rescue;
mod server_words;
pub mod settings;
pub mod strategy;
pub mod sync;
pub mod tree;
pub mod undone;

pub use args::Args;
pub use command::main;
