//! Follows symbolic refs, such as a branch that is an alias of another one.
//!
//! Like git, this uses the last name: that is the ref that is updated, and the branch whose configuration counts.

use gix::refs::{FullName, TargetRef};

use super::{Value, read};

/// The number of names that git follows.
const DEPTH: usize = 5;

/// Returns the branch that is checked out, after following aliases; `None` if `HEAD` is detached.
///
/// # Errors
///
/// If `HEAD`, or a ref that it points to, cannot be read.
pub fn head(repo: &gix::Repository) -> gix::Result<Option<FullName>> {
    match repo.find_reference("HEAD")?.target() {
        TargetRef::Symbolic(name) => follow(repo, name.to_owned()).map(Some),
        TargetRef::Object(_) => Ok(None),
    }
}

/// Returns the last of the names that `name` leads to, which is `name` itself if that is not a symbolic ref. The ref
/// need not exist. If the names form a cycle, the result is one of them.
///
/// # Errors
///
/// If a ref cannot be read.
pub fn follow(repo: &gix::Repository, name: FullName) -> gix::Result<FullName> {
    resolve(repo, name).map(|(last, _)| last)
}

/// Does the same, and also returns the value of the last ref. It is symbolic if the names form a cycle.
///
/// # Errors
///
/// If a ref cannot be read.
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
