//! Puts records together to a note, so that cutting it again gives the same records.

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

/// Writes the record's own gap where it is wide enough for the record that now follows.
fn separate(record: &Record<'_>, next: &Record<'_>, note: &mut Vec<u8>) {
    let line_ends = record.gap.iter().filter(|byte| **byte == b'\n').count();
    let needed = match (record.kind, next.kind) {
        (Kind::Json, Kind::Json | Kind::Paragraph) | (Kind::Paragraph, Kind::Json) => 1,
        _ => 2,
    };
    if line_ends >= needed {
        note.extend_from_slice(record.gap);
        return;
    }
    let end = if record.gap.starts_with(b"\r\n") { "\r\n" } else { "\n" };
    for _ in 0..needed {
        note.extend_from_slice(end.as_bytes());
    }
}
