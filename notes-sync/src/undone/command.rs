//! What the commands of git can do in one commit.

use anyhow::{Context, Result};
use gix::{
    ObjectId,
    objs::{Find, FindExt},
};

use crate::tree::diff::Change;

/// A command of git that changes one note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// It puts a note in place.
    Add,
    /// It puts text behind a note.
    Append,
}

impl Command {
    /// The command that makes commits of this message.
    pub(super) fn of(message: &[u8]) -> Option<Self> {
        match message.trim_ascii_end() {
            b"Notes added by 'git notes add'"
            | b"Notes added by 'git notes copy'"
            | b"Notes added by 'git notes edit'" => Some(Self::Add),
            b"Notes added by 'git notes append'" => Some(Self::Append),
            _ => None,
        }
    }

    /// Whether the command can have made these changes of notes that are among `objects`.
    pub(super) fn explains(self, objects: &dyn Find, changes: &[Change]) -> Result<bool> {
        let [change] = changes else {
            return Ok(changes.is_empty());
        };
        match (self, change.old, change.new) {
            (Self::Add, _, _) | (Self::Append, None, Some(_)) => Ok(true),
            (Self::Append, _, None) => Ok(false),
            (Self::Append, Some(old), Some(new)) => {
                Ok(appended_to(&read(objects, old)?, &read(objects, new)?))
            }
        }
    }
}

fn read(objects: &dyn Find, note: ObjectId) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    objects.find_blob(&note, &mut buffer).with_context(|| format!("cannot read the note {note}"))?;
    Ok(buffer)
}

/// Whether `new` is `old` with more behind it, be it without the blank that `old` ends with. What else `old` ends with
/// stays a word of its own, unless the text was put right behind it.
fn appended_to(old: &[u8], new: &[u8]) -> bool {
    let ends_there = |rest: &[u8]| rest.first().is_none_or(u8::is_ascii_whitespace);
    new.starts_with(old) || new.strip_prefix(old.trim_ascii_end()).is_some_and(ends_there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_stands_behind_what_was_there() {
        assert!(appended_to(b"one\n", b"one\n\ntwo\n"));
        assert!(appended_to(b"one", b"onetwo\n"));
        assert!(appended_to(b"one  \n\n", b"one\n\ntwo\n"));
        assert!(appended_to(b"", b"two\n"));
    }

    #[test]
    fn another_text_that_begins_alike_was_not_appended() {
        assert!(!appended_to(b"step 1\n", b"step 12\n"));
        assert!(!appended_to(b"one\n", b"two\n"));
        assert!(!appended_to(b"one\n\ntwo\n", b"one\n"));
    }
}
