//! Reuses the remote's notes refs that an earlier phase of the run has listed.
//!
//! `gitsync` has just asked the same remote. If the remote has nothing that is not here, asking again would be a
//! wasted connection; if it has moved since, the push, a compare-and-swap, is refused and the next round fetches. But a
//! document may be stored, and used again when the remote has moved on: so it counts only while the run that wrote it
//! holds the lock.

use std::collections::BTreeMap;

use anyhow::Result;
use contract::Document;
use gix::{ObjectId, refs::FullName};
use remote::RemoteName;

use crate::{globs::Globs, names::NotesRef};

/// The notes refs that the remote had when it was last asked in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertised(BTreeMap<NotesRef, ObjectId>);

impl Advertised {
    /// Reads what the document of a run that still holds its lock says about this remote; `None` if it was not asked,
    /// or if a name or an id is invalid.
    pub fn of(document: &Document, remote: &RemoteName) -> Option<Self> {
        // The runner has joined that lock and checked that it is the run's.
        document.held_lock()?;
        let main = document.phases.gitsync.as_ref()?.main.as_ref()?;
        if main.remote != remote.as_str() {
            return None;
        }
        let refs = main.notes_at_remote.as_ref()?.iter().map(|listed| {
            let name = NotesRef::found(FullName::try_from(listed.name.as_str()).ok()?)?;
            Some((name, ObjectId::from_hex(listed.id.as_bytes()).ok()?))
        });
        refs.collect::<Option<_>>().map(Self)
    }

    /// Returns the matching refs if none of them has to be fetched, that is, if `tracked` returns the listed commit
    /// for each.
    ///
    /// # Errors
    /// If a tracking ref cannot be read.
    pub fn if_here(
        self,
        globs: &Globs,
        tracked: impl Fn(&NotesRef) -> Result<Option<ObjectId>>,
    ) -> Result<Option<BTreeMap<NotesRef, ObjectId>>> {
        let matching: BTreeMap<_, _> = self.0.into_iter().filter(|(name, _)| globs.matches(name)).collect();
        for (name, id) in &matching {
            if tracked(name)? != Some(*id) {
                return Ok(None);
            }
        }
        Ok(Some(matching))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn document(lock: &str, gitsync: &str) -> Document {
        let json = format!(
            r#"{{"lockstep":1,"run":"r","repo":{{"worktree":"/r","common_dir":"/r/.git"}},"outcome":"ok","error":null,
                "identity":{{"user":null,"host":"desk"}},"phases":{{"lock":{lock},"gitsync":{gitsync}}}}}"#
        );
        serde_json::from_str(&json).expect("a document")
    }

    const HELD: &str = r#"{"token":"t"}"#;

    fn section(remote: &str, more: &str) -> String {
        format!(
            r#"{{"outcome":"ok","elapsed_ms":1,"vault":null,"main":{{"worktree":"/r","branch":"main","remote":"{remote}",
                "upstream":null,"state":"clean","committed":null,"pulled":null,"pushed":null,"attempts":1,"head":null{more}}}}}"#
        )
    }

    fn heard(gitsync: &str) -> Option<Advertised> {
        Advertised::of(&document(HELD, gitsync), &RemoteName::parse("origin").expect("a name"))
    }

    #[test]
    fn what_was_asked_of_the_same_remote_is_known() {
        let refs = format!(r#","notes_at_remote":[{{"ref":"refs/notes/mem/x","id":"{ID}"}}]"#);
        let heard = heard(&section("origin", &refs)).expect("it was asked");
        assert_eq!(heard.0.len(), 1);
    }

    #[test]
    fn without_the_lock_of_the_run_nothing_is_known() {
        let gitsync =
            section("origin", &format!(r#","notes_at_remote":[{{"ref":"refs/notes/mem/x","id":"{ID}"}}]"#));
        for lock in ["null", r#"{"token":""}"#, r#"{"token":"t","released":true}"#] {
            let origin = RemoteName::parse("origin").expect("a name");
            assert_eq!(Advertised::of(&document(lock, &gitsync), &origin), None, "{lock}");
        }
    }

    #[test]
    fn another_remote_a_silent_document_and_nonsense_say_nothing() {
        let refs = |name: &str, id: &str| format!(r#","notes_at_remote":[{{"ref":"{name}","id":"{id}"}}]"#);
        assert_eq!(heard("null"), None);
        assert_eq!(heard(&section("origin", "")), None);
        assert_eq!(heard(&section("backup", &refs("refs/notes/mem/x", ID))), None);
        assert_eq!(heard(&section("origin", &refs("refs/notes/mem/x", "a"))), None);
        assert_eq!(heard(&section("origin", &refs("refs/heads/main", ID))), None);
    }
}
