//! Sanitizes text from elsewhere for display: removes credentials, and escapes control characters.
//!
//! URLs may contain passwords, libraries and programs quote them in their errors, and a server's messages go straight
//! to a terminal. Every message, of whatever crate, passes through here, so that no error, log or document can leak a
//! password or control the terminal.

mod login;

pub use login::{in_address, in_text};

/// Sanitizes text that may contain URLs and line breaks: removes credentials from URLs, keeps line breaks, and
/// escapes other control characters.
#[must_use]
pub fn text(text: &str) -> String {
    visible(&in_text(text))
}

/// Like [`text`], but on one line.
#[must_use]
pub fn line(one: &str) -> String {
    text(one).replace(['\n', '\t'], " ")
}

/// Sanitizes a configured URL, which may be malformed: on one line, without credentials.
#[must_use]
pub fn address(url: &str) -> String {
    visible(&in_address(url)).replace(['\n', '\t'], " ")
}

/// Returns the whole chain of an error, outermost first, on one line.
///
/// Errors of gix have to be formatted by this function: their `{:#}` is a tree for debugging.
#[must_use]
pub fn error(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let words = line(error.to_string().trim_end_matches('.'));
        if !words.is_empty() && said.last().is_none_or(|last| !last.contains(&words)) {
            said.push(words);
        }
        next = error.source();
    }
    said.join(": ")
}

/// Quotes a word for `sh`, whatever it contains, for a command that the user is advised to type: an unescaped word
/// could end its own quotation, and `rm` would remove something else.
#[must_use]
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn control_characters_of_a_server_become_visible() {
        assert_eq!(super::text("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\nc");
        assert_eq!(super::line("a\n\u{1b}b"), "a \\u{1b}b");
    }
}
