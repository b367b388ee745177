//! Finds and opens the repository, and refuses one that is unsupported or not trusted.

use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use contract::{Exit, Repo};
use gix::{
    bstr::BString,
    odb::store::init::Slots,
    open::Options,
    sec::{
        Trust,
        trust::{DefaultForLevel as _, Mapping},
    },
};

use crate::{
    Fault, ceiling, config_parameters, configuration,
    current_dir::{self, HERE},
    environment, settings,
};

/// Opens the repository around `directory`, searching upwards as git does.
///
/// # Errors
/// A fault with exit 78 if there is none, or it cannot be opened or is of an unsupported kind; if `directory` is
/// relative to a current directory that no longer exists; or if `directory` is `.` and the environment names another
/// repository. A fault with exit 77 if it belongs to someone else (`safe.directory` of git-config).
pub fn discover(directory: &Utf8Path) -> Result<gix::Repository, Fault> {
    discover_named(directory, Named::ByOption)
}

/// How the directory was named, which decides the remedy if it is not a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// By `--repo`, or it is the current directory.
    ByOption,
    /// In another way; this is the remedy.
    Otherwise(&'a str),
}

impl<'a> Named<'a> {
    /// Returns the remedy: `usual` if the directory was named by `--repo`.
    fn remedy(self, usual: &'a str) -> &'a str {
        match self {
            Self::ByOption => usual,
            Self::Otherwise(remedy) => remedy,
        }
    }
}

/// Like [`discover`], for a directory that may have been named in another way than by `--repo`.
///
/// # Errors
/// As [`discover`].
pub fn discover_named(directory: &Utf8Path, named: Named<'_>) -> Result<gix::Repository, Fault> {
    if directory.is_relative() {
        current_dir::is_there()?;
    }
    if !directory.is_dir() {
        return Err(Fault::misconfigured(format!("{directory} is not a directory"))
            .help(named.remedy("--repo takes the directory of a git repository")));
    }
    current_dir::have_one(directory);
    let set = config_parameters::set()?;
    // The path must stay valid even if a path through `..` does not: a run may remove the directory that it was
    // started in. And gix has to know the whole path of a git directory: given `.` it would search for `./.git`.
    let whole = dunce::canonicalize(directory).unwrap_or_else(|_| directory.into());
    if let Some(link) = ceiling::dead_end(&whole) {
        let remedy = match ceiling::is_of_a_linked_work_tree(&link) {
            true => "where the repository is now, `git worktree repair` with this directory mends it",
            false => "write into that file where the repository is now: `gitdir: PATH`",
        };
        return Err(Fault::misconfigured(format!("{} leads to no git repository", link.display()))
            .help(format!("{remedy}; {}", named.remedy("or name another with --repo DIR"))));
    }
    let open = |set: &[BString]| {
        let named =
            |error| circle(directory, &error).unwrap_or_else(|| unusable(directory, named, &chain(&error)));
        open_around(&whole, set).map_err(named)
    };
    let mut repo = open(&set)?;
    if has_stale_multi_pack_index(&repo) {
        repo = open(&[set, vec!["core.multiPackIndex=false".into()]].concat())?;
    }
    // Namespaces are for what a server shows of its refs: <https://git-scm.com/docs/gitnamespaces>.
    repo.clear_namespace();
    if repo.git_dir_trust() != Trust::Full {
        // A working tree that does not exist would seem to belong to nobody; this reports it.
        place(&repo)?;
        let git_dir = repo.git_dir().display();
        // Git compares the whole path.
        let trusted = absolute(repo.workdir().unwrap_or(repo.git_dir()))?;
        return Err(Fault::new(Exit::NotAllowed, format!("{git_dir} belongs to someone else")).help(
            format!(
                "if you trust whoever owns it: git config --global --add safe.directory {}",
                sanitize::quoted(trusted.as_str())
            ),
        ));
    }
    configuration::is_readable(&repo)
        .and_then(|()| settings::check(&repo))
        .map_err(|words| unusable(directory, named, &words))?;
    if keeps_refs_in_tables(&repo) {
        return Err(Fault::misconfigured(
            "this repository keeps its refs in reftables, which are not supported",
        )
        .help(
            "`git refs migrate --ref-format=files` of git 2.48 or later turns them into files; else make a new clone: \
             `git clone --ref-format=files URL`",
        ));
    }
    if let Some(name) = unknown_extension(&repo) {
        return Err(Fault::misconfigured(format!(
            "this repository has the extension '{name}', which is not supported"
        ))
        .help("`git config --get-regexp '^extensions'` shows it; a newer version may know it"));
    }
    settings::translate(&mut repo).map_err(|error| unusable(directory, named, &chain(&error)))?;
    if directory == HERE {
        environment::agrees(&repo)?;
    }
    repo.object_cache_size_if_unset(16 * 1024 * 1024);
    Ok(repo)
}

/// Whether the multi-pack-index names packs that are gone. Git then searches the other packs, while gix takes the
/// objects that the index locates in them for missing, even if they exist elsewhere. Alternates are not checked.
fn has_stale_multi_pack_index(repo: &gix::Repository) -> bool {
    let packs = repo.objects.store_ref().path().join("pack");
    let Ok(index) = gix::odb::pack::multi_index::File::at(packs.join("multi-pack-index"), None) else {
        return false;
    };
    index.index_names().iter().any(|name| !packs.join(name).with_extension("pack").exists())
}

/// Returns the error for repositories that are alternates of each other in a circle, which git ignores.
fn circle(directory: &Utf8Path, error: &gix::Error) -> Option<Fault> {
    let cycle = error.iter_errors().find_map(|error| error.downcast_ref::<gix::odb::alternate::Cycle>())?;
    let (first, last) = (cycle.paths.first()?.display(), cycle.paths.last()?.join("info").join("alternates"));
    let words = format!("the git repository at {directory} cannot be opened: {cycle}");
    let help = format!("take out of {} the line that leads back to {first}", last.display());
    Some(Fault::misconfigured(words).help(help))
}

/// How many packs, at least, a repository may have by the end of a run: each fetch adds one, other processes fetch
/// meanwhile, and gix reads no more of them than it made room for at the start.
const ROOM_FOR_PACKS: Slots = Slots::AsNeededByDiskState { multiplier: 2.0, minimum: 1024 };

/// Opens the repository around `directory`; `set` are settings that override all configuration files.
fn open_around(directory: &Path, set: &[BString]) -> gix::Result<gix::Repository> {
    let options = |trust| {
        Options::default_for_level(trust)
            .object_store_slots(ROOM_FOR_PACKS)
            .cli_overrides(set.iter().cloned())
    };
    let by_trust = Mapping { full: options(Trust::Full), reduced: options(Trust::Reduced) };
    let found = gix::ThreadSafeRepository::discover_opts(directory, ceiling::as_far_as_git(), by_trust)?;
    Ok(found.to_thread_local())
}

/// Returns the paths of a repository, as the document has them.
///
/// # Errors
/// A fault with exit 78 if a path is not UTF-8, which a JSON document cannot hold, or if it does not exist.
pub fn place(repo: &gix::Repository) -> Result<Repo, Fault> {
    let worktree = repo.workdir().map(absolute).transpose()?;
    Ok(Repo {
        worktree: worktree.map(Utf8PathBuf::into_string),
        common_dir: absolute(repo.common_dir())?.into_string(),
    })
}

fn absolute(path: &Path) -> Result<Utf8PathBuf, Fault> {
    let path = dunce::canonicalize(path)
        .map_err(|error| {
            Fault::misconfigured(format!("{} cannot be looked up: {error}", path.display()))
                .help("see whether it was moved; `git config --show-origin core.worktree` says where the work tree is to be")
        })?;
    Utf8PathBuf::from_path_buf(path).map_err(|path| {
        Fault::misconfigured(format!("{} is not a UTF-8 path", path.display()))
            .help("move the repository to a path that is UTF-8")
    })
}

fn unusable(directory: &Utf8Path, named: Named<'_>, words: &str) -> Fault {
    let Ok((found, _)) = gix::discover::upwards_opts(directory.as_std_path(), ceiling::as_far_as_git())
    else {
        let help = environment::remedy().filter(|_| directory == HERE);
        let usual = || named.remedy("change to a repository, or name one with --repo DIR").to_owned();
        return Fault::misconfigured(format!("there is no git repository at {directory} or above it"))
            .help(help.unwrap_or_else(usual));
    };
    let (git_dir, _) = found.into_repository_and_work_tree_directories();
    if names_objects_by_sha256(&git_dir) {
        return Fault::misconfigured(format!(
            "the git repository at {directory} names its objects by SHA-256, which is not supported"
        ))
        .help("use a repository of the usual format: `git init --object-format=sha1`");
    }
    Fault::misconfigured(format!("the git repository at {directory} cannot be opened: {words}"))
        .help("see what `git status` says there")
}

/// Whether `extensions.refStorage` is reftable, see [reftable](https://git-scm.com/docs/reftable).
fn keeps_refs_in_tables(repo: &gix::Repository) -> bool {
    let storage = repo.config_snapshot().string("extensions.refStorage");
    storage.is_some_and(|storage| storage.eq_ignore_ascii_case(b"reftable"))
        || repo.common_dir().join("reftable").is_dir()
}

/// The repository extensions that are handled here or in gix, or that do not concern us.
const EXTENSIONS: [&str; 8] = [
    "noop",
    "noop-v1",
    "objectFormat",
    "partialClone",
    "preciousObjects",
    "refStorage",
    "relativeWorktrees",
    "worktreeConfig",
];

/// Returns an extension that the repository requires and that is unknown here. Git refuses such a repository too:
/// <https://git-scm.com/docs/repository-version#_version_1>.
fn unknown_extension(repo: &gix::Repository) -> Option<String> {
    let config = repo.config_snapshot();
    if config.integer("core.repositoryFormatVersion") != Some(1) {
        return None;
    }
    let sections = config.plumbing().sections_by_name("extensions")?;
    let mut names = sections
        .filter(|section| section.meta().source == gix::config::Source::Local)
        .flat_map(|section| section.value_names().collect::<Vec<_>>());
    names.find(|name| !EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Returns the common git directory of the repository around `directory`, without reading its settings: they may be
/// what is wrong with it.
pub fn common_dir(directory: &Utf8Path) -> Option<PathBuf> {
    let (found, _) = gix::discover::upwards(directory.as_std_path()).ok()?;
    Some(common_dir_of(found.into_repository_and_work_tree_directories().0))
}

/// Returns the common git directory of a git directory, which may be that of a linked worktree.
fn common_dir_of(git_dir: PathBuf) -> PathBuf {
    match gix::discover::path::from_plain_file_relative_to_file(&git_dir.join("commondir")) {
        Some(Ok(common_dir)) => common_dir,
        None | Some(Err(_)) => git_dir,
    }
}

/// Whether `extensions.objectFormat` is SHA-256, for a repository that could not be opened, perhaps for that reason.
fn names_objects_by_sha256(git_dir: &Path) -> bool {
    let common_dir = common_dir_of(git_dir.to_owned());
    let config =
        gix::config::File::from_path_no_includes(common_dir.join("config"), gix::config::Source::Local);
    config.is_ok_and(|config| {
        config.string("extensions.objectFormat").is_some_and(|format| format.eq_ignore_ascii_case(b"sha256"))
    })
}

/// Returns an error with its causes, outermost first: the last one says what keeps the repository from being opened.
fn chain(error: &gix::Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
