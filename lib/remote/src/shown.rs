//! Text of others, made fit for a user's eyes: no credential, no control character.
//!
//! URLs travel with passwords in them, and a server's words go straight to a terminal. Every message of this
//! crate passes through here, so that no error, log or document can leak the one or be driven by the other.

use gix::bstr::ByteSlice;

/// A URL as it may be shown: without user-info.
pub(crate) fn url(url: &gix::Url) -> String {
    let mut bare = url.clone();
    bare.set_password(None);
    bare.set_user(None);
    text(&bare.to_bstring().to_str_lossy())
}

/// Text that may hold URLs and line breaks: user-info is cut out of the former, the latter are kept, and other
/// control characters become visible.
pub(crate) fn text(text: &str) -> String {
    without_user_info(text)
        .chars()
        .flat_map(|c| match c {
            '\n' | '\t' => Escaped::Plain(c),
            c if c.is_control() => Escaped::Visible(c.escape_unicode()),
            c => Escaped::Plain(c),
        })
        .collect()
}

/// Like [`text`], on one line.
pub(crate) fn line(one: &str) -> String {
    text(one).replace(['\n', '\t'], " ")
}

/// The whole chain of an error of gix, outermost first, on one line.
pub(crate) fn error(error: &(dyn std::error::Error + 'static)) -> String {
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

/// Cuts `user:password@` out of everything that looks like a URL.
fn without_user_info(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + "://".len());
        out.push_str(before);
        let end = after.find(|c: char| c == '/' || c.is_whitespace() || "\"'<>".contains(c));
        let authority = &after[..end.unwrap_or(after.len())];
        rest = match authority.rfind('@') {
            Some(sign) => &after[sign + 1..],
            None => after,
        };
    }
    out.push_str(rest);
    out
}

enum Escaped {
    Plain(char),
    Visible(std::char::EscapeUnicode),
}

impl IntoIterator for Escaped {
    type Item = char;
    type IntoIter = Box<dyn Iterator<Item = char>>;

    fn into_iter(self) -> Self::IntoIter {
        match self {
            Self::Plain(c) => Box::new(std::iter::once(c)),
            Self::Visible(escape) => Box::new(escape),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn user_info_is_cut_out_of_every_url_in_a_text() {
        assert_eq!(
            super::text("fetch of https://mike:s3cret@host/x failed (see http://tok@h)"),
            "fetch of https://host/x failed (see http://h)"
        );
        assert_eq!(super::text("mail a@b at https://host/a@b"), "mail a@b at https://host/a@b");
    }

    #[test]
    fn a_url_is_shown_without_user_info_in_every_form() {
        for (url, shown) in [
            ("ssh://git@host/x", "ssh://host/x"),
            ("git@host:x", "host:x"),
            ("https://mike:pw@host/x", "https://host/x"),
            ("/path/with@sign", "/path/with@sign"),
        ] {
            assert_eq!(super::url(&gix::url::parse(url).unwrap()), shown);
        }
    }

    #[test]
    fn control_characters_of_a_server_become_visible() {
        assert_eq!(super::text("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\nc");
    }
}
