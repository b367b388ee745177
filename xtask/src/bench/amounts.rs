//! How much of everything there is in what is measured.

/// How much of everything there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// Files in the work tree.
    pub files: usize,
    /// Commits that come in (S3), and the files that each of them changes.
    pub incoming: (usize, usize),
    /// Commits on each side (S4), and the files that each of them changes.
    pub diverged: (usize, usize),
    /// Notes (S5), and how many of them change on each side.
    pub notes: (usize, usize),
    /// Clones that sync at once (S6), and the files in each.
    pub swarm: (usize, usize),
}

impl Amounts {
    /// What the targets are about.
    pub fn full(files: usize) -> Self {
        Self { files, incoming: (50, 20), diverged: (100, 1), notes: (20_000, 500), swarm: (32, 2000) }
    }

    /// Enough to see that the measuring works.
    pub fn quick(files: usize) -> Self {
        Self { files, incoming: (3, 5), diverged: (3, 2), notes: (40, 4), swarm: (3, files) }
    }
}
