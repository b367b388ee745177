//! Parses the parts of a commit that walks need.

use std::io;

use gix::{
    ObjectId,
    bstr::ByteSlice,
    commitgraph,
    objs::{CommitRefIter, commit::ref_iter::Token},
    traverse::commit::ParentIds,
};

/// The tree, the parents and the date of a commit.
#[derive(Debug, Clone)]
pub(super) struct CommitHeader {
    pub tree: ObjectId,
    pub parents: ParentIds,
    /// The committer date, in seconds since 1970.
    pub time: i64,
}

impl CommitHeader {
    /// Parses a raw commit. If its committer cannot be parsed, the date is 0, as in git.
    ///
    /// # Errors
    ///
    /// If it is not a commit.
    pub fn of(commit: &[u8], hash: gix::hash::Kind) -> gix::Result<Self> {
        if let Some(links) = Self::of_usual(commit, hash) {
            return Ok(links);
        }
        let (mut tree, mut parents) = (None, ParentIds::new());
        for token in CommitRefIter::from_bytes(commit, hash) {
            match (token, tree) {
                (Ok(Token::Tree { id }), _) => tree = Some(id),
                (Ok(Token::Parent { id }), _) => parents.push(id),
                (Ok(Token::Committer { signature }), Some(tree)) => {
                    return Ok(Self { tree, parents, time: signature.seconds() });
                }
                (Ok(_), _) => {}
                (Err(_), _) => break,
            }
        }
        let header = commit.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
        match tree {
            Some(tree) if header.filter(|line| line.starts_with(b"parent ")).count() == parents.len() => {
                Ok(Self { tree, parents, time: 0 })
            }
            _ => Err(gix::Error::from_error(io::Error::other("the head of a commit cannot be read"))),
        }
    }

    /// Parses a commit whose header has git's usual form: there may be thousands, and most of their content is not
    /// needed here. `None` if the header has another form.
    fn of_usual(commit: &[u8], hash: gix::hash::Kind) -> Option<Self> {
        let mut rest = commit;
        let mut line = |field: &[u8]| {
            let (value, after) = rest.strip_prefix(field)?.split_once_str("\n")?;
            rest = after;
            Some(value)
        };
        let id = |hex: &[u8]| ObjectId::from_hex(hex).ok().filter(|id| id.kind() == hash);
        let tree = id(line(b"tree ")?)?;
        let mut parents = ParentIds::new();
        while let Some(parent) = line(b"parent ") {
            parents.push(id(parent)?);
        }
        line(b"author ")?;
        let (_, when) = line(b"committer ")?.rsplit_once_str("> ")?;
        let (time, _zone) = when.split_once_str(" ")?;
        let is_usual = !time.is_empty() && time.iter().all(u8::is_ascii_digit);
        let time = is_usual.then(|| std::str::from_utf8(time).ok()?.parse().ok())??;
        Some(Self { tree, parents, time })
    }

    /// Reads a commit from a commit-graph.
    ///
    /// # Errors
    ///
    /// If the commit-graph is damaged.
    pub fn stored(graph: &commitgraph::Graph, commit: &commitgraph::file::Commit<'_>) -> gix::Result<Self> {
        let parents: Result<ParentIds, _> =
            commit.iter_parents().map(|parent| parent.map(|at| graph.id_at(at).to_owned())).collect();
        let time = i64::try_from(commit.committer_timestamp()).unwrap_or(i64::MAX);
        Ok(Self { tree: commit.root_tree_id().to_owned(), parents: parents?, time })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use super::*;

    const SHA1: gix::hash::Kind = gix::hash::Kind::Sha1;

    fn commit(people: &str) -> String {
        let [tree, one, two] = ["1", "2", "3"].map(|digit| digit.repeat(40));
        format!("tree {tree}\nparent {one}\nparent {two}\n{people}\nparent of all\n")
    }

    #[test]
    fn what_a_commit_leads_to_is_read_whoever_made_it() {
        let usual = commit("author A <a@b> 1 +0000\ncommitter C <c@d> 1700000000 +0100\n");
        let signed =
            usual.replace("\nparent of all", "\ngpgsig -----BEGIN\n \n parent x\n -----END\n\nparent of all");
        for (text, time) in [
            (usual, 1_700_000_000),
            (signed, 1_700_000_000),
            (commit("author A <a@b> 1 +0000\ncommitter C <c@d> -5 +0000\n"), -5),
            (commit("author nobody\ncommitter C <c@d> 5 +0000\n"), 5),
            (commit("committer C <c@d> 5 +0000\n"), 0),
            (commit("author A <a@b> 1 +0000\ncommitter <<>\n"), 0),
            (commit(""), 0),
        ] {
            let links = CommitHeader::of(text.as_bytes(), SHA1).unwrap();
            assert_eq!(links.tree.to_string(), "1".repeat(40), "{text}");
            assert_eq!(links.parents.len(), 2, "{text}");
            assert_eq!(links.time, time, "{text}");
        }
    }

    #[test]
    fn what_has_no_tree_or_parents_that_cannot_be_read_is_an_error() {
        let people = "author A <a@b> 1 +0000\ncommitter C <c@d> 5 +0000\n\nx\n";
        for head in ["", "tree 12\n", &format!("tree {}\nparent 12\n", "1".repeat(40))] {
            CommitHeader::of(format!("{head}{people}").as_bytes(), SHA1).unwrap_err();
        }
    }
}
