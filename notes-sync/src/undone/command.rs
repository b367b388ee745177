//! What the commands of git can do in one commit.

use anyhow::{Context, Result};
use gix::{
    ObjectId,
    objs::{Find, FindExt},
};

use crate::tree::diff::Change;

/// A command of git that changes notes in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// It puts a note in place.
    Add,
    /// It puts text behind a note.
    Append,
    /// It puts notes in place, with `--stdin` several.
    Copy,
    /// It removes notes, as many as are named to it.
    Remove,
}

impl Command {
    /// The command that makes commits of this message.
    pub(super) fn of(message: &[u8]) -> Option<Self> {
        match message.trim_ascii_end() {
            b"Notes added by 'git notes add'" | b"Notes added by 'git notes edit'" => Some(Self::Add),
            b"Notes added by 'git notes append'" => Some(Self::Append),
            b"Notes added by 'git notes copy'" => Some(Self::Copy),
            message if message.starts_with(b"Notes removed by 'git notes ") => Some(Self::Remove),
            _ => None,
        }
    }

    /// How many changes have to be seen to say whether it made them all.
    pub(super) fn telling(self) -> usize {
        match self {
            Self::Add | Self::Append => 2,
            Self::Copy | Self::Remove => usize::MAX,
        }
    }

    /// Whether the command can have made these changes of notes that are among `objects`.
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

    /// Whether the command had read what it would have to have made these changes of. That it changed one note is all
    /// that tells what it had read from what others made before and after; to put a note in place once more is none.
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
