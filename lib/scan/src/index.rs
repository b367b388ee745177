//! Reading the index.

use std::path::Path;

use anyhow::Context as _;

use crate::sparse;

/// Reads the index that lies at `path`; an empty one where there is none yet.
///
/// A split index comes back whole, a sparse one with every file of the folders that it had left out. Its checksum is not
/// computed, which would take longer than all the rest: git does not either, but in `git fsck`.
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn read(repo: &gix::Repository, path: &Path) -> anyhow::Result<gix::index::File> {
    let skip_hash = true;
    let index = gix::index::File::at_or_default(path, repo.object_hash(), skip_hash, Default::default())
        .with_context(|| format!("cannot read the index {}", path.display()))?;
    sparse::expand(repo, index)
}
