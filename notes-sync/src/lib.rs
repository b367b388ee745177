//! Fetches, merges and pushes notes refs, so that all notes are everywhere and none is lost.

pub mod combine;
pub mod diff;
pub mod layout;
pub mod merge;
mod others;
mod others_merge;
pub mod records;
pub mod strategy;
pub mod tree;
mod write;
