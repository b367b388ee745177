//! Checks whether the repository can be synced, and whether its clock is right.

use std::time::Duration;

use crate::doctor::{
    check::Check,
    facts::{Facts, Head, Told},
};

/// How far in the future a file's time may lie: the clocks of several machines differ a little.
const TOLERATED: Duration = Duration::from_secs(60);

/// Returns the checks.
pub fn judge(facts: &Facts) -> Vec<Check> {
    let mut checks = vec![match &facts.worktree {
        Some(worktree) => Check::ok("repository", worktree),
        None => {
            Check::bad("repository", "it is bare: there is no work tree to sync", "use a clone that has one")
        }
    }];
    if facts.is_partial {
        checks.push(Check::bad(
            "format",
            "this is a partial clone, which is not supported: objects are missing here",
            "make a full clone, or `git fetch --refetch --no-filter` and remove remote.*.promisor",
        ));
    }
    let borrowed = |told: &Told| Check::bad("objects", &told.message, told.help.clone().unwrap_or_default());
    checks.extend(facts.alternates.iter().map(borrowed));
    checks.push(branch(facts));
    if let Some(why) = &facts.unreadable_index {
        checks.push(Check::bad(
            "index",
            format!("it cannot be read: {why}"),
            "move .git/index away, then `git reset` makes it anew: what was staged is in the work tree",
        ));
    }
    if let Some(command) = facts.in_progress {
        let help = match command {
            "bisect" => "end it with `git bisect reset`".to_owned(),
            command => format!("`git {command} --continue`, or `git {command} --abort`"),
        };
        checks.push(Check::bad(
            "in progress",
            format!("a `git {command}` is not finished, and runs refuse to begin"),
            help,
        ));
    }
    checks.extend(clock(facts));
    checks
}

fn branch(facts: &Facts) -> Check {
    match &facts.head {
        Head::Branch(name) => Check::ok("branch", name),
        Head::Unborn(name) => Check::ok("branch", format!("{name}, without a commit yet")),
        Head::Detached => Check::bad(
            "branch",
            "HEAD is detached: there is no branch to sync",
            "`git switch main`, or keep the commits with `git switch -c NAME`",
        ),
        Head::Unreadable => Check::bad("branch", "HEAD cannot be read", "see what `git status` says"),
    }
}

fn clock(facts: &Facts) -> Option<Check> {
    let (path, changed) = facts.newest.as_ref()?;
    let ahead = changed.duration_since(facts.now).unwrap_or_default();
    (ahead > TOLERATED).then(|| {
        Check::warn(
            "clock",
            format!("{path} was changed {} s in the future: a clock is or was wrong", ahead.as_secs()),
            "set the clock (`timedatectl set-ntp true`), then `touch` the file: a lock with such a time hardly \
             ever becomes stale",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{check::State, judge::healthy};

    #[test]
    fn a_little_difference_between_clocks_is_none() {
        let ahead = |seconds| {
            let facts = healthy();
            let newest = Some(("a".to_owned(), facts.now + Duration::from_secs(seconds)));
            clock(&Facts { newest, ..facts }).map(|check| check.state)
        };
        assert_eq!(ahead(0), None);
        assert_eq!(ahead(30), None);
        assert_eq!(ahead(3600), Some(State::Warn));
    }
}
