//! Refuses settings of a remote that are not supported, by name and before anything is done.
//!
//! Git obeys each of these settings. If a program obeyed only half of them and still reported success, the user would
//! lose commits, or rely on a backup that does not exist.

use gix::{
    bstr::{BStr, BString, ByteSlice},
    refs::{FullName, FullNameRef},
    refspec::{Instruction, MatchGroup, RefSpec, instruction::Push, match_group::Item, parse::Operation},
};
use store::local_ref;

use crate::{Direction, Remote, RemoteError, checked_out::checked_out, shown};

impl Remote<'_> {
    /// Checks that no fetch with the configured refspecs writes into a checked-out branch, whatever refs the remote
    /// has at the moment. If such a branch were taken for a tracking ref, its commits would count as pushed.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Misconfigured`], with the refspec and the branch; [`RemoteError::Local`], if the worktrees
    /// cannot be examined.
    pub fn check_fetch(&self) -> Result<(), RemoteError> {
        let specs = self.inner.refspecs(Direction::Fetch.into());
        if !specs.iter().any(|spec| spec.to_ref().destination().is_some_and(reaches_branches)) {
            return Ok(());
        }
        let busy = checked_out(self.repo)
            .map_err(|error| RemoteError::local("finding out which branches are checked out", error))?;
        for (branch, work_tree) in busy {
            if let Some(spec) = self.fetches_into(specs, &branch) {
                let name = self.name();
                return Err(RemoteError::misconfigured(
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

    /// Checks that a push does everything that `git push` would.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Misconfigured`], if there are several push URLs, or pushes are to be signed. With `if-asked`,
    /// pushes are sent unsigned.
    pub fn check_push(&self) -> Result<(), RemoteError> {
        // `if-asked` is not a boolean.
        if matches!(self.repo.config_snapshot().try_boolean("push.gpgSign"), Ok(Some(true))) {
            return Err(RemoteError::misconfigured(
                "push.gpgSign is on, and signed pushes are not supported",
                "have them signed only where a server asks for it: `git config push.gpgSign if-asked`; --no-push only \
                 pulls",
            ));
        }
        let urls: Vec<String> = self.inner.urls(Direction::Push.into()).map(shown::url).collect();
        if urls.len() < 2 {
            return Ok(());
        }
        let name = self.name();
        Err(RemoteError::misconfigured(
            format!(
                "remote '{name}' has several URLs to push to, which is not supported: {}",
                urls.join(", ")
            ),
            format!(
                "keep one here, and let it hand on what it gets: \
                 `git remote get-url --push --all {name}` shows them; --no-push only pulls"
            ),
        ))
    }

    /// Checks that no configured push refspec sends the local ref `from` to another ref than `to`. If no refspec
    /// matches, git would not push the ref at all; a caller that pushes it does so deliberately.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Misconfigured`], with the refspec and its destination.
    pub fn check_destination(&self, from: &FullNameRef, to: &FullNameRef) -> Result<(), RemoteError> {
        let (config, name) = (self.repo.config_snapshot(), self.name());
        let specs = config.plumbing().strings_by("remote", Some(BStr::new(name.as_str())), "push");
        let Some(specs) = specs else { return Ok(()) };
        let head = local_ref::head(self.repo).ok().flatten();
        let is_head = head.is_some_and(|head| head.as_ref() == from);
        for spec in specs {
            let Some(elsewhere) = destination(spec.as_ref(), from, is_head) else { continue };
            if !is_called(elsewhere.as_ref(), to) {
                return Err(RemoteError::misconfigured(
                    format!(
                        "the refspec '{spec}' of remote '{name}' pushes {} to {elsewhere}, and not to {}, which is not \
                         supported",
                        from.as_bstr(),
                        to.as_bstr()
                    ),
                    format!(
                        "take it out: `git config --fixed-value --unset-all remote.{name}.push '{spec}'`; --no-push only \
                         pulls"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Returns the refspec that fetches into a branch, if any.
    fn fetches_into<'a>(&self, specs: &'a [RefSpec], branch: &FullName) -> Option<&'a RefSpec> {
        let nothing = self.repo.object_hash().null();
        let item = Item { full_ref_name: branch.as_bstr(), target: &nothing, object: None };
        let group = MatchGroup::from_fetch_specs(specs.iter().map(RefSpec::to_ref));
        let found = group.match_rhs(std::iter::once(item)).mappings.into_iter().next()?;
        specs.get(found.spec_index)
    }
}

/// Whether the destination of a refspec may be a branch. Usual refspecs have no such destination, so the worktrees
/// need not be examined.
fn reaches_branches(destination: &BStr) -> bool {
    const BRANCHES: &[u8] = b"refs/heads/";
    let fixed = destination.split_str("*").next().unwrap_or_default();
    fixed.starts_with(BRANCHES) || BRANCHES.starts_with(fixed) || !fixed.starts_with(b"refs/")
}

/// Returns where a refspec pushes a ref, which may be the one that `HEAD` points to; `None` if it does not match.
fn destination(spec: &BStr, from: &FullNameRef, is_head: bool) -> Option<BString> {
    let spec = gix::refspec::parse(spec, Operation::Push).ok()?;
    let (source, destination) = match spec.instruction() {
        Instruction::Push(Push::Matching { src, dst, .. }) => (src, dst),
        // Matching branches keep their names.
        Instruction::Push(_) | Instruction::Fetch(_) => return None,
    };
    if let Some((before, after)) = source.split_once_str("*") {
        let middle = from.as_bstr().strip_prefix(before)?.strip_suffix(after)?;
        return Some(destination.replacen("*", middle, 1).into());
    }
    let is_meant = is_called(source, from) || (is_head && (source == "HEAD" || source == "@"));
    // Without a right side, the name stays the same.
    is_meant.then(|| if source == destination { from.as_bstr() } else { destination }.to_owned())
}

/// Whether a name, possibly abbreviated, means this ref: `main`, `heads/main` or the full name.
fn is_called(name: &BStr, full: &FullNameRef) -> bool {
    ["", "refs/", "refs/heads/"]
        .iter()
        .any(|prefix| full.as_bstr().strip_prefix(prefix.as_bytes()) == Some(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use super::*;

    fn goes(spec: &str, from: &str, is_head: bool) -> Option<String> {
        let from: FullName = from.try_into().unwrap();
        destination(spec.into(), from.as_ref(), is_head).map(|to| to.to_string())
    }

    #[test]
    fn a_refspec_sends_what_its_left_side_names() {
        let main = |spec| goes(spec, "refs/heads/main", true);
        for spec in
            ["main", "HEAD", "@", "+main", "heads/main", "refs/heads/main", "refs/heads/*:refs/heads/*"]
        {
            assert_eq!(main(spec).as_deref(), Some("refs/heads/main"), "{spec}");
        }
        assert_eq!(main("HEAD:refs/for/main").as_deref(), Some("refs/for/main"));
        assert_eq!(main("refs/heads/m*n:refs/heads/x/*").as_deref(), Some("refs/heads/x/ai"));
        for spec in [":", "+:", ":refs/heads/main", "^refs/heads/main", "other", "refs/notes/*:refs/notes/*"]
        {
            assert_eq!(main(spec), None, "{spec}");
        }
        assert_eq!(goes("HEAD", "refs/notes/commits", false), None);
        assert_eq!(goes("notes/commits:x", "refs/notes/commits", false).as_deref(), Some("x"));
    }

    #[test]
    fn a_name_may_be_a_part_of_the_whole_one() {
        let main: FullName = "refs/heads/main".try_into().unwrap();
        for name in ["main", "heads/main", "refs/heads/main"] {
            assert!(is_called(name.into(), main.as_ref()), "{name}");
        }
        for name in ["ain", "review", "refs/for/main", "tags/main"] {
            assert!(!is_called(name.into(), main.as_ref()), "{name}");
        }
    }
}
