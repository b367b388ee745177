//! Rejects what cannot be synced, with the reason, before anything is changed.
//!
//! Half a sync of a repository in which another operation is in progress would leave its user with two problems.

use gix::bstr::{BString, ByteSlice as _};
use gix::refs::Category;
use phase::{Fault, Operation};

use crate::history;
use crate::look::{Branch, Facts, Head, WorkTree};
use crate::rebase::DroppedCommits;
use crate::stage::LeftOut;

/// How many paths a message names before it only counts the rest.
const NAMED: usize = 10;

/// How many commits a message names: fewer, as their names are longer.
const FEW: usize = 5;

/// Returns the branch to sync.
///
/// # Errors
/// A fault that names the obstacle: with exit 78 if the set-up is not supported, else 1.
pub fn refuse(facts: &Facts) -> Result<&Branch, Fault> {
    if facts.is_partial {
        return Err(Fault::misconfigured(
            "this is a partial clone, which is not supported: objects are missing here",
        )
        .help("make a full clone, or `git fetch --refetch --no-filter` and remove remote.*.promisor"));
    }
    if facts.work_tree == WorkTree::Bare {
        return Err(Fault::misconfigured("this repository is bare: it has no work tree to sync")
            .help("run it in a clone that has a work tree"));
    }
    if facts.work_tree == WorkTree::NotCheckedOut {
        return Err(Fault::failed(
            "nothing was checked out here, or not to the end: there is no index, and missing files would count as deleted",
        )
        .help("`git reset` makes one and touches no file; then `git restore PATH` brings what `git status` says is deleted"));
    }
    if let Some(operation) = facts.in_progress {
        return Err(of_operation(operation));
    }
    if let (Head::Branch(branch), Some(other)) = (&facts.head, &facts.elsewhere) {
        let (branch, other) = (branch.short(), other.display());
        return Err(Fault::misconfigured(format!(
            "{branch} is checked out at {other} as well: what is committed in one work tree counts as taken back in the other"
        ))
        .help("let one of them be on a branch of its own: `git switch -c NAME` there"));
    }
    match &facts.head {
        Head::Branch(branch) if branch.name.category() == Some(Category::LocalBranch) => Ok(branch),
        Head::Branch(other) => {
            let name = other.name.as_bstr();
            Err(Fault::misconfigured(format!("HEAD leads to {name}, which is no branch"))
                .help("switch to a branch: `git switch main`"))
        }
        Head::Detached(id) => Err(Fault::failed(format!(
            "HEAD is detached at {}: there is no branch to sync",
            id.to_hex_with_len(10)
        ))
        .help("switch to a branch: `git switch main`, or keep the commits with `git switch -c NAME`")),
    }
}

/// Refuses an index with unmerged entries.
///
/// # Errors
/// A fault with exit 1 that names the paths.
pub fn unmerged(paths: &[BString]) -> Result<(), Fault> {
    if paths.is_empty() {
        return Ok(());
    }
    Err(Fault::failed(format!("a merge is not finished; both sides changed {}", named(paths)))
        .help("resolve what `git status` lists, `git add` it, and run this again"))
}

/// Returns the warnings about what has changed and is not committed. Like git, this does not add paths outside of the
/// sparse checkout, and says so.
pub fn left_out(left_out: &LeftOut) -> impl Iterator<Item = String> {
    let LeftOut { outside_sparse, outdated_submodules, removed_submodules, embedded } = left_out;
    let sparse = (!outside_sparse.is_empty()).then(|| {
        format!(
            "outside of the sparse checkout, and not committed: {}; `git sparse-checkout add FOLDER` takes a folder in, \
             `git add --sparse PATH` a path alone",
            named(outside_sparse)
        )
    });
    let submodules = (!outdated_submodules.is_empty()).then(|| {
        format!(
            "checked out where they were before what came in moved them on, and not committed: {}; \
             `git submodule update` takes them along, `git add PATH` keeps one where it is",
            named(outdated_submodules)
        )
    });
    let removed = (!removed_submodules.is_empty()).then(|| {
        format!(
            "no submodules any more by what came in, still here, and not committed anew: {}; remove the folder, if nothing \
             in it is needed, or `git add PATH` takes it in again",
            named(removed_submodules)
        )
    });
    let embedded = (!embedded.is_empty()).then(|| {
        format!(
            "repositories of their own, of which nothing but the commit that they are at is committed: {}; `git submodule \
             add URL PATH` says where others get one from, and .gitignore leaves it out",
            named(embedded)
        )
    });
    [sparse, submodules, removed, embedded].into_iter().flatten()
}

/// Returns the warning about commits that were pushed from here, or pulled, and that `upstream` has since dropped.
///
/// # Errors
/// A commit cannot be read.
pub fn thrown_out(
    repo: &gix::Repository,
    DroppedCommits { tip, commits }: &DroppedCommits,
    upstream: &str,
) -> anyhow::Result<String> {
    let mut named = Vec::new();
    for commit in commits.iter().take(FEW) {
        let summary = history::describe(repo, *commit)?.summary;
        named.push(format!("{} ({summary})", commit.to_hex_with_len(10)));
    }
    let more = match commits.len().saturating_sub(FEW) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (count, them) = match commits.len() {
        1 => ("1 commit".to_owned(), "it"),
        count => (format!("{count} commits"), "them"),
    };
    Ok(format!(
        "{upstream} was rewritten without {count} that it had, and so is the branch here: {}{more}; \
         `git branch NAME {}` keeps {them}",
        named.join(", "),
        tip.to_hex_with_len(10)
    ))
}

/// Formats a list of paths for a message.
pub fn named(paths: &[BString]) -> String {
    let mut text = paths
        .iter()
        .take(NAMED)
        .map(|path| {
            // A line break in a name would otherwise start what looks like a line of our own output.
            let plain = path.to_str().ok().filter(|path| !path.contains(char::is_control));
            plain.map_or_else(|| gix::quote::ansi_c::quote(path.as_bstr()).to_string(), str::to_owned)
        })
        .collect::<Vec<_>>()
        .join(", ");
    if paths.len() > NAMED {
        text.push_str(&format!(" and {} more", paths.len() - NAMED));
    }
    text
}

/// Returns the fault for an unborn branch in a repository with nothing to commit.
pub fn nothing_to_begin_with(branch: &str) -> Fault {
    Fault::failed(format!("{branch} has no commit yet, and there is nothing to commit"))
        .help("add a file, or clone the remote instead: `git clone URL`")
}

fn of_operation(operation: Operation) -> Fault {
    let what = match operation {
        Operation::Merge => "a merge",
        Operation::Rebase => "a rebase",
        Operation::Mailbox => "`git am`",
        Operation::CherryPick => "a cherry-pick",
        Operation::Revert => "a revert",
        Operation::Bisect => {
            return Fault::failed("a bisection is in progress").help("end it with `git bisect reset`");
        }
    };
    let command = operation.command();
    Fault::failed(format!("{what} is in progress"))
        .help(format!("finish it with `git {command} --continue`, or drop it with `git {command} --abort`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Exit;

    fn facts() -> Facts {
        let name = "refs/heads/main".try_into().expect("a ref name");
        Facts {
            head: Head::Branch(Branch { name, commit: None }),
            is_partial: false,
            in_progress: None,
            work_tree: WorkTree::Present,
            elsewhere: None,
        }
    }

    fn exit(facts: &Facts) -> Exit {
        refuse(facts).expect_err("it is refused").exit()
    }

    #[test]
    fn a_name_with_a_line_break_stays_on_its_line() {
        assert_eq!(named(&["a b\n  help: c".into(), "d".into()]), r#""a b\n  help: c", d"#);
    }

    #[test]
    fn a_branch_that_is_checked_out_is_synced() {
        assert_eq!(refuse(&facts()).expect("nothing is in the way").short(), "main");
    }

    #[test]
    fn a_set_up_that_is_not_supported_is_wrong_configuration() {
        assert_eq!(exit(&Facts { is_partial: true, ..facts() }), Exit::Misconfigured);
        assert_eq!(exit(&Facts { work_tree: WorkTree::Bare, ..facts() }), Exit::Misconfigured);
    }

    #[test]
    fn files_that_were_never_checked_out_are_not_taken_for_deleted() {
        assert_eq!(exit(&Facts { work_tree: WorkTree::NotCheckedOut, ..facts() }), Exit::Failed);
    }

    #[test]
    fn what_a_person_is_in_the_middle_of_is_a_failure_with_its_way_out() {
        for operation in [
            Operation::Merge,
            Operation::Rebase,
            Operation::Mailbox,
            Operation::CherryPick,
            Operation::Revert,
            Operation::Bisect,
        ] {
            let fault = refuse(&Facts { in_progress: Some(operation), ..facts() })
                .expect_err("it is refused")
                .clone();
            assert_eq!(fault.exit(), Exit::Failed);
            assert!(fault.remedy().is_some_and(|help| help.contains("git ")), "{fault}");
        }
    }

    #[test]
    fn many_paths_are_counted() {
        let paths: Vec<BString> = (0..12).map(|number| format!("file {number}").into()).collect();
        assert!(named(&paths).ends_with("file 9 and 2 more"));
        assert_eq!(named(&[BString::from(vec![0xff])]), r#""\377""#);
    }
}
