//! Answers questions about the history: ancestry, merge bases, and the commits between two commits.

use anyhow::Context as _;
use contract::Commit;
use gix::ObjectId;
use store::History;

/// Whether `one` is `other` or one of its ancestors. What is `known` of the history is not read again.
///
/// # Errors
/// The history cannot be read.
pub fn is_ancestor(
    repo: &gix::Repository,
    known: &History,
    one: ObjectId,
    other: ObjectId,
) -> anyhow::Result<bool> {
    Ok(one == other || merge_base(repo, known, one, other)? == Some(one))
}

/// Returns the best merge base of two commits, or `None` if their histories are unrelated. What is `known` of the
/// history is not read again.
///
/// # Errors
/// The history cannot be read.
pub fn merge_base(
    repo: &gix::Repository,
    known: &History,
    one: ObjectId,
    other: ObjectId,
) -> anyhow::Result<Option<ObjectId>> {
    known.base(repo, one, other).context("cannot walk the history")
}

/// Returns the commits that are reachable from `tip` but from none of `hidden`, newest first. What is `known` of the
/// history is not read again.
///
/// # Errors
/// The history cannot be read.
pub fn between(
    repo: &gix::Repository,
    known: &History,
    hidden: impl IntoIterator<Item = ObjectId>,
    tip: ObjectId,
) -> anyhow::Result<Vec<Commit>> {
    let hidden = hidden.into_iter().collect();
    let commits = known.between(repo, vec![tip], hidden).context("cannot walk the history")?;
    commits.iter().map(|commit| describe(repo, commit.id)).collect()
}

/// Returns the summary of a commit for the document.
///
/// # Errors
/// It cannot be read.
pub fn describe(repo: &gix::Repository, id: ObjectId) -> anyhow::Result<Commit> {
    let commit = repo.find_commit(id)?;
    let author = phase::author::author(&commit)?;
    Ok(Commit {
        id: id.to_string(),
        author: author.name.to_string(),
        time: phase::clock::git_time(author.time),
        summary: commit.message()?.summary().to_string(),
    })
}

/// Returns the names of the commits' authors, each once, in the order in which they first occur.
pub fn authors(commits: &[Commit]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for commit in commits {
        if !names.contains(&commit.author) {
            names.push(commit.author.clone());
        }
    }
    names
}

/// Returns all commits that the tracking refs of `remote` are at.
///
/// # Errors
/// A ref cannot be read.
pub fn known_of(repo: &gix::Repository, remote: &str) -> anyhow::Result<Vec<ObjectId>> {
    let mut ids = Vec::new();
    for reference in repo.references()?.prefixed(format!("refs/remotes/{remote}/").as_str())? {
        let Ok(mut reference) = reference else { continue };
        // A symbolic ref such as `origin/HEAD` may be dangling; then it adds nothing.
        if let Ok(id) = reference.peel_to_id() {
            ids.push(id.detach());
        }
    }
    Ok(ids)
}
