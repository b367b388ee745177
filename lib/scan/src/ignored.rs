//! Determines which files are ignored, by git's ignore rules.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use gix::bstr::BStr;
use gix::glob::search::pattern::{List, Mapping};
use gix::glob::{Pattern, pattern};
use gix::ignore::{Kind, Search};
use gix::index::State;
use gix::index::entry::Mode;
use gix::worktree::Stack;
use gix::worktree::stack::State as Rules;
use gix::worktree::stack::state::Ignore;
use gix::worktree::stack::state::ignore::{ParseIgnore, Source};

use crate::walk::Scan;

/// The ignore rules of a working tree, for use by one thread.
pub struct Ignored {
    repo: gix::Repository,
    rules: Stack,
}

impl Ignored {
    /// Loads the rules of the working tree that is scanned.
    ///
    /// # Errors
    /// A file with rules cannot be read; the error names it.
    pub fn of(scan: &Scan<'_>) -> anyhow::Result<Self> {
        let repo = scan.repo.to_thread_local();
        let none = State::new(repo.object_hash());
        // Rules are read from the index if their file is skip-worktree.
        let index = if scan.index.leaves_files_out() { scan.index.decoded()? } else { &none };
        let rules = Ignore::new(
            Search::default(),
            everywhere(&repo)?,
            None,
            Source::WorktreeThenIdMappingIfNotSkipped,
            ParseIgnore::default(),
        );
        let rules = Stack::from_state_and_ignore_case(
            &scan.root,
            scan.folded.is_some(),
            Rules::IgnoreStack(rules),
            index,
            index.path_backing(),
        );
        Ok(Self { repo, rules })
    }

    /// Whether the entry at `path`, whose `mode` tells whether it is a directory, is ignored.
    ///
    /// # Errors
    /// A file with rules cannot be read.
    pub fn holds(&mut self, path: &BStr, mode: Mode) -> anyhow::Result<bool> {
        let found = self
            .rules
            .at_entry(path, Some(mode), &self.repo.objects)
            .with_context(|| format!("cannot tell whether {path} is ignored"))?;
        Ok(found.excluded_kind().is_some())
    }
}

/// Loads the rules that apply in all directories: the user's, and those of the repository's `info/exclude`.
fn everywhere(repo: &gix::Repository) -> anyhow::Result<Search> {
    let of_user = of_user(repo)?;
    let files = of_user.iter().cloned().chain([repo.common_dir().join("info/exclude")]);
    let rules =
        Search::from_git_dir(repo.common_dir(), of_user.clone(), &mut Vec::new(), ParseIgnore::default());
    let mut rules = rules.map_err(|error| {
        let unreadable = files.into_iter().find_map(|file| {
            let error = fs::File::open(&file).err().filter(|error| error.kind() != ErrorKind::NotFound)?;
            Some(anyhow::Error::from(error).context(format!("cannot read {}", file.display())))
        });
        unreadable.unwrap_or_else(|| error.into())
    })?;
    rules.patterns.extend(never_the_root().patterns);
    Ok(rules)
}

/// Returns rules with which the root of the working tree is not ignored. They have to come last.
///
/// git never asks whether the root is ignored, but gix does. A pattern like `*` or `/*` in the rules that apply
/// everywhere matches it, and then everything below it is ignored, whatever the patterns after it say.
pub fn never_the_root() -> Search {
    let root = Pattern { text: "".into(), mode: pattern::Mode::NEGATIVE, first_wildcard_pos: None };
    let rule = Mapping { pattern: root, value: Kind::Expendable, sequence_number: 0 };
    Search { patterns: vec![List { patterns: vec![rule], source: None, base: None }] }
}

/// Returns the file with the user's own rules. An empty setting disables it, and an empty variable counts as unset;
/// see <https://git-scm.com/docs/gitignore>.
fn of_user(repo: &gix::Repository) -> anyhow::Result<Option<PathBuf>> {
    let config = repo.config_snapshot();
    if let Some(named) = config.string("core.excludesFile") {
        let file = if named.is_empty() { None } else { config.trusted_path("core.excludesFile")? };
        if let Some(file) = file.as_ref().filter(|file| file.is_dir()) {
            bail!("core.excludesFile names {}, which is a folder", file.display());
        }
        return Ok(file);
    }
    let allowed = repo.open_options().permissions.env;
    let folder = match env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => allowed.xdg_config_home.check_opt(PathBuf::from(folder)),
        None => gix::path::env::home_dir()
            .and_then(|home| allowed.home.check_opt(home))
            .map(|home| home.join(".config")),
    };
    Ok(folder.map(|folder| folder.join("git/ignore")))
}
