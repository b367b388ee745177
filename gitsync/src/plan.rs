//! What is to be done with two histories, decided from how they stand to each other and from nothing else.

use phase::Fault;

use crate::{
    policy::{Pull, Push},
    upstream::Upstream,
};

/// How the local branch stands to its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Both are at the same commit.
    Same,
    /// The local branch has all that the upstream has, and more.
    Ahead,
    /// The same, but some of that the upstream once had, and has thrown out.
    Rewound,
    /// The upstream has all that the local branch has, and more.
    Behind,
    /// Each has something that the other has not.
    Diverged,
    /// They have not one commit in common.
    Unrelated,
    /// None that is here, in a repository whose history is cut off.
    CutOff,
    /// There is no upstream, and there may be one.
    New,
    /// There was an upstream, and it was removed.
    Gone,
}

/// How the upstream's commits get into the local branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integration {
    /// They are in it, or there are none.
    Nothing,
    /// The local branch moves on to the upstream.
    FastForward,
    /// The local commits are replayed onto the upstream.
    Replay,
}

/// Decides how the upstream's commits get into the local branch.
///
/// # Errors
/// A fault with exit 1 where they cannot.
pub fn integrate(relation: Relation, upstream: &Upstream) -> Result<Integration, Fault> {
    let shown = upstream.shown();
    match relation {
        // Also where a merge has brought it in: who resolved one by hand is not to resolve it again, commit by commit.
        Relation::Same | Relation::Ahead | Relation::New => Ok(Integration::Nothing),
        Relation::Behind => Ok(Integration::FastForward),
        // Merges are linearised, as `git rebase` does it.
        Relation::Diverged | Relation::Rewound => Ok(Integration::Replay),
        Relation::Unrelated => Err(Fault::failed(format!(
            "the local branch and {shown} have unrelated histories: not one commit in common"
        ))
        // With the names, as nothing need be configured for the branch yet.
        .help(format!(
            "if they belong together, join them once by hand: \
             `git pull --no-rebase --allow-unrelated-histories {} {}`, then run this again",
            upstream.remote,
            upstream.at_remote.shorten()
        ))),
        Relation::CutOff => Err(Fault::failed(format!(
            "the local branch and {shown} have no commit in common here, where the history is cut off (a shallow clone)"
        ))
        .help(format!(
            "fetch the rest of it: `git fetch --unshallow {}`, then run this again",
            upstream.remote
        ))),
        Relation::Gone => Err(Fault::failed(format!("the upstream is gone: the remote has no {shown} any more"))
            .help("push it anew with `git push -u REMOTE HEAD`, or choose another with `git branch --set-upstream-to`")),
    }
}

/// Decides whether there is something to push, once the upstream's commits are in the local branch as far as they
/// are to be.
///
/// # Errors
/// A fault with exit 1 where a push would need what `--no-pull` forbids.
pub fn push(relation: Relation, pull: Pull, push: Push) -> Result<bool, Fault> {
    match (push, relation) {
        (Push::No, _) => Ok(false),
        (Push::Wanted, Relation::Same | Relation::Behind | Relation::Gone) => Ok(false),
        (Push::Wanted, Relation::Ahead | Relation::Rewound | Relation::New) => Ok(true),
        (Push::Wanted, Relation::Diverged | Relation::Unrelated | Relation::CutOff) if pull == Pull::No => {
            Err(Fault::failed("the remote has commits that are not here, and --no-pull keeps them out")
                .help("run it without --no-pull"))
        }
        (Push::Wanted, Relation::Diverged | Relation::Unrelated | Relation::CutOff) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::SaidBy;

    fn upstream() -> Upstream {
        Upstream {
            remote: remote::RemoteName::parse("origin").expect("a name"),
            at_remote: "refs/heads/main".try_into().expect("a name"),
            tracking: None,
            said_by: SaidBy::Custom,
        }
    }

    #[test]
    fn what_is_in_already_is_left_as_it_is() {
        for relation in [Relation::Same, Relation::Ahead, Relation::New] {
            assert_eq!(integrate(relation, &upstream()), Ok(Integration::Nothing));
        }
    }

    #[test]
    fn without_local_commits_the_branch_just_moves_on() {
        assert_eq!(integrate(Relation::Behind, &upstream()), Ok(Integration::FastForward));
    }

    #[test]
    fn local_commits_are_replayed_where_the_upstream_has_others_or_has_thrown_some_out() {
        for relation in [Relation::Diverged, Relation::Rewound] {
            assert_eq!(integrate(relation, &upstream()), Ok(Integration::Replay));
        }
    }

    #[test]
    fn unrelated_histories_and_an_upstream_that_is_gone_are_refused_by_name() {
        for relation in [Relation::Unrelated, Relation::CutOff, Relation::Gone] {
            let fault = integrate(relation, &upstream()).expect_err("it is refused");
            assert!(fault.message().contains("origin/main"), "{fault}");
        }
    }

    #[test]
    fn only_what_the_remote_lacks_is_pushed() {
        let wanted = |relation| push(relation, Pull::Wanted, Push::Wanted);
        assert_eq!(wanted(Relation::Ahead), Ok(true));
        assert_eq!(wanted(Relation::New), Ok(true));
        assert_eq!(wanted(Relation::Same), Ok(false));
        assert_eq!(push(Relation::Ahead, Pull::Wanted, Push::No), Ok(false));
    }

    #[test]
    fn nothing_is_pushed_over_what_no_pull_keeps_out() {
        assert!(push(Relation::Diverged, Pull::No, Push::Wanted).is_err());
    }
}
