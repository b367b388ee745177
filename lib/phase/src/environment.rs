//! The repository that the environment names.
//!
//! Git tells its hooks by variables such as `GIT_DIR` and `GIT_INDEX_FILE` which repository they run in, and some shells
//! are set up so. Somebody who then works in another one, a vault or what `--repo` names, must not come by that one's
//! index or work tree. So these variables are taken out of the environment before anything is looked at, and nothing
//! goes by them. But where no repository is named otherwise, they must mean the very one that is found: git would go by
//! them, and a run does not work on another repository than git would.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::Fault;

/// Variables that say which repository is *this* one, and where its parts are. Of those that `git rev-parse
/// --local-env-vars` lists, these are all but the ones that hold configuration or say how objects are shown.
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

/// Those that were set.
static TAKEN: OnceLock<Vec<(&str, OsString)>> = OnceLock::new();

/// Takes these variables out of the environment. For the begin of `main`, before there are threads.
pub(crate) fn take() {
    TAKEN.get_or_init(|| {
        let set = OF_ONE_REPOSITORY.iter().filter_map(|name| Some((*name, env::var_os(name)?)));
        set.inspect(|(name, _)| remove(name)).collect()
    });
}

#[allow(unsafe_code, reason = "the environment of a process cannot be changed otherwise")]
fn remove(name: &str) {
    // SAFETY: this is the begin of `main`, where there is no other thread that could read the environment.
    unsafe { env::remove_var(name) }
}

/// The variables that were taken out of the environment: what the user starts by way of this program has them again.
pub fn taken() -> impl Iterator<Item = (&'static str, OsString)> {
    TAKEN.get().into_iter().flatten().cloned()
}

/// Makes sure that the environment does not name another repository than this one, which was found by itself.
///
/// # Errors
/// A fault with exit 78, with the variable.
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
            return Err(Fault::misconfigured(message)
                .help(format!("unset {name}, or name the directory of the repository with --repo DIR")));
        }
    }
    Ok(())
}

/// What to do where there is no repository, and the environment names one.
pub(crate) fn remedy() -> Option<String> {
    let (_, named) = taken().find(|(name, _)| *name == GIT_DIR)?;
    let named = Path::new(&named).display();
    Some(format!("GIT_DIR, which is {named}, is not gone by: name the repository with --repo DIR"))
}

/// Whether both are the same. An index need not be there yet.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| {
        path.canonicalize().ok().or_else(|| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            Some(folder.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?))
        })
    };
    real(one).is_some_and(|one| real(other) == Some(one))
}
