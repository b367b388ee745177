//! Which paths a pathspec means.

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::worktree::stack::state::attributes::Source;

use super::Scope;

/// Which paths a scope means, and which of its pathspecs have meant any.
pub struct Pathspecs<'repo> {
    specs: Vec<(BString, gix::Pathspec<'repo>, bool)>,
    all: Option<gix::Pathspec<'repo>>,
}

impl<'repo> Pathspecs<'repo> {
    /// All paths are meant.
    pub fn everything() -> Self {
        Pathspecs { specs: Vec::new(), all: None }
    }

    /// Parse the scope's pathspecs.
    ///
    /// # Errors
    /// One of them is none.
    pub fn new(
        repo: &'repo gix::Repository,
        index: &gix::index::State,
        scope: &Scope,
    ) -> anyhow::Result<Self> {
        let Scope::Only(given) = scope else { return Ok(Pathspecs::everything()) };
        let parse =
            |specs: &[BString]| repo.pathspec(false, specs, true, index, Source::WorktreeThenIdMapping);
        let rooted = from_root(scope);
        let specs = given
            .iter()
            .zip(&rooted)
            .map(|(given, rooted)| Ok((given.clone(), parse(std::slice::from_ref(rooted))?, false)))
            .collect::<anyhow::Result<_>>()?;
        Ok(Pathspecs { specs, all: Some(parse(&rooted)?) })
    }

    /// Whether the scope means `path`, which is that of a file or a link, or of a repository of its own where it
    /// `is_folder`.
    pub fn matches(&mut self, path: &BStr, is_folder: impl FnOnce() -> bool) -> bool {
        let Some(all) = &mut self.all else { return true };
        let is_folder = Some(is_folder());
        let matches = all.is_included(path, is_folder);
        if matches {
            for (_, spec, seen) in self.specs.iter_mut().filter(|(_, _, seen)| !seen) {
                *seen = spec.is_included(path, is_folder);
            }
        }
        matches
    }

    /// Those pathspecs that mean nothing, neither anything that was seen nor anything in `index`.
    pub fn unmatched(mut self, index: &scan::Index) -> Vec<BString> {
        for (_, spec, seen) in self.specs.iter_mut().filter(|(_, _, seen)| !seen) {
            let is_meant =
                |entry: scan::Entry<'_>| spec.is_included(entry.path, Some(entry.mode.is_submodule()));
            *seen = (0..index.len()).map(|at| index.entry(at)).any(is_meant);
        }
        self.unseen()
    }

    fn unseen(self) -> Vec<BString> {
        let left_out = |given: &BString| {
            given.starts_with(b":!") || given.starts_with(b":^") || given.contains_str("exclude")
        };
        self.specs
            .into_iter()
            .filter(|(given, _, seen)| !seen && !left_out(given))
            .map(|(given, _, _)| as_typed(given))
            .collect()
    }
}

/// Those of these pathspecs that mean nothing in `tree` either: what is staged as removed is nowhere but there.
///
/// # Errors
/// The tree cannot be read.
pub fn unmatched_in(
    repo: &gix::Repository,
    tree: ObjectId,
    unmatched: Vec<BString>,
) -> anyhow::Result<Vec<BString>> {
    if unmatched.is_empty() {
        return Ok(unmatched);
    }
    let before = repo.index_from_tree(&tree)?;
    let mut pathspecs = Pathspecs::new(repo, &before, &Scope::Only(unmatched))?;
    for entry in before.entries() {
        pathspecs.matches(entry.path(&before), || entry.mode.is_submodule());
    }
    Ok(pathspecs.unseen())
}

/// A pathspec without the empty list of its magic, which gix puts before those that have none.
fn as_typed(spec: BString) -> BString {
    spec.strip_prefix(b":()").map_or_else(|| spec.clone(), BString::from)
}

/// The pathspecs, made to start at the work tree's root wherever the run was started.
fn from_root(scope: &Scope) -> Vec<BString> {
    match scope {
        Scope::Everything => Vec::new(),
        Scope::Only(specs) => specs.iter().map(|spec| at_root(spec.as_bstr())).collect(),
    }
}

/// Add the `top` magic to a pathspec. See
/// <https://git-scm.com/docs/gitglossary#Documentation/gitglossary.txt-pathspec>.
fn at_root(spec: &BStr) -> BString {
    let mut out = BString::from(b":(top");
    match spec.strip_prefix(b":(") {
        Some(rest) => {
            out.push(b',');
            out.extend_from_slice(rest);
            out
        }
        None if spec.starts_with(b":") => spec.to_owned(),
        None => {
            out.push(b')');
            out.extend_from_slice(spec);
            out
        }
    }
}
