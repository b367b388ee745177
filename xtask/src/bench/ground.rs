//! What all measurements stand on.

use super::{lab::Lab, sides::Sides};

/// What all measurements stand on.
#[derive(Debug)]
pub struct Ground<'a> {
    /// Where repositories are made.
    pub lab: &'a Lab,
    /// Who is measured.
    pub sides: Sides<'a>,
    /// The type of the file system.
    pub place: String,
    /// How many pairs of runs are made.
    pub pairs: usize,
    /// How many are made of what takes long.
    pub few_pairs: usize,
}
