//! What a remote's configuration asks for and is not done here, told by name before anything is.
//!
//! Git goes by each of these settings. Who has them and finds only half of it done, by a program that says that all went
//! well, loses commits or believes in a backup that there is not.

use gix::{
    bstr::{BStr, ByteSlice},
    refs::FullName,
    refspec::{MatchGroup, RefSpec, match_group::Item},
};

use crate::{Direction, Remote, Trouble, checked_out::checked_out, shown};

impl Remote<'_> {
    /// Makes sure that no fetch with the configured refspecs writes into a branch that a work tree is on, whatever the
    /// remote has just now. Whoever takes such a branch for what the remote has takes its commits for pushed.
    ///
    /// # Errors
    ///
    /// [`Trouble::Misconfigured`], with the refspec and the branch; [`Trouble::Local`], if the work trees cannot be looked
    /// at.
    pub fn check_fetch(&self) -> Result<(), Trouble> {
        let specs = self.inner.refspecs(Direction::Fetch.into());
        if !specs.iter().any(|spec| spec.to_ref().destination().is_some_and(reaches_branches)) {
            return Ok(());
        }
        let busy = checked_out(self.repo)
            .map_err(|error| Trouble::local("finding out which branches are checked out", error))?;
        for (branch, work_tree) in busy {
            if let Some(spec) = self.fetches_into(specs, &branch) {
                let name = self.name();
                return Err(Trouble::misconfigured(
                    format!(
                        "the refspec '{}' of remote '{name}' fetches into {}, which is checked out at {}",
                        spec.to_ref().instruction().to_bstring(),
                        branch.as_bstr(),
                        work_tree.display()
                    ),
                    format!(
                        "fetch into refs of the remote's own: \
                         `git config --replace-all remote.{name}.fetch '+refs/heads/*:refs/remotes/{name}/*'`"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Makes sure that a push serves all that `git push` would.
    ///
    /// # Errors
    ///
    /// [`Trouble::Misconfigured`], where there are several URLs to push to.
    pub fn check_push(&self) -> Result<(), Trouble> {
        let urls: Vec<String> = self.inner.urls(Direction::Push.into()).map(shown::url).collect();
        if urls.len() < 2 {
            return Ok(());
        }
        let name = self.name();
        Err(Trouble::misconfigured(
            format!(
                "remote '{name}' has several URLs to push to, which is not supported: {}",
                urls.join(", ")
            ),
            format!(
                "keep one here, and let it hand on what it gets: \
                 `git config --get-regexp '^remote[.]{name}[.](push)?url'` shows them; --no-push only pulls"
            ),
        ))
    }

    /// The refspec by which something is fetched into a branch.
    fn fetches_into<'a>(&self, specs: &'a [RefSpec], branch: &FullName) -> Option<&'a RefSpec> {
        let nothing = self.repo.object_hash().null();
        let item = Item { full_ref_name: branch.as_bstr(), target: &nothing, object: None };
        let group = MatchGroup::from_fetch_specs(specs.iter().map(RefSpec::to_ref));
        let found = group.match_rhs(std::iter::once(item)).mappings.into_iter().next()?;
        specs.get(found.spec_index)
    }
}

/// Whether the right side of a refspec may be a branch. Of the usual ones none is, and the work trees need no look.
fn reaches_branches(destination: &BStr) -> bool {
    const BRANCHES: &[u8] = b"refs/heads/";
    let fixed = destination.split_str("*").next().unwrap_or_default();
    fixed.starts_with(BRANCHES) || BRANCHES.starts_with(fixed) || !fixed.starts_with(b"refs/")
}
