//! Makes the remote's branch the upstream of the local one, as `git push -u` does.
//!
//! The user's next `git pull` or `git status` relies on it, and so does the next run, which would otherwise have to
//! guess again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use gix::config::Source;
use gix::refs::FullNameRef;
use store::durable::Flushing;
use store::local_ref::claim::LockFiles;

use crate::context::SyncContext;
use crate::faults;
use crate::upstream::Upstream;

/// How long another process may hold the configuration.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes `branch.<name>.remote` and `branch.<name>.merge` into the repository's configuration; everything else in it
/// is preserved byte for byte.
///
/// # Errors
/// Another process holds the configuration, or it cannot be written.
pub fn set_up(place: &SyncContext<'_>, branch: &FullNameRef, upstream: &Upstream) -> anyhow::Result<()> {
    let path = config_path(place.repo)?;
    write(place, &path, branch, upstream)
        .with_context(|| format!("cannot set the upstream in {}", path.display()))
}

fn write(
    place: &SyncContext<'_>,
    path: &Path,
    branch: &FullNameRef,
    upstream: &Upstream,
) -> anyhow::Result<()> {
    place.guard.check()?;
    let (folder, name) = path.parent().zip(path.file_name()).context("it is no file")?;
    let claims = LockFiles::begin(place.repo, folder)?;
    let claim = claims.take(place.repo, Path::new(name), PATIENCE).map_err(faults::of_ref)?;
    // Read only now, because the previous holder of the lock may have written it.
    let mut config = gix::config::File::from_path_no_includes(path.to_owned(), Source::Local)?;
    let short = branch.shorten();
    config.set_raw_value_by("branch", Some(short), "remote", upstream.remote.as_str())?;
    config.set_raw_value_by("branch", Some(short), "merge", upstream.at_remote.as_bstr())?;
    let mut text = Vec::new();
    config.write_to(&mut text)?;
    Ok(claim.commit(place.repo, &text, Flushing::Wanted).map_err(faults::of_ref)?)
}

/// Returns the path of the configuration file; if it is a symbolic link, the link is preserved.
fn config_path(repo: &gix::Repository) -> anyhow::Result<PathBuf> {
    let path = repo.common_dir().join("config");
    path.canonicalize().with_context(|| path.display().to_string())
}
