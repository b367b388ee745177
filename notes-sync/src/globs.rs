//! Which notes refs a run is about, and the refspecs that fetch them.

use gix::{
    bstr::{BStr, ByteSlice},
    glob::wildmatch,
};
use remote::RemoteName;

use crate::names::{self, NOTES, NotesRef};

/// The patterns that users gave; `*` matches any text, `/` included, as in a refspec. Refs that follow a remote's match
/// none, wherever they are found: somebody may have pushed theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Globs {
    globs: Vec<Glob>,
    remotes: Vec<RemoteName>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Glob {
    pattern: String,
    /// What all matching names begin with; the whole name where the pattern is none.
    literal: String,
}

/// A pattern that can match no local notes ref.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadGlob {
    /// Git allows no such name.
    #[error("'{pattern}' can match no notes ref")]
    NoName {
        /// The pattern.
        pattern: String,
    },
    /// All such names are those of refs that follow a remote's.
    #[error("'{pattern}' matches only copies of what the remote '{remote}' has")]
    Followers {
        /// The pattern.
        pattern: String,
        /// The remote.
        remote: RemoteName,
    },
}

impl Globs {
    /// Reads patterns; `refs/notes/` may be left away. Where there are none, the default is `refs/notes/mem/*`.
    ///
    /// # Errors
    /// Where a pattern is longer than its literal part and that could not begin a ref's name, or begins those of refs
    /// that follow one of `remotes`.
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

    /// Whether a run is about this ref.
    pub fn matches(&self, name: &NotesRef) -> bool {
        let is_meant = |glob: &Glob| matches(&glob.pattern, name.full().as_bstr());
        self.globs.iter().any(is_meant) && name.followed(&self.remotes).is_none()
    }

    /// The refspecs that fetch at least what matches, each into the name space of the remote.
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
        // Somebody may have pushed tracking refs; fetched, they would breed ever longer ones.
        refspecs.extend(self.remotes.iter().map(names::tracking_namespace).filter_map(|tracking| {
            let is_meant = |glob: &Glob| glob.is_pattern() && tracking.starts_with(&glob.literal);
            self.globs.iter().any(is_meant).then(|| format!("^{tracking}*"))
        }));
        refspecs
    }
}

/// Whether a pattern matches a ref's whole name.
pub fn matches(pattern: &str, name: &BStr) -> bool {
    gix::glob::wildmatch(pattern.as_bytes().as_bstr(), name, wildmatch::Mode::empty())
}

impl Glob {
    fn parse(pattern: &str) -> Result<Self, BadGlob> {
        let full = names::expand(pattern);
        let literal_len = full.find(['*', '?', '[', '\\']).unwrap_or(full.len());
        let literal = full.get(..literal_len).unwrap_or_default().to_owned();
        // Completed with some name, the literal part must be one that git allows.
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
