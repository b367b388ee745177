//! Decides what is to be done with two histories, from their relation and the policy alone.

use phase::Fault;

use crate::{
    policy::{Pull, Push},
    upstream::Upstream,
};

/// How the local branch is related to its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Both are at the same commit.
    Same,
    /// The local branch has everything that the upstream has, and more.
    Ahead,
    /// As `Ahead`, but some of the commits that are ahead were once in the upstream, which has dropped them.
    Rewound,
    /// The upstream has everything that the local branch has, and more.
    Behind,
    /// Each has commits that the other does not have.
    Diverged,
    /// They have no commit in common.
    Unrelated,
    /// They have no commit in common that is available locally, because the clone is shallow.
    CutOff,
    /// There is no upstream branch yet; it may be created.
    New,
    /// There was an upstream branch, and it was removed.
    Gone,
}

/// How the upstream's commits get into the local branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integration {
    /// They are in it already, or there are none.
    Nothing,
    /// The local branch is fast-forwarded to the upstream.
    FastForward,
    /// The local commits are replayed onto the upstream.
    Replay,
}

/// Decides how the upstream's commits get into the local branch.
///
/// # Errors
/// A fault with exit 1 if they cannot.
pub fn integrate(relation: Relation, upstream: &Upstream) -> Result<Integration, Fault> {
    let shown = upstream.shown();
    match relation {
        // Even if a merge brought them in: whoever resolved that merge by hand must not have to resolve it again,
        // commit by commit.
        Relation::Same | Relation::Ahead | Relation::New => Ok(Integration::Nothing),
        Relation::Behind => Ok(Integration::FastForward),
        // Merges are linearised, as by `git rebase`.
        Relation::Diverged | Relation::Rewound => Ok(Integration::Replay),
        Relation::Unrelated => Err(Fault::failed(format!(
            "the local branch and {shown} have unrelated histories: not one commit in common"
        ))
        // The command names remote and branch, because no upstream need be configured for the branch yet.
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

/// Decides whether there is something to push, once the upstream's commits have been integrated into the local branch
/// as far as the policy allows.
///
/// # Errors
/// A fault with exit 1 if a push would require what `--no-pull` forbids.
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
