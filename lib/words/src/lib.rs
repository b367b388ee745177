//! Text of others, made fit for a user's eyes: no credential, no control character.
//!
//! URLs travel with passwords in them, libraries and programs quote them in their errors, and a server's words go
//! straight to a terminal. Every message, of whatever crate, passes through here, so that no error, log or document can
//! leak the one or be driven by the other.

mod login;

pub use login::{in_address, in_text};

/// Text that may hold URLs and line breaks: logins are cut out of the former, the latter are kept, and other control
/// characters become visible.
#[must_use]
pub fn text(text: &str) -> String {
    visible(&in_text(text))
}

/// Like [`text`], on one line.
#[must_use]
pub fn line(one: &str) -> String {
    text(one).replace(['\n', '\t'], " ")
}

/// A URL from somebody's configuration, which may be none, on one line and without its login.
#[must_use]
pub fn address(url: &str) -> String {
    visible(&in_address(url)).replace(['\n', '\t'], " ")
}

/// The whole chain of an error, outermost first, on one line.
///
/// An error of gix has to come this way: its `{:#}` is a tree for those who debug it.
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

/// A word as `sh` takes it whatever is in it, for a command that somebody is told to type: with one that ends its own
/// quotation, `rm` would remove something else.
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
