//! Checks whether a lock blocks runs: the run's own, or one of git's.

use std::time::Duration;

use crate::doctor::{
    check::Check,
    facts::{Facts, Lock},
};

/// The age from which the process that made one of git's lock files is most likely dead.
const OLD: Duration = Duration::from_secs(600);

/// Returns the checks.
pub fn judge(facts: &Facts) -> Vec<Check> {
    let mut checks = vec![match &facts.lock {
        Lock::Free => Check::ok("lock", "free"),
        Lock::Held(owner) => Check::ok("lock", format!("held by {owner}")),
        Lock::Stale(owner) => Check::warn(
            "lock",
            format!("left behind by {owner}"),
            "nothing to do: the next run clears it; `lock status` says more",
        ),
        Lock::Ahead(owner) => Check::warn(
            "lock",
            format!("held by {owner}, with a sign of life that lies in the future"),
            "set the clock; if no run is under way on any machine, `touch` the lock's directory",
        ),
        Lock::Obstacle(what) => {
            Check::bad("lock", format!("{what}: no run can begin"), "move it away: a lock is a directory")
        }
        Lock::Unreadable(what) => {
            Check::bad("lock", format!("it cannot be looked at: {what}"), "see who may read it")
        }
    }];
    checks.extend(facts.lock_files.iter().map(|lock_file| {
        let (path, age) = (&lock_file.path, minutes(lock_file.age));
        if lock_file.age < OLD {
            let help = "let the program that holds it come to its end";
            return Check::warn("git's locks", format!("{path} is there, {age} old"), help);
        }
        Check::bad(
            "git's locks",
            format!("{path} was left behind {age} ago"),
            format!("if no git is at work: rm {}", sanitize::quoted(path)),
        )
    }));
    checks
}

fn minutes(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{check::State, facts::LockFile, judge::healthy};

    #[test]
    fn a_lock_that_the_next_run_clears_is_no_disaster() {
        let state = |lock| judge(&Facts { lock, ..healthy() })[0].state;
        assert_eq!(state(Lock::Held("a".into())), State::Ok);
        assert_eq!(state(Lock::Stale("a".into())), State::Warn);
        assert_eq!(state(Lock::Obstacle("a file".into())), State::Bad);
    }

    #[test]
    fn an_old_lock_file_is_bad_and_a_fresh_one_may_be_somebody_at_work() {
        let state = |seconds| {
            let lock_file = LockFile { path: "index.lock".into(), age: Duration::from_secs(seconds) };
            judge(&Facts { lock_files: vec![lock_file], ..healthy() })[1].state
        };
        assert_eq!(state(3), State::Warn);
        assert_eq!(state(3600), State::Bad);
    }
}
