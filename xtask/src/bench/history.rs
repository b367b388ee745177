//! Generates the contents of the repositories (files, commits, notes) as a stream for `git fast-import`.
//!
//! Everything is derived from numbers, so that every measurement uses the same repositories.

use std::io::{Result, Write};

/// 2026-06-05, noon, seven hours behind UTC.
const BEGINNING: u64 = 1_780_686_000;

/// The notes ref, in a namespace that is synced by default.
pub const NOTES: &str = "refs/notes/mem/decisions";

/// The message of git's commit for `git notes append`.
pub const APPENDED: &str = "Notes added by 'git notes append'";

/// A commit to create.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// The ref that will point to it.
    pub on: &'a str,
    /// Its parent; `None` for the previous commit of the same stream on this ref, if any.
    pub from: Option<&'a str>,
    /// Its author.
    pub author: &'a str,
    /// Its number, which determines its time and its message.
    pub number: usize,
}

/// Writes a commit that changes `files`.
pub fn commit(
    out: &mut dyn Write,
    commit: Commit<'_>,
    files: impl IntoIterator<Item = (String, String)>,
) -> Result<()> {
    let Commit { on, from, author, number } = commit;
    let by = signature(author, number);
    writeln!(out, "commit {on}\nauthor {by}\ncommitter {by}")?;
    data(out, &message_of(on, author, number))?;
    if let Some(from) = from {
        writeln!(out, "from {from}")?;
    }
    for (path, text) in files {
        writeln!(out, "M 100644 inline {path}")?;
        data(out, &text)?;
    }
    writeln!(out)
}

/// Returns the author and the time of the commit of this number.
pub fn signature(author: &str, number: usize) -> String {
    format!("{author} <{}@example.com> {}", author.to_lowercase(), time(number))
}

/// Returns the time of the commit of this number.
pub fn time(number: usize) -> String {
    format!("{} -0700", BEGINNING + number as u64 * 60)
}

/// Returns the message of a commit. On a notes ref it is git's own, which the search for lost notes relies on.
fn message_of(on: &str, author: &str, number: usize) -> String {
    if on.starts_with("refs/notes/") {
        return format!("{APPENDED}\n");
    }
    format!("work of {author}, part {number}\n")
}

fn data(out: &mut dyn Write, text: &str) -> Result<()> {
    writeln!(out, "data {}\n{text}", text.len())
}

/// Returns the initial files of every repository: some that the phases look for, and pages up to `count` in all.
pub fn beginning(count: usize) -> impl Iterator<Item = (String, String)> {
    let special = [
        (".claude/identity.json".to_owned(), "{\"user\": \"mike\"}\n".to_owned()),
        (".claude/commands/save.md".to_owned(), "Write up this session, commit it, then sync.\n".to_owned()),
        (".claude/commands/sync.md".to_owned(), "Sync, and tell me what came in.\n".to_owned()),
        (log(0), "# The first session\n\nNothing to tell.\n".to_owned()),
    ];
    let pages = count.saturating_sub(special.len());
    special.into_iter().chain((0..pages).map(|number| (page(number), text(number, 0))))
}

/// Returns how many pages there are among `count` files.
pub fn pages(count: usize) -> usize {
    count - 4
}

/// Returns the path of a page: a hundred pages per directory, twenty directories per area.
pub fn page(number: usize) -> String {
    format!("area-{:03}/topic-{:02}/page-{:02}.md", number / 2000, number / 100 % 20, number % 100)
}

/// Returns the text of a page after `edits` edits, each of which changes one line.
pub fn text(number: usize, edits: usize) -> String {
    let line = |line: usize| match edits.checked_sub(1) {
        Some(last) if line == last % 12 => format!("Line {line} of page {number}, edited {edits} times.\n"),
        _ => format!("Line {line} of page {number} says what is known about it.\n"),
    };
    std::iter::once(format!("# Page {number}\n\n")).chain((0..12).map(line)).collect()
}

/// Returns the path of a session log.
pub fn log(number: usize) -> String {
    format!("session-logs/2026-06-05-{number:04x}.md")
}

/// Returns a session log with a message for the user.
pub fn message(number: usize) -> String {
    format!("# Session {number}\n\nDone.\n\n## Note for Mike\n\nPlease look at page {number}.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_pages_have_the_same_path_or_text() {
        let all: Vec<_> = beginning(5000).collect();
        let paths: std::collections::BTreeSet<_> = all.iter().map(|(path, _)| path).collect();
        let texts: std::collections::BTreeSet<_> = all.iter().map(|(_, text)| text).collect();
        assert_eq!((all.len(), paths.len(), texts.len()), (5000, 5000, 5000));
        assert_ne!(text(7, 0), text(7, 1));
    }

    #[test]
    fn a_commit_is_what_fast_import_reads() {
        let mut stream = Vec::new();
        let one =
            Commit { on: "refs/heads/main", from: Some("refs/heads/main^0"), author: "Howard", number: 2 };
        commit(&mut stream, one, [("a.md".to_owned(), "hello\n".to_owned())]).unwrap();
        assert_eq!(
            String::from_utf8(stream).unwrap(),
            "commit refs/heads/main\n\
             author Howard <howard@example.com> 1780686120 -0700\n\
             committer Howard <howard@example.com> 1780686120 -0700\n\
             data 23\nwork of Howard, part 2\n\n\
             from refs/heads/main^0\n\
             M 100644 inline a.md\ndata 6\nhello\n\n\n"
        );
    }
}
