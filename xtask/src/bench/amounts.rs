//! The sizes of what is measured: files, commits, notes and clones.

/// The sizes of what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// Files in the working tree.
    pub files: usize,
    /// Commits to pull (S3), and the files that each of them changes.
    pub incoming: (usize, usize),
    /// Commits on each side (S4), and the files that each of them changes.
    pub diverged: (usize, usize),
    /// Notes (S5), and how many of them change on each side.
    pub notes: (usize, usize),
    /// Clones that sync concurrently (S6), and the files in each.
    pub swarm: (usize, usize),
}

impl Amounts {
    /// Returns the sizes for which the targets are set.
    pub fn full(files: usize) -> Self {
        Self { files, incoming: (50, 20), diverged: (100, 1), notes: (20_000, 500), swarm: (32, 2000) }
    }

    /// Returns sizes that suffice to check that the benchmark works.
    pub fn quick(files: usize) -> Self {
        Self { files, incoming: (3, 5), diverged: (3, 2), notes: (40, 4), swarm: (3, files) }
    }
}
