//! How far up a repository is looked for, and what ends the search.
//!
//! What is found too far up is another repository, perhaps that of somebody's home directory: a run would commit and push
//! what nobody meant. So it is looked for no further than git does.

use std::path::{Path, PathBuf};

use gix::discover::{is_git, upwards::Options};

/// Up to `GIT_CEILING_DIRECTORIES`, also where it names none of the folders on the way.
pub fn as_far_as_git() -> Options<'static> {
    Options { match_ceiling_dir_or_error: false, ..Options::default() }.apply_environment()
}

/// The file `.git` on the way up from `directory` to a repository that leads to none: its work tree was moved, or what it
/// led to has been. Git stops there, and gix goes on to the repository around it.
pub fn dead_end(directory: &Path) -> Option<PathBuf> {
    let no_repository = |path: &Path| is_git(path).is_err();
    directory
        .ancestors()
        .take_while(|folder| no_repository(folder) && no_repository(&folder.join(".git")))
        .map(|folder| folder.join(".git"))
        .find(|link| link.is_file())
}

/// Whether this file `.git` leads to what a repository keeps of a linked work tree; else it leads to a repository of the
/// work tree's own, as a submodule's does. See <https://git-scm.com/docs/gitrepository-layout>.
pub fn is_of_a_linked_work_tree(link: &Path) -> bool {
    let text = std::fs::read_to_string(link).unwrap_or_default();
    let target = text.strip_prefix("gitdir: ").map(|target| Path::new(target.trim_end_matches('\n')));
    target.and_then(Path::parent).is_some_and(|parent| parent.ends_with("worktrees"))
}
