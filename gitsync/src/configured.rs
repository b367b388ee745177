//! What the configuration of the remote asks for and is not done, refused before anything is touched.

use remote::Remote;

use crate::faults;
use crate::upstream::Upstream;

/// Looks at how the upstream is fetched.
///
/// # Errors
/// A fault with exit 78 that names the setting.
pub fn refuse(repo: &gix::Repository, upstream: &Upstream) -> anyhow::Result<()> {
    let remote = Remote::named(repo, &upstream.remote).map_err(faults::of_remote)?;
    remote.check_fetch().map_err(faults::of_remote)
}
