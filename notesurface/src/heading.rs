//! Parses the addressees of a heading.

use contract::NoteKind;

/// The content of a heading that makes its section a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The kind of note that the heading names.
    pub(crate) kind: NoteKind,
    /// The addressees, as written.
    pub(crate) to: String,
}

impl Address {
    /// Parses a heading's plain text: `Note for` or `Message for`, in any case, and the addressees, which end at `:`,
    /// at a dash between spaces, at `(` or at the end of the line. What follows them belongs to the note.
    pub(crate) fn read(heading: &str) -> Option<Self> {
        let (first, rest) = heading.split_once(' ')?;
        let kind = match first.to_lowercase().as_str() {
            "note" => NoteKind::Note,
            "message" => NoteKind::Message,
            _ => return None,
        };
        let (second, rest) = rest.split_once(' ')?;
        if !second.eq_ignore_ascii_case("for") {
            return None;
        }
        let to = addressees(rest);
        (!to.is_empty()).then(|| Self { kind, to: to.into() })
    }

    /// Whether the note is for `user`, or for everybody.
    pub(crate) fn reaches(&self, user: Option<&str>) -> bool {
        let is_user = |name: &str| user.is_some_and(|user| is_same(name, user));
        // A user may be called "Sales and Support".
        is_user(&self.to)
            || names(&self.to).any(|name| EVERYBODY.iter().any(|all| is_same(name, all)) || is_user(name))
    }
}

const EVERYBODY: [&str; 3] = ["all", "everyone", "team"];

const DASHES: [char; 3] = ['-', '–', '—'];

fn addressees(text: &str) -> &str {
    let is_end = |(at, c): &(usize, char)| match c {
        ':' | '(' => true,
        c if DASHES.contains(c) => {
            let (before, after) = (&text[..*at], &text[at + c.len_utf8()..]);
            before.ends_with(' ') && (after.is_empty() || after.starts_with(' '))
        }
        _ => false,
    };
    let end = text.char_indices().find(is_end).map_or(text.len(), |(at, _)| at);
    // A dash at the end of the line needs no space before it.
    text[..end].trim().trim_end_matches(DASHES).trim_end()
}

fn names(to: &str) -> impl Iterator<Item = &str> {
    to.split([',', '/', '&']).flat_map(split_at_and).map(|name| name.trim().trim_start_matches('@'))
}

/// Splits at the word "and".
fn split_at_and(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    let mut at = 0;
    for word in text.split(' ') {
        let end = at + word.len();
        if word.eq_ignore_ascii_case("and") {
            parts.push(&text[from..at]);
            from = end;
        }
        at = end + 1;
    }
    parts.push(&text[from..]);
    parts
}

fn is_same(a: &str, b: &str) -> bool {
    let a = a.trim();
    !a.is_empty() && a.to_lowercase() == b.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(heading: &str) -> Option<String> {
        Address::read(heading).map(|address| address.to)
    }

    fn reaches(heading: &str, user: &str) -> bool {
        Address::read(heading).is_some_and(|address| address.reaches(Some(user)))
    }

    #[test]
    fn notes_and_messages_in_any_case_are_addressed() {
        assert_eq!(Address::read("Note for Mike"), Some(Address { kind: NoteKind::Note, to: "Mike".into() }));
        assert_eq!(
            Address::read("MESSAGE FOR mike"),
            Some(Address { kind: NoteKind::Message, to: "mike".into() })
        );
        for heading in [
            "Notes for Mike",
            "Note to Mike",
            "Note for",
            "Note for :",
            "For Mike",
            "A note for Mike",
            "Note",
        ] {
            assert_eq!(to(heading), None, "{heading}");
        }
    }

    #[test]
    fn addressees_end_where_the_note_begins() {
        for heading in [
            "Note for Mike",
            "Note for Mike:",
            "Note for Mike: call me",
            "Note for Mike - call me",
            "Note for Mike – call me",
            "Note for Mike — call me",
            "Note for Mike —",
            "Note for Mike -",
            "Note for Mike-",
            "Note for Mike—",
            "Note for Mike (urgent)",
            "Note for Mike(urgent): x",
        ] {
            assert_eq!(to(heading).as_deref(), Some("Mike"), "{heading}");
        }
        assert_eq!(to("Note for Jean-Luc - call me").as_deref(), Some("Jean-Luc"));
    }

    #[test]
    fn several_names_are_each_addressed() {
        for heading in [
            "Note for Mike, Howard",
            "Note for Howard / Mike",
            "Note for Howard/Mike",
            "Note for Howard & Mike",
            "Note for Howard and Mike: hello",
            "Note for Ann, Howard, AND mike",
            "Note for Ann, and Mike",
            "Note for @mike",
        ] {
            assert!(reaches(heading, "mike"), "{heading}");
            assert!(!reaches(heading, "sandy"), "{heading}");
        }
        assert_eq!(to("Note for Howard and Mike: hello").as_deref(), Some("Howard and Mike"));
        assert!(!reaches("Note for Sandy", "s"));
        assert!(!reaches("Note for Sandy", "y"));
    }

    #[test]
    fn all_everyone_and_team_mean_everybody() {
        for heading in
            ["Note for all", "Message for Everyone:", "Note for TEAM - standup", "Note for Howard and all"]
        {
            assert!(reaches(heading, "mike"), "{heading}");
            assert!(Address::read(heading).is_some_and(|address| address.reaches(None)), "{heading}");
        }
        assert!(!Address::read("Note for Mike").is_some_and(|address| address.reaches(None)));
    }

    #[test]
    fn a_name_is_compared_whole_and_without_regard_to_case() {
        assert!(reaches("Note for ÅSA", "åsa"));
        assert!(reaches("Note for Sales and Support", "sales and support"));
        assert!(!reaches("Note for Mike Miller", "mike"));
        assert!(!reaches("Note for Mikey", "mike"));
    }
}
