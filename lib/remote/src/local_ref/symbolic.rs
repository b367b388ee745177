//! Where a symbolic ref leads to, as with a branch that has a second name.
//!
//! Git goes by the last name: that is the ref that it moves, and the branch whose settings count.

use gix::refs::FullName;

/// How many names git follows.
const DEPTH: usize = 5;

/// The branch that is checked out, by the name of its own where it has a second one; `None` where none is.
///
/// # Errors
///
/// `HEAD`, or where it leads to, cannot be read.
pub fn head(repo: &gix::Repository) -> gix::Result<Option<FullName>> {
    repo.head_name()?.map(|name| follow(repo, name)).transpose()
}

/// The last of the names that `name` leads to, which is `name` itself where that is no symbolic ref. It need not be
/// there. Of names that lead round in circles it is one of them, which cannot be read.
///
/// # Errors
///
/// A ref cannot be read.
pub fn follow(repo: &gix::Repository, name: FullName) -> gix::Result<FullName> {
    let mut last = name;
    for _ in 0..DEPTH {
        let found = repo.try_find_reference(&last)?;
        match found.and_then(|found| found.target().try_name().map(ToOwned::to_owned)) {
            Some(next) => last = next,
            None => break,
        }
    }
    Ok(last)
}
