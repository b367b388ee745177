//! Makes text from other people harmless for a terminal.
//!
//! A name, a path or a message may contain escape sequences that move the cursor, rewrite what was printed or answer
//! in the user's place, and bidirectional controls that make the text look different from what it is.

use std::borrow::Cow;

/// Returns the text with every control and bidirectional character made visible, except line feeds and tabs.
pub fn text(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_harmful(c) && c != '\n' && c != '\t')
}

/// Like [`text`], for text that must stay on one line: line feeds and tabs are made visible too.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_harmful)
}

fn escape(text: &str, harmful: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&harmful) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !harmful(c) => visible.push(c),
            c if c < ' ' => visible.extend(['^', char::from(b'@' + c as u8)]),
            '\u{7f}' => visible.push_str("^?"),
            c => visible.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(visible)
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_not_obeyed() {
        assert_eq!(text("\u{1b}[2Jgone"), "^[[2Jgone");
        assert_eq!(text("\u{9b}2Jgone"), "\\u{9b}2Jgone");
        assert_eq!(text("a\rb\u{7f}"), "a^Mb^?");
        assert_eq!(text("\u{202e}txt.exe"), "\\u{202e}txt.exe");
        // Tags are invisible to people, and text to an agent.
        assert_eq!(text("\u{e0072}"), "\\u{e0072}");
    }

    #[test]
    fn a_text_keeps_its_lines_and_a_line_stays_one() {
        assert_eq!(text("a\n\tb"), "a\n\tb");
        assert_eq!(line("a\n\tb"), "a^J^Ib");
    }

    #[test]
    fn words_of_any_language_stay_as_they_are() {
        assert!(matches!(text("Grüße, 世界 👋"), Cow::Borrowed(_)));
    }
}
