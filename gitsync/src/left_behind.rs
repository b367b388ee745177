//! Refs that should follow the remote's and do not: what the user is told about them.
//!
//! Nothing fails for them, as the branch is synced by what the remote itself says. But `git status` and whoever looks at
//! such a ref would believe for ever what it said once.

use gix::refs::Category;
use remote::{Notice, Rejected, RemoteName, Why};

/// A ref that a fetch has left as it was, where the user is to know of it.
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
        // Other refs that have something of their own, notes above all, are merged and not overwritten.
        Why::NotFastForward if rejected.local.category() == Some(Category::RemoteBranch) => Some(format!(
            "{name} stays as it was: {remote} has rewritten that branch, and the refspec has no `+`: \
             `git config --get-all remote.{remote}.fetch` shows it"
        )),
        // The first is refused beforehand, and in the second somebody else has just fetched.
        Why::NotFastForward | Why::CheckedOut | Why::MovedMeanwhile => None,
    }
}

/// A ref that could not follow a push.
pub fn by_push(notice: Notice) -> String {
    let help = notice.help.map(|help| format!("; {help}")).unwrap_or_default();
    format!("what was pushed has arrived, and is not noted here: {}{help}", notice.message)
}
