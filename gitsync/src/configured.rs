//! What the configuration of the remote asks for and is not done, refused before anything is touched.

use remote::Remote;

use crate::faults;
use crate::policy::Push;
use crate::upstream::Upstream;

/// Looks at how the upstream is fetched and, where it is to be, pushed.
///
/// # Errors
/// A fault with exit 78 that names the setting.
pub fn refuse(repo: &gix::Repository, upstream: &Upstream, push: Push) -> anyhow::Result<()> {
    let remote = Remote::named(repo, &upstream.remote).map_err(faults::of_remote)?;
    remote.check_fetch().map_err(faults::of_remote)?;
    match push {
        Push::Wanted => remote.check_push().map_err(faults::of_remote),
        Push::No => Ok(()),
    }
}
