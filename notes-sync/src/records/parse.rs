//! Splits a note into records.
//!
//! A record is, whichever applies first: front matter with all text up to the next front matter; a line that is JSON
//! by itself; else a paragraph, that is, consecutive lines without a blank one. Fenced blocks are never split.

use super::lines::{self, Fences};

/// A note, split into records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// Blank lines before the first record.
    pub lead: &'a [u8],
    /// The records, in order.
    pub records: Vec<Record<'a>>,
}

/// A record, and the separator after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its bytes without the end of its last line. Records with the same bytes are the same record.
    pub bytes: &'a [u8],
    /// The end of its last line, and the blank lines up to the next record or the end of the note.
    pub gap: &'a [u8],
}

/// The kind of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// YAML front matter and the text that belongs to it.
    FrontMatter,
    /// A line of JSON.
    Json,
    /// Any other text.
    Paragraph,
}

/// Splits a note into records. If any fence is not closed, all fences count as plain text.
pub fn parse(note: &[u8]) -> Parsed<'_> {
    let fences = if lines::all_fences_close(note) { Fences::Whole } else { Fences::AsText };
    parse_with(note, fences)
}

pub(super) fn parse_with(note: &[u8], fences: Fences) -> Parsed<'_> {
    let mut cutter = Cutter { lines: lines::split(note), fences, at: 0, spans: Vec::new() };
    cutter.cut();
    cutter.parsed(note)
}

/// The lines `begin..end` of a record.
struct Span {
    kind: Kind,
    begin: usize,
    end: usize,
}

struct Cutter<'a> {
    lines: Vec<&'a [u8]>,
    fences: Fences,
    at: usize,
    spans: Vec<Span>,
}

impl<'a> Cutter<'a> {
    fn cut(&mut self) {
        while let Some(line) = self.lines.get(self.at) {
            if lines::is_blank(line) {
                self.at += 1;
                continue;
            }
            let begin = self.at;
            let kind = self.record();
            self.spans.push(Span { kind, begin, end: self.at });
        }
    }

    /// Moves to the end of the record that begins here.
    fn record(&mut self) -> Kind {
        if let Some(end) = self.front_matter_ends_at() {
            self.at = end;
            self.front_matters_text();
            return Kind::FrontMatter;
        }
        if lines::is_json(self.lines[self.at]) {
            self.at += 1;
            return Kind::Json;
        }
        self.step();
        while let Some(line) = self.lines.get(self.at)
            && !lines::is_blank(line)
            && !lines::is_json(line)
        {
            self.step();
        }
        Kind::Paragraph
    }

    /// Returns where the front matter that begins here ends, if any. Front matter begins at the start of the note,
    /// after a blank line, or after the text of other front matter: elsewhere `---` underlines a heading.
    fn front_matter_ends_at(&self) -> Option<usize> {
        let follows_front_matter = self.spans.last().is_some_and(|span| span.kind == Kind::FrontMatter);
        let line_before = self.at.checked_sub(1).and_then(|before| self.lines.get(before));
        if follows_front_matter || line_before.is_none_or(|line| lines::is_blank(line)) {
            lines::front_matter_ends(&self.lines, self.at)
        } else {
            None
        }
    }

    /// Moves to the end of the text before the next front matter, without trailing blank lines.
    fn front_matters_text(&mut self) {
        let mut end = self.at;
        while let Some(line) = self.lines.get(self.at) {
            if lines::front_matter_ends(&self.lines, self.at).is_some() {
                break;
            }
            let blank = lines::is_blank(line);
            self.step();
            if !blank {
                end = self.at;
            }
        }
        self.at = end;
    }

    /// Moves past a line, or past a whole fenced block.
    fn step(&mut self) {
        let fence_end = match self.fences {
            Fences::AsText => None,
            Fences::Whole => lines::fence_opens(self.lines[self.at])
                .and_then(|fence| lines::fence_ends(&self.lines, self.at, fence)),
        };
        self.at = fence_end.unwrap_or(self.at + 1);
    }

    fn parsed(self, note: &'a [u8]) -> Parsed<'a> {
        let mut offsets: Vec<usize> = vec![0];
        for line in &self.lines {
            offsets.push(offsets.last().copied().unwrap_or(0) + line.len());
        }
        let first = self.spans.first().map_or(note.len(), |span| offsets[span.begin]);
        let mut records = Vec::with_capacity(self.spans.len());
        for (index, span) in self.spans.iter().enumerate() {
            let last_line = self.lines[span.end - 1];
            let end = offsets[span.end] - (last_line.len() - lines::content(last_line).len());
            let next = self.spans.get(index + 1).map_or(note.len(), |next| offsets[next.begin]);
            let bytes = &note[offsets[span.begin]..end];
            records.push(Record { kind: span.kind, bytes, gap: &note[end..next] });
        }
        Parsed { lead: &note[..first], records }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(note: &str) -> Vec<(Kind, String)> {
        let parsed = parse(note.as_bytes());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        parsed.records.iter().map(|record| (record.kind, text(record.bytes))).collect()
    }

    #[test]
    fn front_matter_reaches_to_the_next_front_matter() {
        let note = "---\ntype: decision\n---\n\n# One\n\ntext\n\n---\ntype: learning\n---\nbody\n";
        assert_eq!(
            cut(note),
            [
                (Kind::FrontMatter, "---\ntype: decision\n---\n\n# One\n\ntext".into()),
                (Kind::FrontMatter, "---\ntype: learning\n---\nbody".into()),
            ]
        );
    }

    #[test]
    fn a_rule_across_the_page_is_no_front_matter() {
        let note = "---\ntype: decision\n---\n\nabove\n\n---\n\nbelow\n";
        assert_eq!(cut(note).len(), 1);
        assert_eq!(cut("Title\n---\nnote: this\n---\n").len(), 1);
    }

    #[test]
    fn front_matter_in_a_fence_is_text() {
        let note = "---\na: 1\n---\n\n```yaml\n---\nb: 2\n---\n```\n";
        assert_eq!(cut(note).len(), 1);
    }

    #[test]
    fn every_line_of_json_is_a_record() {
        let note = "{\"a\":1}\n{\"b\":[1,2]}\nno json\n{\"broken\n";
        assert_eq!(
            cut(note),
            [
                (Kind::Json, "{\"a\":1}".into()),
                (Kind::Json, "{\"b\":[1,2]}".into()),
                (Kind::Paragraph, "no json\n{\"broken".into()),
            ]
        );
    }

    #[test]
    fn a_fence_keeps_its_blank_lines() {
        let note = "before\n\n~~~~\na\n\n~~~\nb\n~~~~\n\nafter\n";
        assert_eq!(
            cut(note),
            [
                (Kind::Paragraph, "before".into()),
                (Kind::Paragraph, "~~~~\na\n\n~~~\nb\n~~~~".into()),
                (Kind::Paragraph, "after".into()),
            ]
        );
    }

    #[test]
    fn a_fence_that_does_not_close_is_text() {
        assert_eq!(cut("```\na\n\nb\n").len(), 2);
    }

    #[test]
    fn all_bytes_of_a_note_are_in_its_records_and_gaps() {
        for note in ["", "\n\n", "a", "\r\n a \r\n\r\nb\r\n", "---\na: b\n---", "a\0b\n\n\n\nc"] {
            let parsed = parse(note.as_bytes());
            let mut whole = parsed.lead.to_vec();
            for record in &parsed.records {
                whole.extend_from_slice(record.bytes);
                whole.extend_from_slice(record.gap);
            }
            assert_eq!(whole, note.as_bytes());
        }
    }
}
