//! Limits how far upwards the search for a repository goes.
//!
//! A repository found too far up is the wrong one, perhaps that of the user's home directory: a run would commit and
//! push files that nobody meant to. So the search goes no further than git's.

use std::path::{Path, PathBuf};

use gix::discover::{is_git, upwards::Options};

/// Returns options to search up to `GIT_CEILING_DIRECTORIES`, even if that names none of the directories on the way.
pub fn as_far_as_git() -> Options<'static> {
    Options { match_ceiling_dir_or_error: false, ..Options::default() }.apply_environment()
}

/// Returns the `.git` file, on the way up from `directory` to a repository, that does not lead to a repository: its
/// working tree was moved, or the git directory that it points to. Git stops there, but gix goes on to the repository
/// around it.
pub fn dead_end(directory: &Path) -> Option<PathBuf> {
    let no_repository = |path: &Path| is_git(path).is_err();
    directory
        .ancestors()
        .take_while(|folder| no_repository(folder) && no_repository(&folder.join(".git")))
        .map(|folder| folder.join(".git"))
        .find(|link| link.is_file())
}

/// Whether this `.git` file points to the git directory of a linked worktree; otherwise it points to a repository of
/// its own, as a submodule's does. See <https://git-scm.com/docs/gitrepository-layout>.
pub fn is_of_a_linked_work_tree(link: &Path) -> bool {
    let text = std::fs::read_to_string(link).unwrap_or_default();
    let target = text.strip_prefix("gitdir: ").map(|target| Path::new(target.trim_end_matches('\n')));
    target.and_then(Path::parent).is_some_and(|parent| parent.ends_with("worktrees"))
}
