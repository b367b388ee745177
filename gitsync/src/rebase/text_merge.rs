//! Merges texts line by line, with the result that git has.
//!
//! gix merges texts as well, but aligns their lines in another way than git's merges, and so finds conflicts where git
//! has none, or none where git has some. And it puts whole conflicts together for the union driver, where git first
//! refines them: a long block that two people copied would appear twice. This module follows git's order, see
//! `xdl_do_merge` in git's `xdiff/xmerge.c`.

use std::ops::Range;

use gix::bstr::ByteSlice as _;

use super::driver::{Answer, Contents};
use super::line_diff::{Hunk, changes};

/// The maximum number of common lines between two conflicts that are treated as one.
const BETWEEN: i64 = 3;

/// What becomes of lines that both sides changed differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflicts {
    /// The merge fails.
    Remain,
    /// The lines of both sides are kept, as the driver `union` does.
    Union,
}

/// How far a conflict is refined. This follows `merge.conflictStyle`: although that is meant for conflict markers,
/// git does not refine what it would show with the base, and a union is made of the refined conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `merge`: no line that both sides have is part of a conflict.
    Merge,
    /// `diff3`: not at all.
    Diff3,
    /// `zdiff3`: common lines at the beginning and the end of a conflict are removed from it.
    ZealousDiff3,
}

impl Style {
    /// Returns the configured style.
    pub fn of(repo: &gix::Repository) -> Self {
        match repo.config_snapshot().string("merge.conflictStyle") {
            Some(style) if style == "diff3" => Self::Diff3,
            Some(style) if style == "zdiff3" => Self::ZealousDiff3,
            _ => Self::Merge,
        }
    }
}

/// Merges the changes of both sides.
pub fn merge(contents: &Contents, style: Style, conflicts: Conflicts) -> Answer {
    let text = Text {
        base: contents.base.lines_with_terminator().collect(),
        ours: contents.ours.lines_with_terminator().collect(),
        theirs: contents.theirs.lines_with_terminator().collect(),
    };
    let mut parts = text.parts();
    match style {
        Style::Merge => {
            parts = parts.into_iter().flat_map(|part| text.taken_apart(part)).collect();
            join_what_is_close(&mut parts);
        }
        Style::ZealousDiff3 => parts.iter_mut().for_each(|part| text.trim(part)),
        Style::Diff3 => {}
    }
    if conflicts == Conflicts::Remain && parts.iter().any(|part| part.by == By::Both) {
        return Answer::Conflict;
    }
    Answer::Clean(text.put_together(&parts))
}

/// The lines of all versions, including their line endings.
struct Text<'a> {
    base: Vec<&'a [u8]>,
    ours: Vec<&'a [u8]>,
    theirs: Vec<&'a [u8]>,
}

/// A region that at least one side changed.
#[derive(Debug, Clone)]
struct Part {
    by: By,
    /// Its lines on our side. Signed, since an intermediate result may begin before the first line.
    ours: Range<i64>,
    /// Its lines on their side.
    theirs: Range<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Ours,
    Theirs,
    /// Both sides changed it differently: a conflict.
    Both,
    /// Both sides changed it in the same way, which only the refinement of a conflict showed.
    BothAlike,
}

impl Text<'_> {
    /// Returns the changed regions in order, with the side that changed them.
    fn parts(&self) -> Vec<Part> {
        let (ours, theirs) = (changes(&self.base, &self.ours), changes(&self.base, &self.theirs));
        let (mut ours, mut theirs) = (ours.as_slice(), theirs.as_slice());
        let mut parts = Vec::new();
        loop {
            match (ours.first(), theirs.first()) {
                (None, None) => return parts,
                (Some(our), their) if their.is_none_or(|their| our.before.end < their.before.start) => {
                    let before = signed(&our.before);
                    let offset = offset(their, &self.base, &self.theirs);
                    let theirs = before.start + offset..before.end + offset;
                    add(&mut parts, Part { by: By::Ours, ours: signed(&our.after), theirs });
                    ours = &ours[1..];
                }
                (our, Some(their)) if our.is_none_or(|our| their.before.end < our.before.start) => {
                    let before = signed(&their.before);
                    let offset = offset(our, &self.base, &self.ours);
                    let ours = before.start + offset..before.end + offset;
                    add(&mut parts, Part { by: By::Theirs, ours, theirs: signed(&their.after) });
                    theirs = &theirs[1..];
                }
                (Some(our), Some(their)) => {
                    if our.before != their.before
                        || lines(&self.ours, &signed(&our.after))
                            != lines(&self.theirs, &signed(&their.after))
                    {
                        add(&mut parts, dispute(our, their));
                    }
                    let (our, their) = (our.before.end, their.before.end);
                    ours = &ours[usize::from(their >= our)..];
                    theirs = &theirs[usize::from(our >= their)..];
                }
                (Some(_), None) | (None, Some(_)) => return parts,
            }
        }
    }

    /// Splits a conflict into those that remain if common lines are not part of a conflict.
    fn taken_apart(&self, part: Part) -> Vec<Part> {
        if part.by != By::Both || part.ours.is_empty() || part.theirs.is_empty() {
            return vec![part];
        }
        let changes = changes(lines(&self.ours, &part.ours), lines(&self.theirs, &part.theirs));
        if changes.is_empty() {
            return vec![Part { by: By::BothAlike, ..part }];
        }
        let within = |range: &Range<usize>, start: i64| {
            let range = signed(range);
            range.start + start..range.end + start
        };
        let smaller = |hunk: &Hunk| Part {
            by: By::Both,
            ours: within(&hunk.before, part.ours.start),
            theirs: within(&hunk.after, part.theirs.start),
        };
        changes.iter().map(smaller).collect()
    }

    /// Removes the common lines at the beginning and the end of a conflict.
    fn trim(&self, part: &mut Part) {
        if part.by != By::Both {
            return;
        }
        let (ours, theirs) = (lines(&self.ours, &part.ours), lines(&self.theirs, &part.theirs));
        let alike = |pair: &(&&[u8], &&[u8])| pair.0 == pair.1;
        let start = ours.iter().zip(theirs).take_while(alike).count();
        let end = ours[start..].iter().rev().zip(theirs[start..].iter().rev()).take_while(alike).count();
        let (start, end) = (to_signed(start), to_signed(end));
        part.ours = part.ours.start + start..part.ours.end - end;
        part.theirs = part.theirs.start + start..part.theirs.end - end;
    }

    /// Returns the merged text: our side's, with their side's lines where they changed something.
    fn put_together(&self, parts: &[Part]) -> Vec<u8> {
        let mut merged = Vec::new();
        let mut at = 0;
        for part in parts {
            match part.by {
                By::Ours | By::BothAlike => continue,
                By::Theirs => merged.extend(lines(&self.ours, &(at..part.ours.start)).concat()),
                By::Both => {
                    merged.extend(lines(&self.ours, &(at..part.ours.end)).concat());
                    if !part.ours.is_empty() && !merged.ends_with(b"\n") {
                        merged.extend_from_slice(self.line_end(part));
                    }
                }
            }
            merged.extend(lines(&self.theirs, &part.theirs).concat());
            at = part.ours.end;
        }
        merged.extend(lines(&self.ours, &(at..to_signed(self.ours.len()))).concat());
        merged
    }

    /// Returns the line ending for a line that has none: that of its neighbours.
    fn line_end(&self, part: &Part) -> &'static [u8] {
        let before = |start: i64| to_index(start - 1);
        let is_crlf = crlf(&self.ours, before(part.ours.start)) != Some(false)
            && crlf(&self.theirs, before(part.theirs.start)) != Some(false)
            && crlf(&self.base, 0) == Some(true);
        if is_crlf { b"\r\n" } else { b"\n" }
    }
}

/// A region that both sides changed, with the lines of the base up to the end of the longer change.
fn dispute(our: &Hunk, their: &Hunk) -> Part {
    let (base, ours) = (signed(&our.before), signed(&our.after));
    let (their_base, theirs) = (signed(&their.before), signed(&their.after));
    let (later_start, later_end) = (base.start - their_base.start, base.end - their_base.end);
    Part {
        by: By::Both,
        ours: ours.start - later_start.max(0)..ours.end - later_end.min(0),
        theirs: theirs.start + later_start.min(0)..theirs.end + later_end.max(0),
    }
}

/// Appends a region, merging it with the last one if they are adjacent.
fn add(parts: &mut Vec<Part>, part: Part) {
    match parts.last_mut() {
        Some(last) if part.ours.start <= last.ours.end || part.theirs.start <= last.theirs.end => {
            if last.by != part.by {
                last.by = By::Both;
            }
            last.ours.end = part.ours.end;
            last.theirs.end = part.theirs.end;
        }
        _ => parts.push(part),
    }
}

/// Merges neighbouring conflicts that have next to nothing between them.
fn join_what_is_close(parts: &mut Vec<Part>) {
    parts.dedup_by(|next, part| {
        let is_close =
            part.by == By::Both && next.by == By::Both && next.ours.start - part.ours.end <= BETWEEN;
        if is_close {
            part.ours.end = next.ours.end;
            part.theirs.end = next.theirs.end;
        }
        is_close
    });
}

/// Returns by how many lines the text before the change `next` has shifted.
fn offset(next: Option<&Hunk>, before: &[&[u8]], after: &[&[u8]]) -> i64 {
    match next {
        Some(next) => to_signed(next.after.start) - to_signed(next.before.start),
        None => to_signed(after.len()) - to_signed(before.len()),
    }
}

/// Whether a line ends with CR LF, judged by the previous line if it has no line ending; `None` if neither tells.
fn crlf(lines: &[&[u8]], at: usize) -> Option<bool> {
    match lines.get(at)? {
        line if line.ends_with(b"\n") => Some(line.ends_with(b"\r\n")),
        _ if at == 0 => None,
        _ => Some(lines[at - 1].ends_with(b"\r\n")),
    }
}

fn lines<'t, 'a>(text: &'t [&'a [u8]], range: &Range<i64>) -> &'t [&'a [u8]] {
    &text[to_index(range.start)..to_index(range.end)]
}

fn signed(range: &Range<usize>) -> Range<i64> {
    to_signed(range.start)..to_signed(range.end)
}

fn to_signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn to_index(at: i64) -> usize {
    usize::try_from(at).unwrap_or(0)
}

#[cfg(test)]
mod generated;
