//! Creates and reads notes with git.

use std::collections::BTreeMap;

use crate::Repo;

impl Repo {
    /// Makes `text` the note of `object` in the notes ref `name`, as `git notes add --force` does.
    pub fn note(&self, name: &str, object: &str, text: &str) {
        self.git(["notes", "--ref", name, "add", "--force", "--message", text, object]);
    }

    /// Removes the note of `object` from the notes ref `name`.
    pub fn remove_note(&self, name: &str, object: &str) {
        self.git(["notes", "--ref", name, "remove", object]);
    }

    /// Returns the notes of a ref by the ids of their objects; the map is empty if the ref does not exist.
    pub fn notes(&self, name: &str) -> BTreeMap<String, String> {
        let list = self.git(["notes", "--ref", name, "list"]);
        let pair = |line: &str| {
            let (note, object) = line.split_once(' ').expect("a note and its object");
            (object.to_owned(), self.git(["cat-file", "blob", note]))
        };
        list.lines().map(pair).collect()
    }
}
