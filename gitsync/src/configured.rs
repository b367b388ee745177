//! Rejects configurations of the remote that are not supported, before anything is changed.

use gix::refs::FullNameRef;
use remote::Remote;

use crate::faults;
use crate::policy::Push;
use crate::upstream::Upstream;

/// Checks how the upstream of `branch` is fetched and, unless nothing is to be pushed, how it is pushed to.
///
/// # Errors
/// A fault with exit 78 that names the setting.
pub fn refuse(
    repo: &gix::Repository,
    branch: &FullNameRef,
    upstream: &Upstream,
    push: Push,
) -> anyhow::Result<()> {
    let remote = Remote::named(repo, &upstream.remote).map_err(faults::of_remote)?;
    remote.check_fetch().map_err(faults::of_remote)?;
    match push {
        Push::Wanted => remote
            .check_push()
            .and_then(|()| remote.check_destination(branch, upstream.at_remote.as_ref()))
            .map_err(faults::of_remote),
        Push::No => Ok(()),
    }
}
