//! Turns facts into checks, without reading files, the clock or the environment.

mod locks;
mod logs;
mod people;
mod programs;
mod remote;
mod repository;
mod settings;

use super::{check::Check, facts::Facts};
pub use programs::binaries;

/// Returns all checks of a repository, in the order in which a user would fix them.
pub fn judge(facts: &Facts) -> Vec<Check> {
    let mut checks = repository::judge(facts);
    checks.extend(people::judge(facts));
    checks.extend(remote::judge(facts));
    checks.extend(programs::hooks(facts));
    checks.extend(locks::judge(facts));
    checks.extend(settings::judge(facts));
    checks.extend(logs::judge(facts));
    checks
}

#[cfg(test)]
pub(super) fn healthy() -> Facts {
    use super::facts::{Answer, Commands, Head, Lock, Logs, People, RemoteFacts, Upstream, Vault};
    Facts {
        now: std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000),
        worktree: Some("/home/mike/tools".into()),
        is_partial: false,
        alternates: Vec::new(),
        head: Head::Branch("main".into()),
        unreadable_index: None,
        in_progress: None,
        people: People {
            user: Ok(Some("mike".into())),
            git_name: Some("Mike".into()),
            file_is_exposed: false,
            can_commit: true,
        },
        remotes: vec!["origin".into()],
        remote: Some(RemoteFacts {
            name: "origin".into(),
            url: "host:tools.git".into(),
            is_ssh: true,
            refspecs: vec!["+refs/heads/*:refs/remotes/origin/*".into()],
            unsupported: Vec::new(),
            answer: Answer::Branches(vec!["refs/heads/main".into()]),
        }),
        upstream: Upstream { remote: Some("origin".into()), merges: vec!["refs/heads/main".into()] },
        hooks: Vec::new(),
        missing_hooks_path: None,
        lock: Lock::Free,
        lock_files: Vec::new(),
        keys: Vec::new(),
        logs: Logs::Found { configured: false, tracked: 3, ignored: Vec::new() },
        vault: Vault::None,
        commands: Commands::None,
        ssh_agent: true,
        newest: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::State;

    #[test]
    fn where_all_is_well_nothing_else_is_said() {
        for check in judge(&healthy()) {
            assert_eq!((check.state, &check.help), (State::Ok, &None), "{check:?}");
        }
    }

    #[test]
    fn whatever_is_not_well_comes_with_something_to_do() {
        use crate::doctor::facts::*;
        let told = || Told { message: "broken".into(), help: None };
        let mut facts = Facts {
            worktree: None,
            is_partial: true,
            alternates: vec![Told { message: "gone".into(), help: Some("bring it back".into()) }],
            head: Head::Detached,
            unreadable_index: Some("it is too short".into()),
            in_progress: Some("rebase"),
            people: People { user: Err(told()), git_name: None, file_is_exposed: true, can_commit: false },
            hooks: vec![Hook { path: "hooks/pre-push".into(), executable: false, foreign: true }],
            missing_hooks_path: Some("/nowhere".into()),
            lock: Lock::Obstacle("it is a file".into()),
            lock_files: vec![LockFile {
                path: "index.lock".into(),
                age: std::time::Duration::from_secs(9999),
            }],
            logs: Logs::Broken(told()),
            vault: Vault::Broken(told()),
            commands: Commands::NotWritable("/".into()),
            ssh_agent: false,
            ..healthy()
        };
        facts.newest = Some(("x".into(), facts.now + std::time::Duration::from_secs(3600)));
        let checks = judge(&facts);
        assert!(checks.iter().filter(|check| check.state == State::Bad).count() > 8, "{checks:#?}");
        for check in checks.iter().filter(|check| check.state != State::Ok) {
            assert!(check.help.as_ref().is_some_and(|help| !help.is_empty()), "{check:?}");
        }
    }
}
