//! Parses names of notes refs, tells local refs from tracking refs, and expands abbreviations.
//!
//! Local notes refs and tracking refs of notes share the namespace `refs/notes/`. If a tracking ref were taken for a
//! local one, it would be pushed, fetched back under a longer name, and so on without end.

use gix::refs::FullName;
use remote::RemoteName;

/// The namespace of all notes refs.
pub const NOTES: &str = "refs/notes/";

/// The full name of a notes ref.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotesRef(FullName);

/// A name that no notes ref can have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{name}' cannot be the name of a notes ref")]
pub struct BadName {
    /// The name.
    pub name: String,
}

impl NotesRef {
    /// Parses a name as `git notes --ref` does: `refs/notes/` may be omitted.
    ///
    /// # Errors
    /// If git allows no ref of that name.
    pub fn parse(name: &str) -> Result<Self, BadName> {
        let full = expand(name);
        match FullName::try_from(full.as_str()) {
            Ok(full) => Ok(Self(full)),
            Err(_) => Err(BadName { name: name.to_owned() }),
        }
    }

    /// Wraps the name of an existing ref; `None` if it is not below `refs/notes/`.
    pub fn found(name: FullName) -> Option<Self> {
        name.as_bstr().starts_with(NOTES.as_bytes()).then_some(Self(name))
    }

    /// Returns the full name.
    pub fn full(&self) -> &FullName {
        &self.0
    }

    /// Returns the name without `refs/notes/`, as used in git's configuration.
    pub fn short(&self) -> String {
        let full = self.to_string();
        full.strip_prefix(NOTES).map(str::to_owned).unwrap_or(full)
    }

    /// Returns the tracking ref for this ref at a remote.
    pub fn tracking(&self, remote: &RemoteName) -> Option<FullName> {
        FullName::try_from(format!("{}{}", tracking_namespace(remote), self.short())).ok()
    }

    /// Returns the remote, among `remotes`, of which this is a tracking ref.
    pub fn followed<'a>(&self, remotes: &'a [RemoteName]) -> Option<&'a RemoteName> {
        let name = self.0.as_bstr();
        remotes.iter().find(|remote| name.starts_with(tracking_namespace(remote).as_bytes()))
    }
}

impl std::fmt::Display for NotesRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.as_bstr())
    }
}

/// Returns the namespace of the tracking refs for a remote's notes.
pub fn tracking_namespace(remote: &RemoteName) -> String {
    format!("{NOTES}{remote}/")
}

/// Expands an abbreviated name or glob below `refs/notes/` as git does.
pub fn expand(name: &str) -> String {
    if name.starts_with(NOTES) {
        name.to_owned()
    } else if name.starts_with("notes/") {
        format!("refs/{name}")
    } else {
        format!("{NOTES}{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_completed_as_git_does() {
        for name in ["mem/decisions", "notes/mem/decisions", "refs/notes/mem/decisions"] {
            let notes = NotesRef::parse(name).expect("a fine name");
            assert_eq!(notes.to_string(), "refs/notes/mem/decisions");
            assert_eq!(notes.short(), "mem/decisions");
        }
    }

    #[test]
    fn a_name_that_git_refuses_is_refused() {
        for name in ["", "mem/", "a..b", "with space", "mem/*"] {
            assert!(NotesRef::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_tracking_ref_is_told_from_a_local_one() {
        let origin = RemoteName::parse("origin").expect("a fine name");
        let local = NotesRef::parse("mem/decisions").expect("a fine name");
        let tracking = local.tracking(&origin).expect("a fine name");
        assert_eq!(tracking.as_bstr(), "refs/notes/origin/mem/decisions");
        assert!(local.followed(std::slice::from_ref(&origin)).is_none());
        assert!(NotesRef::found(tracking).is_some_and(|found| found.followed(&[origin]).is_some()));
    }
}
