//! Words the warnings about refs that should follow the remote's but could not be updated.
//!
//! Such a ref does not make the sync fail, since the branch is synced from what the remote itself advertises. But
//! without a warning `git status`, and everyone who looks at the ref, would rely on its old value indefinitely.

use gix::refs::Category;
use remote::{Notice, Rejected, RemoteName, Why};

/// Returns the warning about a ref that a fetch has not updated, if the user should know of it.
pub fn by_fetch(rejected: &Rejected, remote: &RemoteName) -> Option<String> {
    let name = rejected.local.as_bstr();
    match rejected.why {
        Why::NameTaken => Some(format!(
            "{name} cannot be written, as another ref's name is in the way; if that is of a branch that {remote} has no \
             more: `git remote prune {remote}`"
        )),
        Why::TagExists => Some(format!(
            "{name} is another tag than {remote} has; `git fetch {remote} +{name}:{name}` takes that one"
        )),
        // Other refs with local changes, in particular notes, are merged rather than overwritten.
        Why::NotFastForward if rejected.local.category() == Some(Category::RemoteBranch) => Some(format!(
            "{name} stays as it was: {remote} has rewritten that branch, and the refspec has no `+`: \
             `git config --get-all remote.{remote}.fetch` shows it"
        )),
        // `CheckedOut` is refused before the fetch, and `MovedMeanwhile` means that another process has just fetched.
        Why::NotFastForward | Why::CheckedOut | Why::MovedMeanwhile => None,
    }
}

/// Returns the warning about a ref that could not follow a push.
pub fn by_push(notice: Notice) -> String {
    let help = notice.help.map(|help| format!("; {help}")).unwrap_or_default();
    format!("what was pushed has arrived, and is not noted here: {}{help}", notice.message)
}
