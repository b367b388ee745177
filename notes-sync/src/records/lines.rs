//! What single lines of a note mean: blank lines, fences, front matter, JSON.
//!
//! A record must be cut alike wherever a merge moves it, so nothing here depends on what stands before it in the note.

use serde::de::IgnoredAny;

/// How fenced text counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fences {
    /// What a fence encloses stays together.
    Whole,
    /// The lines of a fence are lines like any other.
    AsText,
}

/// The character of a fence and how often it must be repeated at least to close it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence {
    mark: u8,
    length: usize,
}

/// The lines of a text, each with its line end.
pub(super) fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// A line without its line end.
pub(super) fn content(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Whether every fence that opens in the text closes in it.
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

/// The fence that a line opens, by CommonMark's rules.
pub(super) fn fence_opens(line: &[u8]) -> Option<Fence> {
    let (fence, rest) = fence(line)?;
    (fence.mark != b'`' || !rest.contains(&b'`')).then_some(fence)
}

/// The index after the line that closes the fence opened at `opened`.
pub(super) fn fence_ends(lines: &[&[u8]], opened: usize, fence_open: Fence) -> Option<usize> {
    let after = lines.get(opened + 1..)?;
    let closing = after.iter().position(|line| {
        fence(line).is_some_and(|(close, rest)| {
            close.mark == fence_open.mark && close.length >= fence_open.length && is_blank(rest)
        })
    })?;
    Some(opened + closing + 2)
}

/// A run of fence characters at the start of a line, and what follows it.
fn fence(line: &[u8]) -> Option<(Fence, &[u8])> {
    let indent = line.iter().take_while(|byte| **byte == b' ').count();
    let line = line.get(indent..).filter(|_| indent <= 3)?;
    let mark = *line.first().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let length = line.iter().take_while(|byte| **byte == mark).count();
    (length >= 3).then(|| (Fence { mark, length }, &line[length..]))
}

/// The index after the front matter that begins at `at`, if one does: a line `---`, lines that can be YAML and the
/// first of them a key, and a line `---` or `...`.
///
/// A rule across the page is a line `---` too; what follows one is rarely a key, and rarely ends with another.
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

/// What a line can be in a YAML mapping; `next` is the line after it.
fn yaml(line: &[u8], next: Option<&[u8]>) -> Yaml {
    let indented = |line: &[u8]| line.starts_with(b" ") || line.starts_with(b"\t");
    if is_blank(line) {
        // Within a block of text, which is indented; elsewhere a blank line is where a paragraph ends.
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

/// Whether the line is a whole JSON object or array.
pub(super) fn is_json(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    matches!(line.first(), Some(b'{' | b'[')) && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}
