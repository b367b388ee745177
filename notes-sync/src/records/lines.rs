//! Classifies single lines of a note: blank lines, fences, front matter, JSON.
//!
//! A record must be split off alike wherever a merge moves it, so nothing here depends on what precedes it in the
//! note.

use serde::de::IgnoredAny;

/// How to treat fenced text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fences {
    /// A fenced block stays together.
    Whole,
    /// The lines of a fenced block are lines like any other.
    AsText,
}

/// The character of a fence, and how often it must be repeated at least to close the fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence {
    mark: u8,
    length: usize,
}

/// Splits a text into lines, each with its line end.
pub(super) fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// Returns a line without its line end.
pub(super) fn content(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Whether every fence that is opened in the text is closed in it.
pub(super) fn all_fences_close(text: &[u8]) -> bool {
    let lines = split(text);
    let mut at = 0;
    while at < lines.len() {
        match fence_opens(lines[at]) {
            None => at += 1,
            Some(fence) => match fence_ends(&lines, at, fence) {
                Some(end) => at = end,
                None => return false,
            },
        }
    }
    true
}

/// Returns the fence that a line opens, by CommonMark's rules.
pub(super) fn fence_opens(line: &[u8]) -> Option<Fence> {
    let (fence, rest) = fence(line)?;
    (fence.mark != b'`' || !rest.contains(&b'`')).then_some(fence)
}

/// Returns the index after the line that closes the fence opened at `opened`.
pub(super) fn fence_ends(lines: &[&[u8]], opened: usize, fence_open: Fence) -> Option<usize> {
    let after = lines.get(opened + 1..)?;
    let closing = after.iter().position(|line| {
        fence(line).is_some_and(|(close, rest)| {
            close.mark == fence_open.mark && close.length >= fence_open.length && is_blank(rest)
        })
    })?;
    Some(opened + closing + 2)
}

/// Returns the run of fence characters at the start of a line, and the text after it.
fn fence(line: &[u8]) -> Option<(Fence, &[u8])> {
    let indent = line.iter().take_while(|byte| **byte == b' ').count();
    let line = line.get(indent..).filter(|_| indent <= 3)?;
    let mark = *line.first().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let length = line.iter().take_while(|byte| **byte == mark).count();
    (length >= 3).then(|| (Fence { mark, length }, &line[length..]))
}

/// Returns the index after the front matter that begins at `at`, if one does: a line `---`, lines that can be YAML
/// with a key first (comments aside), and a line `---` or `...`.
///
/// A thematic break is a line `---` too, but the text after it rarely begins with a key and rarely ends with another
/// such line.
pub(super) fn front_matter_ends(lines: &[&[u8]], at: usize) -> Option<usize> {
    if !is_marker(lines.get(at)?, b"---") {
        return None;
    }
    let mut has_key = false;
    let mut index = at + 1;
    while let Some(line) = lines.get(index) {
        if is_marker(line, b"---") || is_marker(line, b"...") {
            return has_key.then_some(index + 1);
        }
        match yaml(line, lines.get(index + 1).copied()) {
            Yaml::Key => has_key = true,
            Yaml::Comment => {}
            Yaml::Continuation if has_key => {}
            Yaml::Continuation | Yaml::None => return None,
        }
        index += 1;
    }
    None
}

fn is_marker(line: &[u8], marker: &[u8]) -> bool {
    line.strip_prefix(marker).is_some_and(is_blank)
}

enum Yaml {
    Key,
    Comment,
    Continuation,
    None,
}

/// Returns what a line can be in a YAML mapping; `next` is the line after it.
fn yaml(line: &[u8], next: Option<&[u8]>) -> Yaml {
    let indented = |line: &[u8]| line.starts_with(b" ") || line.starts_with(b"\t");
    if is_blank(line) {
        // In an indented block scalar; elsewhere a blank line ends a paragraph.
        return match next {
            Some(next) if indented(next) => Yaml::Continuation,
            _ => Yaml::None,
        };
    }
    match line[0] {
        b'#' => Yaml::Comment,
        b' ' | b'\t' | b'}' | b']' => Yaml::Continuation,
        b'-' if matches!(line.get(1), Some(b' ' | b'\n' | b'\r')) => Yaml::Continuation,
        _ if is_key(content(line)) => Yaml::Key,
        _ => Yaml::None,
    }
}

fn is_key(line: &[u8]) -> bool {
    line.iter()
        .position(|byte| *byte == b':')
        .is_some_and(|colon| colon > 0 && matches!(line.get(colon + 1), None | Some(b' ' | b'\t')))
}

/// Whether the line is a complete JSON object or array.
pub(super) fn is_json(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    matches!(line.first(), Some(b'{' | b'[')) && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}
