//! Splits Markdown into sections at its headings, using a parser.
//!
//! What a regular expression takes for a heading may be an example in a fenced block, a quotation or a comment, and
//! it does not recognise underlined headings at all. The sections are slices of the source: nothing is reformatted.

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

/// A heading of level 2 and the text below it, up to the next heading of level 1 or 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section<'a> {
    /// The heading's text as in the source, without the marks that make it a heading.
    pub(crate) heading: &'a str,
    /// The heading's text as rendered: in one line, without the marks of emphasis, code and links.
    pub(crate) plain: String,
    /// The text below the heading, without trailing white space.
    pub(crate) body: &'a str,
    /// The paragraph right below the heading, if a line of dashes below it makes it the next heading.
    pub(crate) ruled: Option<&'a str>,
}

/// Returns the sections of a document under its headings of level 2, in order. Headings within quotations, lists,
/// fenced blocks and HTML blocks are text. YAML front matter is not recognised: its last line makes a heading of the
/// lines above, which addresses nobody. If it were recognised, a message between two thematic breaks at the beginning
/// of a log would be lost.
pub(crate) fn sections(document: &str) -> Vec<Section<'_>> {
    let text = document.strip_prefix('\u{feff}').unwrap_or(document);
    let headings = headings(text);
    let nexts = headings.iter().skip(1).map(Some).chain([None]);
    let cut = |(heading, next): (&Heading, Option<&Heading>)| {
        let end = next.map_or(text.len(), |next| next.start);
        let body = text.get(heading.end..end).unwrap_or_default().trim_end();
        Section {
            heading: text.get(heading.text.clone()).unwrap_or_default(),
            plain: heading.plain.split_whitespace().collect::<Vec<_>>().join(" "),
            body,
            ruled: next.filter(|_| body.is_empty()).and_then(|next| next.above_a_rule(text)),
        }
    };
    headings.iter().zip(nexts).filter(|(heading, _)| heading.is_second_level).map(cut).collect()
}

/// A heading of level 1 or 2 that is not nested in another block.
struct Heading {
    is_second_level: bool,
    start: usize,
    text: std::ops::Range<usize>,
    plain: String,
    /// The offset of the line after the heading.
    end: usize,
}

fn headings(text: &str) -> Vec<Heading> {
    let mut headings = Vec::new();
    let mut depth = 0_usize;
    let mut open: Option<Heading> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level: level @ (HeadingLevel::H1 | HeadingLevel::H2), .. })
                if depth == 0 =>
            {
                depth += 1;
                open = Some(Heading {
                    is_second_level: level == HeadingLevel::H2,
                    start: range.start,
                    text: range.end..range.start,
                    plain: String::new(),
                    end: end_of_line(text, range),
                });
            }
            Event::End(TagEnd::Heading(_)) if depth == 1 => {
                depth = 0;
                headings.extend(open.take());
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            event => {
                if let Some(heading) = &mut open {
                    heading.read(&event, range);
                }
                depth += usize::from(matches!(event, Event::Start(_)));
            }
        }
    }
    headings
}

impl Heading {
    /// Returns its text if that is a paragraph with a line below that elsewhere would be a thematic break.
    fn above_a_rule<'a>(&self, text: &'a str) -> Option<&'a str> {
        let below = text.get(self.text.end..self.end)?.trim();
        let is_rule = below.len() >= 3 && below.bytes().all(|byte| byte == b'-');
        let is_underlined = is_rule && text.get(self.start..self.text.start)?.trim().is_empty();
        text.get(self.text.clone()).filter(|_| is_underlined)
    }

    /// Adds an event within the heading to its text.
    fn read(&mut self, event: &Event<'_>, range: std::ops::Range<usize>) {
        self.text = self.text.start.min(range.start)..self.text.end.max(range.end);
        match event {
            Event::Text(text) | Event::Code(text) => self.plain.push_str(text),
            Event::SoftBreak | Event::HardBreak => self.plain.push(' '),
            _ => {}
        }
    }
}

/// Returns the offset of the line after the last line of `range`. Whether the parser includes that line's end in the
/// range depends on the kind of heading.
fn end_of_line(text: &str, range: std::ops::Range<usize>) -> usize {
    let within = text.get(range.clone()).unwrap_or_default().trim_end_matches(['\r', '\n']);
    let last = range.start + within.len();
    let line = lines(text.get(last..).unwrap_or_default()).next();
    line.map_or(text.len(), |line| last + line.len())
}

/// Splits a text into lines with their ends: a line feed, a carriage return, or both.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match rest.find(['\r', '\n']) {
            _ if rest.is_empty() => return None,
            None => rest.len(),
            Some(at) if rest.get(at..).is_some_and(|end| end.starts_with("\r\n")) => at + 2,
            Some(at) => at + 1,
        };
        let (line, after) = rest.split_at(end);
        rest = after;
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(&str, &str)> {
        sections(text).into_iter().map(|section| (section.heading, section.body)).collect()
    }

    #[test]
    fn a_section_ends_at_the_next_heading_of_level_one_or_two() {
        let text = "# Log\nintro\n## One\n\na\n\n### deeper\nb\n## Two\nc\n# Next\nd\n";
        assert_eq!(cut(text), [("One", "\na\n\n### deeper\nb"), ("Two", "c")]);
    }

    #[test]
    fn underlined_headings_count() {
        let text = "One\n---\na\n\nTop\n===\nb\n\nTwo words\n-----\n";
        assert_eq!(cut(text), [("One", "a"), ("Two words", "")]);
    }

    #[test]
    fn a_paragraph_above_a_rule_right_after_a_heading_is_told() {
        let ruled = |text| sections(text).into_iter().map(|section| section.ruled).collect::<Vec<_>>();
        assert_eq!(ruled("## One\n\na\nb\n---\nc\n"), [Some("a\nb"), None]);
        assert_eq!(ruled("One\n---\na\n-----\n"), [Some("a"), None]);
        for text in ["## One\n\na\n\nb\n---\n", "## One\n## a ---\n", "## One\na\n--\n", "## One\na\n===\n"] {
            assert_eq!(ruled(text)[0], None, "{text}");
        }
    }

    #[test]
    fn marks_around_a_heading_are_not_its_text() {
        assert_eq!(cut("##   One  ##  \na"), [("One", "a")]);
        assert_eq!(cut("  ## One\na"), [("One", "a")]);
        assert_eq!(cut("## Note for **Mike** and `ann`\na"), [("Note for **Mike** and `ann`", "a")]);
        assert_eq!(cut("##\na"), [("", "a")]);
    }

    #[test]
    fn what_only_looks_like_a_heading_is_text() {
        let body = [
            "```\n## fence\n```",
            "~~~~md\n## fence\n~~~\n## still\n~~~~",
            "> ## quotation",
            "- ## list",
            "1. item\n\n   ## nested\n   - deeper\n\n     ## deepest",
            "<!--\n## comment\n-->",
            "<pre>\n## html\n</pre>",
            "    ## indented",
            "##no space",
            "\\## escaped",
        ];
        for body in body {
            let text = format!("## One\n\n{body}\n\n## Two\nb");
            assert_eq!(cut(&text), [("One", &*format!("\n{body}")), ("Two", "b")], "{body}");
        }
    }

    #[test]
    fn an_unclosed_fence_runs_to_the_end() {
        assert_eq!(cut("## One\n```\n## Two\n"), [("One", "```\n## Two")]);
    }

    #[test]
    fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
        assert_eq!(cut("\u{feff}## One\r\n\r\na\r\nb\r\n## Two\r\nc"), [("One", "\r\na\r\nb"), ("Two", "c")]);
        assert_eq!(cut("One\r\n---\r\na\r\n"), [("One", "a")]);
    }

    #[test]
    fn a_carriage_return_alone_ends_a_line() {
        assert_eq!(cut("## One\ra\rb\r## Two\rc\r"), [("One", "a\rb"), ("Two", "c")]);
        assert_eq!(cut("## One\ra\n\nb"), [("One", "a\n\nb")]);
        assert_eq!(cut("One\r---\ra\r"), [("One", "a")]);
    }

    #[test]
    fn what_follows_front_matter_is_a_section_and_what_only_looks_like_it_holds_some() {
        for front in ["---\ntitle: x\n---\n", "---\r\ntitle: x\r\n...\r\n", "---\rtags:\r  - x\r---\r"] {
            let text = format!("{front}## One\na");
            assert_eq!(cut(&text).last(), Some(&("One", "a")), "{front}");
        }
        for rule in ["---\n", "---\n# Log\n", "---\ndate: x\n\n", "---\n\n"] {
            let text = format!("{rule}## One\na\n\n---\n\nb\n");
            assert_eq!(cut(&text).last(), Some(&("One", "a\n\n---\n\nb")), "{rule}");
        }
        assert_eq!(cut("text\n\n---\n\n## One\na\n\n---\n\nb"), [("One", "a\n\n---\n\nb")]);
    }

    #[test]
    fn the_plain_text_of_a_heading_has_no_marks() {
        for (heading, plain) in [
            ("Note for **Mike** and `ann`", "Note for Mike and ann"),
            ("Note   for [Mike](mailto:m@example.com) <!-- of Acme -->", "Note for Mike"),
            ("Note for \u{a0} Mike", "Note for Mike"),
            ("Note for &amp; \\*Mike\\*", "Note for & *Mike*"),
            ("- Note for Mike", "- Note for Mike"),
            ("> Note for Mike", "> Note for Mike"),
        ] {
            let text = format!("## {heading}\n");
            assert_eq!(sections(&text)[0].plain, plain, "{heading}");
        }
        assert_eq!(sections("Note for\nMike\n---\n")[0].plain, "Note for Mike");
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_cut_and_the_sections_are_its_own(
            lines in proptest::collection::vec(
                proptest::sample::select(vec![
                    "", "a", "é", "## One", "##", "# Two", "---", "===", "```", "> ## q", "- ## l", "<!--", "-->",
                    "\u{feff}", "\u{0}", "\t## x", "a\r", "## b\r", "## b\rc", "---\rd", "[x]: y", "***",
                ]),
                0..12,
            )
        ) {
            let text = lines.join("\n");
            for section in sections(&text) {
                let heading = text.find(section.heading).expect("a slice of the text");
                assert!(text[heading..].contains(section.body));
            }
        }
    }
}
