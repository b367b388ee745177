//! Files of which all lines are to be kept: `merge=union`.
//!
//! Git takes apart what both sides changed before it puts one side's lines below the other's: a block that both have
//! comes once, unless it is three lines or shorter. The merge of trees puts whole changes below each other, so that a
//! long block that two people copied would be there twice. What is done here is done in git's order, see `xdl_do_merge`
//! and what it calls in git's `xdiff/xmerge.c`; with the algorithm that git's merges compare lines by.

use std::ops::Range;

use gix::bstr::ByteSlice as _;
use gix::diff::blob::{Algorithm, Diff, Hunk, InternedInput};

use super::driver::Contents;

/// How many lines that both sides have may lie between two disputes that are treated as one.
const BETWEEN: i64 = 3;

/// How far a dispute is taken apart, which follows from `merge.conflictStyle`: its markers are meant for conflicts, but
/// git does not take apart what it would show with the base, and a union is made of what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `merge`: whatever both sides have is no dispute.
    Merge,
    /// `diff3`: not at all.
    Diff3,
    /// `zdiff3`: what both sides have at its beginning and its end is none.
    ZealousDiff3,
}

impl Style {
    /// What is configured.
    pub fn of(repo: &gix::Repository) -> Self {
        match repo.config_snapshot().string("merge.conflictStyle") {
            Some(style) if style == "diff3" => Self::Diff3,
            Some(style) if style == "zdiff3" => Self::ZealousDiff3,
            _ => Self::Merge,
        }
    }
}

/// The text in which each side's lines are.
pub fn merge(contents: &Contents, style: Style) -> Vec<u8> {
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
    text.put_together(&parts)
}

/// The lines of all versions, each with its end.
struct Text<'a> {
    base: Vec<&'a [u8]>,
    ours: Vec<&'a [u8]>,
    theirs: Vec<&'a [u8]>,
}

/// A part that somebody changed.
#[derive(Debug, Clone)]
struct Part {
    by: By,
    /// Its lines on our side. Numbers are signed, since what lies before the first line may be spoken of for a moment.
    ours: Range<i64>,
    /// Its lines on their side.
    theirs: Range<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Ours,
    Theirs,
    /// Differently: a dispute.
    Both,
    /// Alike, which showed only when a dispute was taken apart.
    BothAlike,
}

impl Text<'_> {
    /// What was changed, and by whom, in order.
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

    /// The disputes that are left of one where what both sides have is none.
    fn taken_apart(&self, part: Part) -> Vec<Part> {
        if part.by != By::Both || part.ours.is_empty() || part.theirs.is_empty() {
            return vec![part];
        }
        let changes = changes(lines(&self.ours, &part.ours), lines(&self.theirs, &part.theirs));
        if changes.is_empty() {
            return vec![Part { by: By::BothAlike, ..part }];
        }
        let within = |range: &Range<u32>, start: i64| {
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

    /// Leaves out of a dispute what both sides have at its beginning and at its end.
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

    /// The merged text: our side's, with their side's lines where they changed something.
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

    /// The end that a line gets which has none: that of the lines around.
    fn line_end(&self, part: &Part) -> &'static [u8] {
        let before = |start: i64| to_index(start - 1);
        let is_crlf = crlf(&self.ours, before(part.ours.start)) != Some(false)
            && crlf(&self.theirs, before(part.theirs.start)) != Some(false)
            && crlf(&self.base, 0) == Some(true);
        if is_crlf { b"\r\n" } else { b"\n" }
    }
}

/// What both sides changed, with the lines of the base up to where either change ends.
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

/// Adds a part, which becomes one with the last where nothing lies between them.
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

/// Makes one of neighbouring disputes with next to nothing between them.
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

/// How far the lines before the change `next` have moved.
fn offset(next: Option<&Hunk>, before: &[&[u8]], after: &[&[u8]]) -> i64 {
    match next {
        Some(next) => i64::from(next.after.start) - i64::from(next.before.start),
        None => to_signed(after.len()) - to_signed(before.len()),
    }
}

/// What differs, placed as git's merges place it.
fn changes(before: &[&[u8]], after: &[&[u8]]) -> Vec<Hunk> {
    let mut input = InternedInput::default();
    input.update_before(before.iter().copied());
    input.update_after(after.iter().copied());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_no_heuristic(&input);
    diff.hunks().collect()
}

/// Whether a line ends as on Windows, by the one before it where it has no end; none where that is nowhere told.
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

fn signed(range: &Range<u32>) -> Range<i64> {
    i64::from(range.start)..i64::from(range.end)
}

fn to_signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn to_index(at: i64) -> usize {
    usize::try_from(at).unwrap_or(0)
}

#[cfg(test)]
mod generated;
