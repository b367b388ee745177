//! Knows which changes git's notes commands can make in one commit.

use anyhow::{Context, Result};
use gix::{
    ObjectId,
    objs::{Find, FindExt},
};

use crate::tree::diff::Change;

/// A command of git, by the changes that it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Sets one note.
    Add,
    /// Appends text to one note.
    Append,
    /// Sets notes; with `--stdin` several.
    Copy,
    /// Removes notes, one or several.
    Remove,
}

impl Command {
    /// Returns the command that makes commits with this message.
    pub(super) fn of(message: &[u8]) -> Option<Self> {
        match message.trim_ascii_end() {
            b"Notes added by 'git notes add'" | b"Notes added by 'git notes edit'" => Some(Self::Add),
            b"Notes added by 'git notes append'" => Some(Self::Append),
            b"Notes added by 'git notes copy'" => Some(Self::Copy),
            message if message.starts_with(b"Notes removed by 'git notes ") => Some(Self::Remove),
            _ => None,
        }
    }

    /// Returns how many changes have to be known to tell whether the command made them all.
    pub(super) fn telling(self) -> usize {
        match self {
            Self::Add | Self::Append => 2,
            Self::Copy | Self::Remove => usize::MAX,
        }
    }

    /// Whether the command can have made these changes; the notes are read from `objects`.
    pub(super) fn explains(self, objects: &dyn Find, changes: &[Change]) -> Result<bool> {
        Ok(match (self, changes) {
            (_, []) => true,
            (Self::Copy, all) => all.iter().all(|change| change.new.is_some()),
            (Self::Remove, all) => all.iter().all(|change| change.new.is_none()),
            (Self::Add, [change]) => change.new.is_some(),
            (Self::Append, [Change { old: None, new: Some(_) }]) => true,
            (Self::Append, [Change { old: Some(old), new: Some(new) }]) => {
                appended_to(&read(objects, *old)?, &read(objects, *new)?)
            }
            (Self::Add | Self::Append, _) => false,
        })
    }

    /// Whether the command had read the notes to which these are the changes. The only evidence is that exactly one
    /// note differs, in a way that the command explains; setting a note to what it is already makes no difference at
    /// all.
    pub(super) fn had_read(self, objects: &dyn Find, changes: &[Change]) -> Result<bool> {
        match changes {
            [] => Ok(matches!(self, Self::Add | Self::Copy)),
            [_] => self.explains(objects, changes),
            _ => Ok(false),
        }
    }
}

fn read(objects: &dyn Find, note: ObjectId) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    objects.find_blob(&note, &mut buffer).with_context(|| format!("cannot read the note {note}"))?;
    Ok(buffer)
}

/// Whether `new` is `old` with text appended, with or without the white space at the end of `old`. If that was
/// stripped, white space or nothing must follow, or else a word was changed instead.
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
