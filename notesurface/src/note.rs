//! Extracts the notes for a user from a session log.

use crate::{heading::Address, markdown};

/// A section of a session log that is addressed to the user.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    /// The kind of note, and whom it addresses.
    pub(crate) address: Address,
    /// The text of its heading, as in the log.
    pub(crate) heading: String,
    /// The text below the heading, as in the log.
    pub(crate) body: String,
}

impl Note {
    /// Returns the notes for `user` in a session log, in order.
    pub(crate) fn all_for(user: Option<&str>, log: &str) -> Vec<Self> {
        let sections = markdown::sections(log);
        let note = |(at, section): (usize, &markdown::Section<'_>)| {
            let address = Address::read(&section.plain)?;
            // A line of dashes below the text of a note was meant as a thematic break, not to make a heading of the
            // text.
            let is_note = |next: &markdown::Section<'_>| Address::read(&next.plain).is_some();
            let ruled = section.ruled.filter(|_| !sections.get(at + 1).is_some_and(is_note));
            // An underlined heading may span several lines.
            let heading = markdown::lines(section.heading).map(str::trim).collect::<Vec<_>>().join(" ");
            let note = Self { address, heading, body: ruled.unwrap_or(section.body).into() };
            note.address.reaches(user).then_some(note)
        };
        sections.iter().enumerate().filter_map(note).collect()
    }

    /// Whether both have the same text, apart from line ends and white space at the end of lines.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        let lines = |text| markdown::lines(str::trim(text)).map(str::trim_end);
        self.heading == other.heading && lines(&self.body).eq(lines(&other.body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sections_that_address_the_user_are_notes() {
        let log =
            "## Done\nx\n## Note for Mike\na\n## Note for Howard\nb\n## Message for **mike**, Ann: hi\nc\n";
        let notes = Note::all_for(Some("mike"), log);
        let shown: Vec<_> =
            notes.iter().map(|note| (&*note.heading, &*note.address.to, &*note.body)).collect();
        assert_eq!(
            shown,
            [("Note for Mike", "Mike", "a"), ("Message for **mike**, Ann: hi", "mike, Ann", "c")]
        );
    }

    #[test]
    fn a_rule_right_below_the_text_of_a_note_takes_nothing_from_it() {
        let bodies = |log: &str| {
            Note::all_for(Some("mike"), log).into_iter().map(|note| note.body).collect::<Vec<_>>()
        };
        assert_eq!(bodies("## Note for Mike\n\nChange the DNS.\n---\n\n## Done\n"), ["Change the DNS."]);
        assert_eq!(bodies("## Note for Mike\nNote for all\n---\nhello\n"), ["", "hello"]);
        assert_eq!(bodies("## Note for Mike\n\nfirst\n\nsecond\n---\n"), ["\nfirst"]);
    }

    #[test]
    fn line_ends_and_space_at_the_end_say_nothing() {
        let note = |log: &str| Note::all_for(Some("mike"), log).remove(0);
        let one = note("## Note for Mike\n\na\nb\n");
        assert!(one.says_the_same_as(&note("## Note for Mike\r\n\r\na  \r\nb\r\n\r\n\r\n")));
        assert!(one.says_the_same_as(&note("Note for Mike\n---\na\nb")));
        assert!(!one.says_the_same_as(&note("## Note for Mike\n\na\n\nb\n")));
        assert!(!one.says_the_same_as(&note("## Note for mike\n\na\nb\n")));
    }
}
