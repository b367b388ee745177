//! Questions about history: what is an ancestor of what, and which commits lie between two, as the document lists them.

use anyhow::Context as _;
use contract::Commit;
use gix::ObjectId;
use remote::History;

/// Whether `one` is `other`, or one of its ancestors. What is `known` of the history is not read again.
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

/// The best common ancestor of two commits; `None` where their histories have nothing in common. What is `known` of the
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

/// The commits that `tip` has and none of `hidden` has, newest first. What is `known` of the history is not read again.
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

/// A commit, in one line.
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

/// The authors of commits by name, each once, in the order in which they come.
pub fn authors(commits: &[Commit]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for commit in commits {
        if !names.contains(&commit.author) {
            names.push(commit.author.clone());
        }
    }
    names
}

/// All that is known of what a remote has.
///
/// # Errors
/// A ref cannot be read.
pub fn known_of(repo: &gix::Repository, remote: &str) -> anyhow::Result<Vec<ObjectId>> {
    let mut ids = Vec::new();
    for reference in repo.references()?.prefixed(format!("refs/remotes/{remote}/").as_str())? {
        let Ok(mut reference) = reference else { continue };
        // A symbolic ref such as `origin/HEAD` may lead nowhere; then it knows of nothing.
        if let Ok(id) = reference.peel_to_id() {
            ids.push(id.detach());
        }
    }
    Ok(ids)
}
