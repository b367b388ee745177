//! Removes git's repository variables from the environment, so that they do not redirect a run to another repository.
//!
//! Git tells its hooks through variables such as `GIT_DIR` and `GIT_INDEX_FILE` which repository they run in, and
//! some users set them in their shells. A run that works in another repository, a vault or the one that `--repo`
//! names, must not use the index or working tree that they name. So these variables are removed from the environment
//! first, and nothing uses them. But if no repository is named otherwise, they must agree with the one that is found:
//! git would follow them, and a run must not work on another repository than git would.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::Fault;

/// The variables that say which repository is the current one and where its parts are. Of those that `git rev-parse
/// --local-env-vars` lists, these are all except the ones that hold configuration or control how objects are shown.
const OF_ONE_REPOSITORY: [&str; 9] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    GIT_DIR,
    "GIT_IMPLICIT_WORK_TREE",
    INDEX_FILE,
    OBJECT_DIRECTORY,
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    WORK_TREE,
];
const GIT_DIR: &str = "GIT_DIR";
const WORK_TREE: &str = "GIT_WORK_TREE";
const INDEX_FILE: &str = "GIT_INDEX_FILE";
const OBJECT_DIRECTORY: &str = "GIT_OBJECT_DIRECTORY";

/// The variables that were set, with their values.
static TAKEN: OnceLock<Vec<(&str, OsString)>> = OnceLock::new();

/// Removes these variables from the environment. Must be called at the start of `main`, before there are threads.
pub(crate) fn take() {
    TAKEN.get_or_init(|| {
        let set = OF_ONE_REPOSITORY.iter().filter_map(|name| Some((*name, env::var_os(name)?)));
        set.inspect(|(name, _)| remove(name)).collect()
    });
}

#[allow(unsafe_code, reason = "the environment of a process cannot be changed otherwise")]
fn remove(name: &str) {
    // SAFETY: this is called at the start of `main`, when no other thread exists that could read the environment.
    unsafe { env::remove_var(name) }
}

/// Returns the variables that were removed from the environment, to set them again for programs that the user starts
/// through this one.
pub fn taken() -> impl Iterator<Item = (&'static str, OsString)> {
    TAKEN.get().into_iter().flatten().cloned()
}

/// Checks that the environment does not name another repository than `repo`, which was found without it.
///
/// # Errors
/// A fault with exit 78 that names the variable.
pub(crate) fn agrees(repo: &gix::Repository) -> Result<(), Fault> {
    for (name, value) in taken() {
        let (what, found) = match name {
            GIT_DIR => ("git directory", Some(repo.git_dir().to_owned())),
            WORK_TREE => ("work tree", repo.workdir().map(Path::to_owned)),
            INDEX_FILE => ("index", Some(repo.index_path())),
            OBJECT_DIRECTORY => ("object directory", Some(repo.common_dir().join("objects"))),
            _ => continue,
        };
        let named = PathBuf::from(value);
        if !found.as_deref().is_some_and(|found| is_same(found, &named)) {
            let here = match &found {
                Some(found) => format!("that of the repository here is {}", found.display()),
                None => "the repository here has none".to_owned(),
            };
            let message = format!("{name} names {} as the {what}, and {here}", named.display());
            // A path is asked for, since `--repo .` is what is assumed anyway.
            let root = repo.workdir().unwrap_or(repo.git_dir());
            let root = sanitize::quoted(&root.display().to_string());
            return Err(Fault::misconfigured(message)
                .help(format!("unset {name}, or name this repository by its path: --repo {root}")));
        }
    }
    Ok(())
}

/// Returns the remedy if no repository was found and `GIT_DIR` names one.
pub(crate) fn remedy() -> Option<String> {
    let (_, named) = taken().find(|(name, _)| *name == GIT_DIR)?;
    let named = Path::new(&named).display();
    Some(format!("GIT_DIR, which is {named}, is not gone by: name the repository with --repo DIR"))
}

/// Whether both paths are the same file. An index need not exist yet.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| {
        path.canonicalize().ok().or_else(|| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            Some(folder.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?))
        })
    };
    real(one).is_some_and(|one| real(other) == Some(one))
}
