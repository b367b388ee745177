//! Sparse checkouts: determines which paths belong in the working tree, and expands a sparse index.
//!
//! Without this, a run would take the files outside of a sparse checkout for deleted, or write them all. The patterns
//! of cone mode select the very same paths when they are read as general patterns; so one way of matching serves
//! both. See <https://git-scm.com/docs/git-sparse-checkout>.

use anyhow::Context as _;
use gix::bstr::{BStr, ByteSlice};
use gix::glob::pattern::Case;
use gix::index::entry::{Flags, Mode, Stat};

use crate::pattern::{Patterns, Sign, Target};

/// The paths that belong in the working tree.
pub struct Sparse {
    patterns: Option<Patterns>,
    case: Case,
}

impl Sparse {
    /// Returns a value for which every path belongs in the working tree.
    pub fn off() -> Self {
        Sparse { patterns: None, case: Case::Sensitive }
    }

    /// Reads the repository's settings: `core.sparseCheckout`, and `info/sparse-checkout` of this worktree.
    ///
    /// # Errors
    /// The patterns cannot be read.
    pub fn of(repo: &gix::Repository) -> anyhow::Result<Self> {
        if !repo.config_snapshot().boolean("core.sparseCheckout").unwrap_or(false) {
            return Ok(Sparse::off());
        }
        let path = repo.git_dir().join("info").join("sparse-checkout");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            // As in git, everything is wanted if there are no patterns.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Sparse::off()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let case = if repo.filesystem_options()?.ignore_case { Case::Fold } else { Case::Sensitive };
        Ok(Sparse { patterns: Some(Patterns::parse(&text)), case })
    }

    /// Whether this is a sparse checkout.
    pub fn is_on(&self) -> bool {
        self.patterns.is_some()
    }

    /// Whether `path` belongs in the working tree. If no pattern matches it, its directory decides.
    pub fn contains(&self, path: &BStr) -> bool {
        self.matches(path, Target::File)
    }

    /// Whether the directory `path` belongs in the working tree, for instance a nested repository that is not in the
    /// index yet.
    pub fn contains_folder(&self, path: &BStr) -> bool {
        self.matches(path, Target::Folder)
    }

    fn matches(&self, path: &BStr, mut target: Target) -> bool {
        let Some(patterns) = &self.patterns else { return true };
        let mut here = path;
        while !here.is_empty() {
            if let Some(sign) = patterns.last_match(here, target, self.case) {
                return sign == Sign::Positive;
            }
            here = here.rfind_byte(b'/').map_or(b"".as_bstr(), |slash| here[..slash].as_bstr());
            target = Target::Folder;
        }
        false
    }
}

/// Replaces the directories of a sparse index with their files, all of them marked skip-worktree.
pub fn expand(repo: &gix::Repository, index: gix::index::File) -> anyhow::Result<gix::index::File> {
    if !index.is_sparse() {
        return Ok(index);
    }
    let mut full = gix::index::State::new(index.object_hash());
    full.set_timestamp(index.timestamp());
    for entry in index.entries() {
        let path = entry.path(&index);
        if entry.mode != Mode::DIR {
            full.dangerously_push_entry(entry.stat, entry.id, entry.flags, entry.mode, path);
            continue;
        }
        let folder = index_of_folder(repo, &entry.id)
            .with_context(|| format!("cannot expand {path} of the sparse index"))?;
        for file in folder.entries() {
            let mut whole = path.to_owned();
            whole.extend_from_slice(file.path(&folder));
            let flags = Flags::SKIP_WORKTREE | Flags::EXTENDED;
            full.dangerously_push_entry(Stat::default(), file.id, flags, file.mode, whole.as_bstr());
        }
    }
    full.sort_entries();
    Ok(gix::index::File::from_state(full, index.path().to_owned()))
}

/// Returns the files of a directory. Names are refused by the repository's settings: without them, gix would refuse all
/// that Windows cannot store.
fn index_of_folder(repo: &gix::Repository, tree: &gix::oid) -> anyhow::Result<gix::index::File> {
    Ok(repo.index_from_tree(tree)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sparse(text: &str) -> Sparse {
        Sparse { patterns: Some(Patterns::parse(text.as_bytes())), case: Case::Sensitive }
    }

    #[test]
    fn a_cone_holds_the_files_beside_the_way_and_all_below_its_end() {
        let cone = sparse("/*\n!/*/\n/a/\n!/a/*/\n/a/b/\n");
        for inside in ["top", "a/file", "a/b/file", "a/b/c/file"] {
            assert!(cone.contains(inside.into()), "{inside}");
        }
        for outside in ["b/file", "a/c/file", "a/c/d/file"] {
            assert!(!cone.contains(outside.into()), "{outside}");
        }
    }

    #[test]
    fn patterns_without_a_cone_take_what_the_last_of_them_says() {
        let some = sparse("*.txt\n!secret.txt\n/docs/\n");
        assert!(some.contains("a/b.txt".into()));
        assert!(!some.contains("a/secret.txt".into()));
        assert!(some.contains("docs/deep/x".into()));
        assert!(!some.contains("other".into()));
    }
}
