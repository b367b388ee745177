//! Making the remote's branch the upstream of the local one, as `git push -u` does.
//!
//! The next `git pull` or `git status` of a person relies on it, and so does the next run, which would otherwise have
//! to guess again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use gix::config::Source;
use gix::refs::FullNameRef;
use remote::durable::Flushing;
use remote::local_ref::claim::Claims;

use crate::faults;
use crate::place::Place;
use crate::upstream::Upstream;

/// How long somebody else may hold the configuration.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes `branch.<name>.remote` and `branch.<name>.merge` into the repository's configuration; what else stands there
/// stays as it is, byte for byte.
///
/// # Errors
/// Somebody else holds the configuration, or it cannot be written.
pub fn set_up(place: &Place<'_>, branch: &FullNameRef, upstream: &Upstream) -> anyhow::Result<()> {
    let path = config_path(place.repo)?;
    write(place, &path, branch, upstream)
        .with_context(|| format!("cannot set the upstream in {}", path.display()))
}

fn write(place: &Place<'_>, path: &Path, branch: &FullNameRef, upstream: &Upstream) -> anyhow::Result<()> {
    place.guard.check()?;
    let (folder, name) = path.parent().zip(path.file_name()).context("it is no file")?;
    let claims = Claims::begin(place.repo, folder)?;
    let claim = claims.take(place.repo, Path::new(name), PATIENCE).map_err(faults::of_ref)?;
    // Only now: whoever held the lock before may have written.
    let mut config = gix::config::File::from_path_no_includes(path.to_owned(), Source::Local)?;
    let short = branch.shorten();
    config.set_raw_value_by("branch", Some(short), "remote", upstream.remote.as_str())?;
    config.set_raw_value_by("branch", Some(short), "merge", upstream.at_remote.as_bstr())?;
    let mut text = Vec::new();
    config.write_to(&mut text)?;
    Ok(claim.commit(place.repo, &text, Flushing::Wanted).map_err(faults::of_ref)?)
}

/// Where the configuration lies; a link to it stays a link.
fn config_path(repo: &gix::Repository) -> anyhow::Result<PathBuf> {
    let path = repo.common_dir().join("config");
    path.canonicalize().with_context(|| path.display().to_string())
}
