//! Matches paths against the pathspecs of a scope, and tracks which pathspecs have matched.

use gix::bstr::{BStr, BString, ByteSlice};
use gix::pathspec::Defaults;
use gix::worktree::stack::state::attributes::Source;
use gix::{ObjectId, PathspecDetached};

use super::Scope;

/// Which paths a scope includes, and which of its pathspecs have matched any.
pub struct Pathspecs {
    specs: Vec<(BString, PathspecDetached, bool)>,
    all: Option<PathspecDetached>,
}

impl Pathspecs {
    /// Includes all paths.
    pub fn everything() -> Self {
        Pathspecs { specs: Vec::new(), all: None }
    }

    /// Parses the scope's pathspecs.
    ///
    /// # Errors
    /// One of them is not a valid pathspec.
    pub fn new(repo: &gix::Repository, index: &gix::index::State, scope: &Scope) -> anyhow::Result<Self> {
        let Scope::Only(given) = scope else { return Ok(Pathspecs::everything()) };
        let repo = without_defaults(repo)?;
        let parse = |specs: &[BString]| {
            repo.pathspec(false, specs, true, index, Source::WorktreeThenIdMapping)?.detach()
        };
        let rooted = from_root(scope);
        let specs = given
            .iter()
            .zip(&rooted)
            .map(|(given, rooted)| Ok((given.clone(), parse(std::slice::from_ref(rooted))?, false)))
            .collect::<anyhow::Result<_>>()?;
        Ok(Pathspecs { specs, all: Some(parse(&rooted)?) })
    }

    /// Whether the scope includes `path`. The path is that of a repository of its own if it `is_folder`, and
    /// otherwise that of a file or symbolic link.
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

    /// The pathspecs that match nothing, neither anything seen so far nor anything in `index`.
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

/// Those of these pathspecs that match nothing in `tree` either: a file staged as removed exists only there.
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

/// Returns how pathspecs are meant that have no magic of their own: see `GIT_LITERAL_PATHSPECS` and the variables after
/// it in <https://git-scm.com/docs/git>.
///
/// # Errors
/// The variables exclude each other, or one is no boolean.
pub fn defaults(repo: &gix::Repository) -> anyhow::Result<Defaults> {
    let is_off = repo.config_snapshot().boolean(NOGLOB) == Some(false);
    Ok(if is_off { without(&[NOGLOB], repo)?.pathspec_defaults()? } else { repo.pathspec_defaults()? })
}

/// The setting that stands for `GIT_NOGLOB_PATHSPECS`. gix takes every pathspec for a literal if it is set at all.
const NOGLOB: &str = "gitoxide.pathspec.noglob";

/// The settings that stand for the variables.
const OF_ENVIRONMENT: [&str; 4] =
    ["gitoxide.pathspec.literal", "gitoxide.pathspec.glob", NOGLOB, "gitoxide.pathspec.icase"];

/// Returns a handle for which the environment says nothing of pathspecs. Those of a scope have it in them already, as
/// magic, which would be read as part of a path.
fn without_defaults(repo: &gix::Repository) -> anyhow::Result<gix::Repository> {
    without(&OF_ENVIRONMENT, repo)
}

/// Returns a handle without these settings.
fn without(keys: &[&str], repo: &gix::Repository) -> anyhow::Result<gix::Repository> {
    let mut repo = repo.clone();
    let mut config = repo.config_snapshot_mut();
    for key in keys {
        while let Ok(mut value) = config.raw_value_mut(*key) {
            value.delete();
        }
    }
    config.commit()?;
    Ok(repo)
}

/// Removes the empty magic `:()`, which gix adds to pathspecs that have none.
fn as_typed(spec: BString) -> BString {
    spec.strip_prefix(b":()").map_or_else(|| spec.clone(), BString::from)
}

/// The pathspecs, made relative to the root of the working tree, wherever the run was started.
fn from_root(scope: &Scope) -> Vec<BString> {
    match scope {
        Scope::Everything => Vec::new(),
        Scope::Only(specs) => specs.iter().map(|spec| at_root(spec.as_bstr())).collect(),
    }
}

/// Adds the `top` magic to a pathspec. See
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
