//! Joins records into a note, such that splitting it again yields the same records.

use super::parse::{Kind, Parsed, Record};

/// Writes the records; the blank lines at both ends are those of `frame`.
pub(super) fn join(records: &[Record<'_>], frame: &Parsed<'_>) -> Vec<u8> {
    if records.is_empty() {
        return Vec::new();
    }
    let mut note = frame.lead.to_vec();
    for (index, record) in records.iter().enumerate() {
        note.extend_from_slice(record.bytes);
        match records.get(index + 1) {
            Some(next) => separate(record, next, &mut note),
            None => note.extend_from_slice(frame.records.last().map_or(b"\n", |last| last.gap)),
        }
    }
    note
}

/// Writes the record's own gap if that separates it from its new successor, and else line ends that do.
fn separate(record: &Record<'_>, next: &Record<'_>, note: &mut Vec<u8>) {
    // White space at the very end of a note is not a line, and would indent the next record.
    let whole_lines = record.gap.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let gap = &record.gap[..whole_lines];
    let line_ends = gap.iter().filter(|byte| **byte == b'\n').count();
    let needed = match (record.kind, next.kind) {
        (Kind::Json, Kind::Json | Kind::Paragraph) | (Kind::Paragraph, Kind::Json) => 1,
        _ => 2,
    };
    if line_ends >= needed {
        note.extend_from_slice(gap);
        return;
    }
    let end = if gap.starts_with(b"\r\n") { "\r\n" } else { "\n" };
    for _ in 0..needed {
        note.extend_from_slice(end.as_bytes());
    }
}
