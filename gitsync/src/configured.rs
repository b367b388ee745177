//! What the configuration of the remote asks for and is not done, refused before anything is touched.

use gix::refs::FullNameRef;
use remote::Remote;

use crate::faults;
use crate::policy::Push;
use crate::upstream::Upstream;

/// Looks at how the upstream of `branch` is fetched and, where that is wanted, pushed to.
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
