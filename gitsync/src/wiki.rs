//! Lists the pages of the wiki that were pulled, by directory.

use contract::{Wiki, WikiPage, WikiStatus};
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice as _};

use crate::worktree::diff;

const FOLDER: &str = "wiki";

/// Returns the pages that differ between two trees.
///
/// # Errors
/// A tree cannot be read.
pub fn pages(repo: &gix::Repository, from: ObjectId, to: ObjectId) -> anyhow::Result<Wiki> {
    let mut wiki = Wiki::default();
    let (before, after) = (folder(repo, from)?, folder(repo, to)?);
    if before == after {
        return Ok(wiki);
    }
    let nothing = repo.object_hash().empty_tree();
    let diff = diff::diff(repo, before.unwrap_or(nothing), after.unwrap_or(nothing))?;
    for (path, change) in &diff.changes {
        let status = match (&change.old, &change.new) {
            (None, Some(_)) => WikiStatus::Added,
            (Some(_), Some(_)) => WikiStatus::Modified,
            (Some(_), None) => WikiStatus::Deleted,
            (None, None) => continue,
        };
        let page = WikiPage { path: format!("{FOLDER}/{path}"), status };
        shelf(&mut wiki, path.as_bstr()).push(page);
    }
    Ok(wiki)
}

/// Returns the list that a page belongs to, by its path below the wiki.
fn shelf<'a>(wiki: &'a mut Wiki, path: &BStr) -> &'a mut Vec<WikiPage> {
    let folder = path.find_byte(b'/').map(|at| path[..at].as_bytes());
    match folder {
        Some(b"clients") => &mut wiki.clients,
        Some(b"projects") => &mut wiki.projects,
        Some(b"systems") => &mut wiki.systems,
        Some(b"patterns") => &mut wiki.patterns,
        Some(_) | None => &mut wiki.meta,
    }
}

fn folder(repo: &gix::Repository, tree: ObjectId) -> anyhow::Result<Option<ObjectId>> {
    let entry = repo.find_tree(tree)?.find_entry(FOLDER).map(|entry| (entry.mode(), entry.object_id()));
    Ok(entry.filter(|(mode, _)| mode.is_tree()).map(|(_, id)| id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_is_in_none_of_the_four_folders_is_meta() {
        let mut wiki = Wiki::default();
        for path in [
            "clients/acme.md",
            "projects/x/y.md",
            "systems/a.md",
            "patterns/b.md",
            "index.md",
            "other/c.md",
            "clients",
        ] {
            let page = WikiPage { path: path.into(), status: WikiStatus::Added };
            shelf(&mut wiki, path.into()).push(page);
        }
        let paths = |pages: &[WikiPage]| pages.iter().map(|page| page.path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(&wiki.clients), ["clients/acme.md"]);
        assert_eq!(paths(&wiki.projects), ["projects/x/y.md"]);
        assert_eq!(paths(&wiki.systems), ["systems/a.md"]);
        assert_eq!(paths(&wiki.patterns), ["patterns/b.md"]);
        assert_eq!(paths(&wiki.meta), ["index.md", "other/c.md", "clients"]);
    }
}
