//! What is in the repositories: files, commits and notes, written as a stream for `git fast-import`.
//!
//! All of it follows from numbers, so that every measurement is one of the same repositories.

use std::io::{Result, Write};

/// 2026-06-05, noon, seven hours behind UTC.
const BEGINNING: u64 = 1_780_686_000;

/// Where notes are, in a namespace that the sync looks at by default.
pub const NOTES: &str = "refs/notes/mem/decisions";

/// What git calls a commit of `git notes append`.
pub const APPENDED: &str = "Notes added by 'git notes append'";

/// A commit to be.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// The ref that it is to be the tip of.
    pub on: &'a str,
    /// What it builds upon; `None` is what the same stream has put there last, if anything.
    pub from: Option<&'a str>,
    /// Who made it.
    pub author: &'a str,
    /// Its number, which tells its time and its message.
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

/// Who made the commit of this number, and when.
pub fn signature(author: &str, number: usize) -> String {
    format!("{author} <{}@example.com> {}", author.to_lowercase(), time(number))
}

/// When the commit of this number was made.
pub fn time(number: usize) -> String {
    format!("{} -0700", BEGINNING + number as u64 * 60)
}

/// A commit of notes is called what git calls it: who looks for what notes were lost reads that.
fn message_of(on: &str, author: &str, number: usize) -> String {
    if on.starts_with("refs/notes/") {
        return format!("{APPENDED}\n");
    }
    format!("work of {author}, part {number}\n")
}

fn data(out: &mut dyn Write, text: &str) -> Result<()> {
    writeln!(out, "data {}\n{text}", text.len())
}

/// The files that every repository begins with: some that the phases look for, and pages up to `count` in all.
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

/// How many pages there are among `count` files.
pub fn pages(count: usize) -> usize {
    count - 4
}

/// The path of a page: a hundred to a folder, twenty folders to an area.
pub fn page(number: usize) -> String {
    format!("area-{:03}/topic-{:02}/page-{:02}.md", number / 2000, number / 100 % 20, number % 100)
}

/// What a page says after `edits` edits, each of which changes one of its lines.
pub fn text(number: usize, edits: usize) -> String {
    let line = |line: usize| match edits.checked_sub(1) {
        Some(last) if line == last % 12 => format!("Line {line} of page {number}, edited {edits} times.\n"),
        _ => format!("Line {line} of page {number} says what is known about it.\n"),
    };
    std::iter::once(format!("# Page {number}\n\n")).chain((0..12).map(line)).collect()
}

/// The path of a session log.
pub fn log(number: usize) -> String {
    format!("session-logs/2026-06-05-{number:04x}.md")
}

/// A session log with a message for the user.
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
