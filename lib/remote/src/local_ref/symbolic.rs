//! Where a symbolic ref leads to, as with a branch that has a second name.
//!
//! Git goes by the last name: that is the ref that it moves, and the branch whose settings count.

use gix::refs::{FullName, TargetRef};

use super::{Value, read};

/// How many names git follows.
const DEPTH: usize = 5;

/// The branch that is checked out, by the name of its own where it has a second one; `None` where none is.
///
/// # Errors
///
/// `HEAD`, or where it leads to, cannot be read.
pub fn head(repo: &gix::Repository) -> gix::Result<Option<FullName>> {
    match repo.find_reference("HEAD")?.target() {
        TargetRef::Symbolic(name) => follow(repo, name.to_owned()).map(Some),
        TargetRef::Object(_) => Ok(None),
    }
}

/// The last of the names that `name` leads to, which is `name` itself where that is no symbolic ref. It need not be
/// there. Of names that lead round in circles it is one of them, which cannot be read.
///
/// # Errors
///
/// A ref cannot be read.
pub fn follow(repo: &gix::Repository, name: FullName) -> gix::Result<FullName> {
    resolve(repo, name).map(|(last, _)| last)
}

/// The same, with the value of that last one. It is symbolic where the names lead round in circles.
///
/// # Errors
///
/// A ref cannot be read.
pub fn resolve(repo: &gix::Repository, name: FullName) -> gix::Result<(FullName, Value)> {
    let mut last = name;
    for _ in 0..DEPTH {
        let Some(found) = repo.try_find_reference(&last)? else { return Ok((last, Value::Absent)) };
        match found.target() {
            TargetRef::Object(id) => return Ok((last, Value::Object(id.to_owned()))),
            TargetRef::Symbolic(next) => last = next.to_owned(),
        }
    }
    let value = read(repo, last.as_ref())?;
    Ok((last, value))
}
