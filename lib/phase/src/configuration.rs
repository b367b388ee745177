//! Checks that all configuration files that git would read can be read.
//!
//! gix ignores some files that it cannot read, as if nothing were configured in them: no filters, no ignore rules, no
//! remote. Git stops instead, except if the user's own files are not readable for them.

use std::{
    env, fs,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use gix::{bstr::ByteSlice as _, config::Source};

/// Checks that the configuration files that `repo` was opened with can be read.
///
/// # Errors
/// A message that names the file that cannot be read.
pub fn is_readable(repo: &gix::Repository) -> Result<(), String> {
    let own = [repo.common_dir().join("config"), repo.git_dir().join("config.worktree")];
    let system = Source::System.storage_location(&mut |name| env::var_os(name));
    for file in own.into_iter().chain(system).chain(included(repo)) {
        let read = fs::File::open(&file).and_then(|mut opened| opened.read(&mut [0]));
        match read {
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(format!("{} cannot be read: {error}", file.display()));
            }
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// Returns the files that `include.path` names; a missing one is not an error. `includeIf` is left to gix, which
/// alone knows whether its condition holds.
fn included(repo: &gix::Repository) -> Vec<PathBuf> {
    let config = repo.config_snapshot();
    let sections = config.plumbing().sections_by_name("include").into_iter().flatten();
    let mut files = Vec::new();
    for section in sections {
        let beside = section.meta().path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        for value in section.values("path") {
            let home = value.strip_prefix(b"~/").zip(env::home_dir());
            files.extend(match home {
                Some((below, home)) => below.to_path().ok().map(|below| home.join(below)),
                None => value.to_path().ok().map(|path| beside.join(path)),
            });
        }
    }
    files
}
