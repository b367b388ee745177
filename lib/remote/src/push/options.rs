//! Reads `push.pushOption`: strings that a push passes to the server's hooks.
//!
//! See <https://git-scm.com/docs/git-push#Documentation/git-push.txt--oltoptiongt>.

use gix::bstr::{BString, ByteSlice};

use crate::RemoteError;

/// Returns the options for every push of this repository; an empty one clears those before it.
///
/// # Errors
///
/// [`RemoteError::Misconfigured`], if one of them cannot be sent.
pub(super) fn configured(repo: &gix::Repository) -> Result<Vec<BString>, RemoteError> {
    let mut options = Vec::new();
    for option in repo.config_snapshot().plumbing().strings("push.pushOption").unwrap_or_default() {
        if option.is_empty() {
            options.clear();
        } else {
            options.push(option);
        }
    }
    match options.iter().find(|option| option.find_byteset(b"\n\0").is_some()) {
        Some(odd) => Err(RemoteError::misconfigured(
            format!("push.pushOption is '{odd}', which is more than one line"),
            "give each option a line of its own: `git config --show-origin --get-all push.pushOption` shows them",
        )),
        None => Ok(options),
    }
}
