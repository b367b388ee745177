//! Fetches, merges and pushes notes refs, so that every clone gets all notes and none is lost.

mod advertised;
mod ahead;
pub mod append;
pub mod apply;
mod args;
pub mod clobbered;
pub mod combine;
mod command;
pub mod commits;
pub mod dry_run;
mod exchange;
pub mod globs;
mod hazards;
pub mod look;
mod manual_merge;
pub mod merge;
pub mod merge_here;
mod merge_non_notes;
pub mod names;
pub mod objects;
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
mod trim_heap;

pub use args::Args;
pub use command::main;
