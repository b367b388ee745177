//! Finds the new notes in changed session logs, without access to git.

use gix::bstr::BString;

use crate::note::Note;

/// A session log that changed, with the notes for the user in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangedLog {
    /// Its path.
    pub(crate) path: BString,
    /// The notes that were in it before.
    pub(crate) before: Vec<Note>,
    /// The notes that are in it now.
    pub(crate) after: Vec<Note>,
}

/// A note and the log that it is in.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    /// The path of the log.
    pub(crate) path: BString,
    /// The note.
    pub(crate) note: Note,
}

/// Returns the notes that are new or changed, in the order of the logs and of the notes within them. A note that
/// vanished from one log and appeared in another has moved, for instance because its log was renamed, and is not new.
pub(crate) fn incoming(logs: Vec<ChangedLog>) -> Vec<Located> {
    let mut gone = Vec::new();
    let mut come = Vec::new();
    for ChangedLog { path, mut before, after } in logs {
        for note in after {
            if !take(&mut before, &note) {
                come.push(Located { path: path.clone(), note });
            }
        }
        gone.append(&mut before);
    }
    come.retain(|located| !take(&mut gone, &located.note));
    come
}

/// Removes one note with the same text from `notes`; returns whether there was one.
fn take(notes: &mut Vec<Note>, note: &Note) -> bool {
    let at = notes.iter().position(|other| other.says_the_same_as(note));
    at.map(|at| notes.remove(at)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = "## Note for Mike\ncall me\n";
    const OTHER: &str = "## Note for Mike\nnever mind\n";

    fn log(path: &str, before: &[&str], after: &[&str]) -> ChangedLog {
        let notes = |texts: &[&str]| Note::all_for(Some("mike"), &texts.concat());
        ChangedLog { path: path.into(), before: notes(before), after: notes(after) }
    }

    fn new(logs: &[ChangedLog]) -> Vec<String> {
        let shown = |located: Located| format!("{}: {}", located.path, located.note.body);
        incoming(logs.to_vec()).into_iter().map(shown).collect()
    }

    #[test]
    fn what_was_there_before_is_not_new() {
        assert_eq!(new(&[log("a.md", &[NOTE], &[NOTE, OTHER])]), ["a.md: never mind"]);
        assert_eq!(new(&[log("a.md", &[NOTE, OTHER], &[OTHER, NOTE])]), [""; 0]);
    }

    #[test]
    fn a_note_that_was_changed_is_new() {
        assert_eq!(new(&[log("a.md", &[NOTE], &[OTHER])]), ["a.md: never mind"]);
    }

    #[test]
    fn a_renamed_log_brings_nothing_new() {
        assert_eq!(new(&[log("a.md", &[NOTE, OTHER], &[]), log("b.md", &[], &[NOTE, OTHER])]), [""; 0]);
        assert_eq!(new(&[log("a.md", &[], &[NOTE]), log("b.md", &[NOTE], &[OTHER])]), ["b.md: never mind"]);
    }

    #[test]
    fn the_same_words_in_another_log_are_another_note() {
        assert_eq!(new(&[log("a.md", &[NOTE], &[NOTE]), log("b.md", &[], &[NOTE])]), ["b.md: call me"]);
        assert_eq!(new(&[log("a.md", &[NOTE], &[NOTE, NOTE])]), ["a.md: call me"]);
    }
}
