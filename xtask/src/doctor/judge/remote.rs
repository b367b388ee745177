//! Checks whether there is a remote to sync with, and whether a fetch would overwrite local refs.

use crate::doctor::{
    check::Check,
    facts::{Answer, Facts, Head, RemoteFacts},
};

/// Returns the checks.
pub fn judge(facts: &Facts) -> Vec<Check> {
    let Some(remote) = &facts.remote else {
        return vec![match facts.remotes.as_slice() {
            [] => Check::bad("remote", "there is none", "git remote add origin URL"),
            several => Check::bad(
                "remote",
                format!("none is the usual one: there are {}", several.join(", ")),
                "git push -u REMOTE HEAD, or name one of them origin",
            ),
        }];
    };
    let mut checks = vec![answer(remote)];
    checks.extend(upstream(facts, remote));
    checks.extend(remote.refspecs.iter().filter_map(|refspec| hazard(remote, refspec)));
    checks.extend(remote.unsupported.iter().map(|told| {
        Check::bad("remote", &told.message, told.help.as_deref().unwrap_or("change its configuration"))
    }));
    if remote.is_ssh && !facts.ssh_agent {
        checks.push(Check::warn(
            "ssh agent",
            "none is within reach (SSH_AUTH_SOCK): with a key that has a passphrase, runs in the background fail",
            "start one for your session, or hand the variable on: systemctl --user import-environment SSH_AUTH_SOCK",
        ));
    }
    checks
}

fn answer(remote: &RemoteFacts) -> Check {
    let RemoteFacts { name, url, .. } = remote;
    match &remote.answer {
        Answer::NotAsked => Check::ok("remote", format!("{name} at {url}, not asked")),
        Answer::Branches(_) => Check::ok("remote", format!("{name} at {url} answers")),
        Answer::Trouble(told) => {
            let help = told.help.as_deref().unwrap_or("see what `git ls-remote` says");
            Check::bad("remote", &told.message, help)
        }
    }
}

fn upstream(facts: &Facts, remote: &RemoteFacts) -> Option<Check> {
    let (Head::Branch(branch) | Head::Unborn(branch)) = &facts.head else { return None };
    if facts.upstream.remote.as_deref() == Some(".") {
        let help =
            "`git branch --unset-upstream`: the next run pushes it as a branch of its own, and follows that";
        return Some(Check::bad("upstream", format!("that of {branch} is a local branch"), help));
    }
    Some(match facts.upstream.merges.as_slice() {
        [] => Check::ok("upstream", format!("none yet: the first push makes {branch} of {} it", remote.name)),
        [merge] => {
            let short = merge.strip_prefix("refs/heads/").unwrap_or(merge);
            match &remote.answer {
                Answer::Branches(branches) if !branches.is_empty() && !branches.contains(merge) => {
                    Check::bad(
                        "upstream",
                        format!("{} has no branch {short} any more", remote.name),
                        format!(
                            "`git push {} {branch}:{short}` brings it back; else: git branch --unset-upstream",
                            remote.name
                        ),
                    )
                }
                Answer::Branches(_) | Answer::NotAsked | Answer::Trouble(_) => {
                    Check::ok("upstream", format!("{}/{short}", remote.name))
                }
            }
        }
        several => Check::bad(
            "upstream",
            format!("{branch} has {}", several.len()),
            format!("git config --replace-all branch.{branch}.merge refs/heads/{branch}"),
        ),
    })
}

/// Returns a check if this refspec would overwrite commits or notes that may exist only here.
fn hazard(remote: &RemoteFacts, refspec: &str) -> Option<Check> {
    let (_, destination) = refspec.strip_prefix('+')?.split_once(':')?;
    let own_notes = format!("refs/notes/{}/", remote.name);
    let what = if ["refs/*", "*"].contains(&destination) {
        "everything"
    } else if destination.starts_with("refs/notes/") && !destination.starts_with(&own_notes) {
        "local notes"
    } else if destination.starts_with("refs/heads/") {
        "local branches"
    } else {
        return None;
    };
    Some(Check::bad(
        "refspec",
        format!(
            "every fetch overwrites {what}, also what was not pushed yet: remote.{}.fetch is {refspec}",
            remote.name
        ),
        format!("git config --fixed-value --unset-all remote.{}.fetch '{refspec}'", remote.name),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{
        check::State,
        facts::{Told, Upstream},
        judge::healthy,
    };

    fn with(change: impl FnOnce(&mut RemoteFacts, &mut Upstream)) -> Vec<Check> {
        let mut facts = healthy();
        let mut remote = facts.remote.take().expect("a remote");
        change(&mut remote, &mut facts.upstream);
        judge(&Facts { remote: Some(remote), ..facts })
    }

    fn worst(checks: &[Check]) -> State {
        checks.iter().map(|check| check.state).max().expect("a check")
    }

    #[test]
    fn refspecs_that_overwrite_what_is_only_here_are_bad() {
        for refspec in ["+refs/notes/*:refs/notes/*", "+refs/*:refs/*", "+refs/heads/*:refs/heads/*"] {
            let checks = with(|remote, _| remote.refspecs.push(refspec.into()));
            assert_eq!(worst(&checks), State::Bad, "{refspec}");
            assert!(
                checks.iter().any(|check| check.help.as_deref().is_some_and(|help| help.contains(refspec)))
            );
        }
        for refspec in ["+refs/notes/*:refs/notes/origin/*", "refs/notes/*:refs/notes/*", "^refs/heads/x"] {
            assert_eq!(
                worst(&with(|remote, _| remote.refspecs.push(refspec.into()))),
                State::Ok,
                "{refspec}"
            );
        }
    }

    #[test]
    fn an_upstream_that_is_gone_or_double_is_bad_and_a_missing_one_is_not() {
        assert_eq!(worst(&with(|_, upstream| upstream.merges.clear())), State::Ok);
        assert_eq!(worst(&with(|_, upstream| upstream.merges = vec!["refs/heads/gone".into()])), State::Bad);
        let double = with(|_, upstream| upstream.merges.push("refs/heads/two".into()));
        assert_eq!(worst(&double), State::Bad);
        let help = Some("git config --replace-all branch.main.merge refs/heads/main".to_owned());
        assert!(double.iter().any(|check| check.help == help), "{double:?}");
        assert_eq!(worst(&with(|_, upstream| upstream.remote = Some(".".into()))), State::Bad);
        let empty = with(|remote, _| remote.answer = Answer::Branches(Vec::new()));
        assert_eq!(worst(&empty), State::Ok, "the first push fills it");
    }

    #[test]
    fn what_runs_refuse_is_bad_and_told_in_their_words() {
        let told = Told { message: "two URLs".into(), help: Some("keep one".into()) };
        let checks = with(|remote, _| remote.unsupported.push(told));
        assert_eq!(worst(&checks), State::Bad);
        assert!(checks.iter().any(|check| check.message == "two URLs"), "{checks:?}");
    }

    #[test]
    fn an_agent_matters_for_ssh_alone() {
        let without_agent = |is_ssh| {
            let mut facts = Facts { ssh_agent: false, ..healthy() };
            facts.remote.as_mut().expect("a remote").is_ssh = is_ssh;
            worst(&judge(&facts))
        };
        assert_eq!(without_agent(true), State::Warn);
        assert_eq!(without_agent(false), State::Ok);
    }

    #[test]
    fn without_a_usual_remote_there_is_nobody_to_sync_with() {
        for remotes in [vec![], vec!["one".to_owned(), "two".to_owned()]] {
            assert_eq!(worst(&judge(&Facts { remote: None, remotes, ..healthy() })), State::Bad);
        }
    }
}
