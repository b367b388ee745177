//! Defines what all measurements have in common.

use super::{sandbox::Sandbox, sides::Sides};

/// What all measurements have in common.
#[derive(Debug)]
pub struct BenchContext<'a> {
    /// Where repositories are created.
    pub lab: &'a Sandbox,
    /// The programs to measure.
    pub sides: Sides<'a>,
    /// The type of the file system.
    pub place: String,
    /// The number of pairs of runs.
    pub pairs: usize,
    /// The number of pairs for slow measurements.
    pub few_pairs: usize,
}
