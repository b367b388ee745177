//! Selects the notes refs of a run by globs, and builds the refspecs that fetch them.

use gix::{
    bstr::{BStr, ByteSlice},
    glob::wildmatch,
};
use remote::RemoteName;

use crate::names::{self, NOTES, NotesRef};

/// The globs given by the user; `*` matches any text including `/`, as in a refspec. They never match tracking refs
/// of notes, neither here nor at a remote: somebody may have pushed theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Globs {
    globs: Vec<Glob>,
    remotes: Vec<RemoteName>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Glob {
    pattern: String,
    /// The literal text that all matching names begin with; the whole name if there are no wildcards.
    literal: String,
}

/// A glob that can match no local notes ref.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadGlob {
    /// Git allows no such ref name.
    #[error("'{pattern}' can match no notes ref")]
    NoName {
        /// The glob.
        pattern: String,
    },
    /// All matching names are those of tracking refs.
    #[error("'{pattern}' matches only copies of what the remote '{remote}' has")]
    Followers {
        /// The glob.
        pattern: String,
        /// The remote that they track.
        remote: RemoteName,
    },
}

impl Globs {
    /// Parses globs; `refs/notes/` may be omitted. Without any, the default is `refs/notes/mem/*`.
    ///
    /// # Errors
    /// If the literal text at the beginning of a glob cannot begin the name of a ref (or, without wildcards, be one),
    /// or lies in the tracking namespace of one of `remotes`.
    pub fn parse<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
        remotes: Vec<RemoteName>,
    ) -> Result<Self, BadGlob> {
        let mut globs: Vec<Glob> = patterns.into_iter().map(Glob::parse).collect::<Result<_, _>>()?;
        if globs.is_empty() {
            globs.push(Glob::parse("refs/notes/mem/*")?);
        }
        globs.dedup();
        for Glob { pattern, literal } in &globs {
            let follows = |remote: &&RemoteName| literal.starts_with(&names::tracking_namespace(remote));
            if let Some(remote) = remotes.iter().find(follows) {
                return Err(BadGlob::Followers { pattern: pattern.clone(), remote: remote.clone() });
            }
        }
        Ok(Self { globs, remotes })
    }

    /// Whether this ref is one that the run syncs.
    pub fn matches(&self, name: &NotesRef) -> bool {
        let is_meant = |glob: &Glob| matches(&glob.pattern, name.full().as_bstr());
        self.globs.iter().any(is_meant) && name.followed(&self.remotes).is_none()
    }

    /// Returns refspecs that fetch at least the matching refs, each into the tracking namespace of the remote.
    pub fn refspecs(&self, remote: &RemoteName) -> Vec<String> {
        let tracking = names::tracking_namespace(remote);
        let mut refspecs: Vec<String> = self
            .globs
            .iter()
            .map(|glob| {
                let star = if glob.is_pattern() { "*" } else { "" };
                let short = glob.literal.strip_prefix(NOTES).unwrap_or_default();
                format!("+{}{star}:{tracking}{short}{star}", glob.literal)
            })
            .collect();
        // Somebody may have pushed tracking refs; fetching them would create ever longer names.
        refspecs.extend(self.remotes.iter().map(names::tracking_namespace).filter_map(|tracking| {
            let is_meant = |glob: &Glob| glob.is_pattern() && tracking.starts_with(&glob.literal);
            self.globs.iter().any(is_meant).then(|| format!("^{tracking}*"))
        }));
        refspecs
    }
}

/// Whether a glob matches a ref's full name.
pub fn matches(pattern: &str, name: &BStr) -> bool {
    gix::glob::wildmatch(pattern.as_bytes().as_bstr(), name, wildmatch::Mode::empty())
}

impl Glob {
    fn parse(pattern: &str) -> Result<Self, BadGlob> {
        let full = names::expand(pattern);
        let literal_len = full.find(['*', '?', '[', '\\']).unwrap_or(full.len());
        let literal = full.get(..literal_len).unwrap_or_default().to_owned();
        // With something appended if there are wildcards, the literal text must be a name that git allows.
        let probe = if literal_len == full.len() { literal.clone() } else { format!("{literal}x") };
        if NotesRef::parse(&probe).is_err() {
            return Err(BadGlob::NoName { pattern: pattern.to_owned() });
        }
        Ok(Self { pattern: full, literal })
    }

    fn is_pattern(&self) -> bool {
        self.literal.len() < self.pattern.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(patterns: &[&str]) -> Globs {
        Globs::parse(patterns.iter().copied(), vec![origin()]).expect("fine patterns")
    }

    fn origin() -> RemoteName {
        RemoteName::parse("origin").expect("a fine name")
    }

    #[test]
    fn without_a_pattern_all_memories_are_meant() {
        let globs = globs(&[]);
        assert!(globs.matches(&NotesRef::parse("mem/decisions").expect("a name")));
        assert!(!globs.matches(&NotesRef::parse("commits").expect("a name")));
        assert_eq!(globs.refspecs(&origin()), ["+refs/notes/mem/*:refs/notes/origin/mem/*"]);
    }

    #[test]
    fn a_name_is_fetched_by_itself_and_a_pattern_by_what_it_begins_with() {
        assert_eq!(
            globs(&["commits", "notes/m?m/*"]).refspecs(&origin()),
            ["+refs/notes/commits:refs/notes/origin/commits", "+refs/notes/m*:refs/notes/origin/m*"]
        );
    }

    #[test]
    fn all_notes_are_not_the_tracking_ones() {
        assert_eq!(
            globs(&["*"]).refspecs(&origin()),
            ["+refs/notes/*:refs/notes/origin/*", "^refs/notes/origin/*"]
        );
        assert!(!globs(&["*"]).matches(&NotesRef::parse("origin/mem/decisions").expect("a name")));
    }

    #[test]
    fn where_local_notes_cannot_be_told_from_a_remotes_the_pattern_is_refused() {
        for (pattern, remote) in [("mem/*", "mem"), ("mem/a/b", "mem/a"), ("mem/decisions", "mem")] {
            let remote = RemoteName::parse(remote).expect("a fine name");
            let refused = Globs::parse([pattern], vec![remote.clone()]);
            assert_eq!(refused, Err(BadGlob::Followers { pattern: format!("refs/notes/{pattern}"), remote }));
        }
    }

    #[test]
    fn what_can_match_no_ref_is_refused() {
        for pattern in ["mem/../*", "a b", "mem//x*"] {
            assert!(Globs::parse([pattern], Vec::new()).is_err(), "{pattern}");
        }
    }
}
