//! The patterns of `.gitignore` and similar files: reads and matches them exactly as git does.
//!
//! What precedes the first wildcard is compared as text, and only the rest is matched as a pattern: so the `**` of
//! `foo**/bar` matches several directories, though the documentation says otherwise. See
//! <https://git-scm.com/docs/gitignore#_pattern_format>, and `dir.c` in git's sources.

use gix::bstr::ByteSlice as _;
use gix::glob::pattern::Case;

use crate::wildmatch::{self, Slash};

/// What a pattern is matched with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A file, a link, or a nested repository that is a file to the caller.
    File,
    /// A directory.
    Folder,
}

/// The patterns of one file.
#[derive(Debug, Default, Clone)]
pub struct Patterns(Vec<Pattern>);

/// One pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: Vec<u8>,
    /// How much of it precedes the first wildcard.
    literal: usize,
    is_negative: bool,
    only_folders: bool,
    kind: Kind,
}

/// What a pattern is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The last name of a path.
    Name,
    /// The end of the last name: a star, and no other wildcard.
    EndOfName,
    /// The path, from the directory of its file on.
    Path,
}

impl Patterns {
    /// Reads the text of a file, of which every line holds a pattern.
    pub fn parse(text: &[u8]) -> Self {
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        let lines = text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n');
        Patterns(lines.filter_map(Pattern::of_line).collect())
    }

    /// Whether the last pattern that matches `path`, which is relative to the directory of the file, is a negative
    /// one; `None` if none matches.
    pub fn last_match(&self, path: &[u8], target: Target, case: Case) -> Option<Sign> {
        let found = self.0.iter().rev().find(|pattern| pattern.matches(path, target, case))?;
        Some(if found.is_negative { Sign::Negative } else { Sign::Positive })
    }
}

/// Whether a pattern takes in, or leaves out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It takes in what it matches.
    Positive,
    /// It leaves out what it matches: the pattern begins with `!`.
    Negative,
}

impl Pattern {
    fn of_line(line: &[u8]) -> Option<Self> {
        if line.is_empty() || line.starts_with(b"#") {
            return None;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.find_byte(0).map_or(line, |nul| &line[..nul]);
        let line = without_trailing_spaces(line);
        let text = line.strip_prefix(b"!").unwrap_or(line);
        let is_negative = text.len() < line.len();
        let (text, only_folders) = match text.strip_suffix(b"/") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let is_plain = |text: &[u8]| !text.iter().any(|byte| wildmatch::is_special(*byte));
        let kind = match text {
            _ if text.contains(&b'/') => Kind::Path,
            [b'*', end @ ..] if is_plain(end) => Kind::EndOfName,
            _ => Kind::Name,
        };
        let text = if kind == Kind::Path { text.strip_prefix(b"/").unwrap_or(text) } else { text };
        let literal = text.iter().position(|byte| wildmatch::is_special(*byte)).unwrap_or(text.len());
        Some(Pattern { text: text.to_owned(), literal, is_negative, only_folders, kind })
    }

    fn matches(&self, path: &[u8], target: Target, case: Case) -> bool {
        if self.only_folders && target != Target::Folder {
            return false;
        }
        let name = path.rfind_byte(b'/').map_or(path, |slash| &path[slash + 1..]);
        let is_plain = self.literal == self.text.len();
        match self.kind {
            Kind::Name if is_plain => equal(name, &self.text, case),
            Kind::Name => wildmatch::matches(&self.text, name, Slash::Ordinary, case),
            Kind::EndOfName => {
                let end = &self.text[1..];
                name.len().checked_sub(end.len()).is_some_and(|start| equal(&name[start..], end, case))
            }
            Kind::Path => {
                let Some((before, rest)) = path.split_at_checked(self.literal) else { return false };
                let (text, wild) = self.text.split_at(self.literal);
                equal(before, text, case) && wildmatch::matches(wild, rest, Slash::Separator, case)
            }
        }
    }
}

fn equal(a: &[u8], b: &[u8], case: Case) -> bool {
    match case {
        Case::Sensitive => a == b,
        Case::Fold => a.eq_ignore_ascii_case(b),
    }
}

/// Returns a line without the spaces at its end, unless a backslash precedes them.
fn without_trailing_spaces(line: &[u8]) -> &[u8] {
    let (mut end, mut at) = (0, 0);
    while let Some(&byte) = line.get(at) {
        match byte {
            b' ' => at += 1,
            // A backslash at the very end keeps what precedes it.
            b'\\' if at + 1 == line.len() => return line,
            b'\\' => {
                at += 2;
                end = at;
            }
            _ => {
                at += 1;
                end = at;
            }
        }
    }
    &line[..end]
}
