//! Removes credentials from URLs, including malformed ones.
//!
//! A password that contains a space or a slash makes a URL that no parser accepts, and then the parser's error quotes
//! all of it. So nothing is parsed here: whatever may be a password is hidden, and rather too much than too little.

use std::borrow::Cow;

/// Replaces text that may not have been a login.
const HIDDEN: &str = "[hidden]";
/// The end of a URL's protocol.
const PROTOCOL: &str = "://";

/// Removes the logins from all URLs in a text.
#[must_use]
pub fn in_text(text: &str) -> Cow<'_, str> {
    if !text.contains(PROTOCOL) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(PROTOCOL) {
        let (before, after) = rest.split_at(at + PROTOCOL.len());
        out.push_str(before);
        let Cut { shown, end } = match quoted(&before[..at], after) {
            Some(address) => cut(address),
            None => cut_loose(&after[..of_this_url(after)]),
        };
        out.push_str(&shown);
        rest = &after[end..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Removes the login from text that is entirely one URL, as configured.
#[must_use]
pub fn in_address(url: &str) -> Cow<'_, str> {
    if let Some((protocol, rest)) = url.split_once(PROTOCOL) {
        let Cut { shown, end } = cut(rest);
        return Cow::Owned(format!("{protocol}{PROTOCOL}{shown}{}", &rest[end..]));
    }
    // `user:password@host`, where the protocol was forgotten or has a slash too few.
    match (url.find(':'), url.rfind('@')) {
        (Some(colon), Some(at)) if colon < at && !url.starts_with('/') => {
            Cow::Owned(format!("{}:{HIDDEN}{}", &url[..colon], &url[at..]))
        }
        _ => Cow::Borrowed(url),
    }
}

/// The replacement for the first `end` bytes.
struct Cut {
    shown: String,
    end: usize,
}

impl Cut {
    fn nothing() -> Self {
        Self { shown: String::new(), end: 0 }
    }

    /// Removes everything up to the `@` that ends at `end`. If that contains a slash or a space, it may have been
    /// something else, so a placeholder is shown.
    fn login(what: &str, end: usize) -> Self {
        let is_plain = !what[..end].contains(|c: char| c == '/' || c.is_whitespace());
        Self { shown: if is_plain { String::new() } else { format!("{HIDDEN}@") }, end }
    }
}

/// Removes the login from an address whose end is known.
fn cut(address: &str) -> Cut {
    if address.starts_with(HIDDEN) {
        return Cut::nothing();
    }
    match last_sign(address) {
        Some(sign) if has_colon(&address[..sign]) => Cut::login(address, sign),
        // Without a colon before it, an `@` in the path is part of a name.
        _ => match last_sign(authority(address)) {
            Some(sign) => Cut::login(address, sign),
            None => cut_without_sign(address),
        },
    }
}

/// Removes the login from an address that other text follows on the same line.
fn cut_loose(text: &str) -> Cut {
    if text.starts_with(HIDDEN) {
        return Cut::nothing();
    }
    let word = &text[..text.find(char::is_whitespace).unwrap_or(text.len())];
    let in_word = last_sign(word).filter(|sign| has_colon(&word[..*sign]));
    if in_word.is_none()
        && let Some(sign) = last_sign(authority(word))
    {
        return Cut::login(text, sign);
    }
    // After what may be a password, everything up to the last `@` may belong to it.
    if in_word.is_some() || !is_host(authority(word), word) {
        return match last_sign(text) {
            Some(sign) => Cut::login(text, sign),
            None => cut_without_sign(word),
        };
    }
    Cut::nothing()
}

/// Hides the password of `user:password` without `@` and host: its port is not a number.
fn cut_without_sign(address: &str) -> Cut {
    let authority = authority(address);
    let name = authority.rfind(']').unwrap_or(0);
    let Some((start, length)) = colon(&authority[name..]) else { return Cut::nothing() };
    let start = name + start + length;
    let port = authority[start..].trim_end_matches([':', ',', '.', ';', ')']);
    if port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Cut::nothing();
    }
    Cut { shown: format!("{}{HIDDEN}", &authority[..start]), end: authority.len() }
}

/// Whether an authority consists of just a host, or of a host and a port that a path follows.
fn is_host(authority: &str, word: &str) -> bool {
    let name = authority.rfind(']').unwrap_or(0);
    match colon(&authority[name..]) {
        None => !word[authority.len()..].starts_with(['"', '\'', '<', '>']),
        Some((at, length)) => {
            let port = &authority[name + at + length..];
            let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            is_port && word[authority.len()..].starts_with('/')
        }
    }
}

/// Returns the part before the path.
fn authority(address: &str) -> &str {
    let end = address.find(|c: char| c == '/' || c.is_whitespace() || "\"'<>".contains(c));
    &address[..end.unwrap_or(address.len())]
}

/// Returns the end of the last `@`. gix percent-encodes it where it takes it for a part of a name.
fn last_sign(text: &str) -> Option<usize> {
    ["@", "%40"].into_iter().filter_map(|sign| Some(text.rfind(sign)? + sign.len())).max()
}

/// Returns the position and length of the first colon.
fn colon(text: &str) -> Option<(usize, usize)> {
    [":", "%3A", "%3a"].into_iter().filter_map(|colon| Some((text.find(colon)?, colon.len()))).min()
}

fn has_colon(text: &str) -> bool {
    colon(text).is_some()
}

/// Returns how far a URL without a delimiter may extend: to the end of the line, or to the next URL.
fn of_this_url(after: &str) -> usize {
    let line = after.find('\n').unwrap_or(after.len());
    after[..line].find(PROTOCOL).unwrap_or(line)
}

/// Returns the address after `before`, if a quote begins before its protocol and ends it. A quote within a password
/// is escaped, or is followed by a character that does not follow a closing quote.
fn quoted<'a>(before: &str, after: &'a str) -> Option<&'a str> {
    let opening = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let quote = opening.chars().next_back().filter(|c| "\"'`".contains(*c))?;
    let line = &after[..of_this_url(after)];
    let ends = |at: &usize| {
        let next = line[at + quote.len_utf8()..].chars().next();
        !line[..*at].ends_with('\\')
            && next.is_none_or(|c| c.is_whitespace() || ",;:.)]}".contains(c) || (c == '"' && quote != '"'))
    };
    let end = line.match_indices(quote).map(|(at, _)| at).find(ends)?;
    Some(&line[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Credentials as users write them into URLs, including malformed ones.
    const LOGINS: [&str; 19] = [
        "user:secret",
        "user:my secret",
        "user:se/cret",
        "user:12/secret",
        "user:12 secret",
        "user:p@secret",
        "user:p@ss/secret",
        "user:p@ss secret",
        "user:p#secret",
        "user:p?secret",
        "user:p%zzsecret",
        "user:[secret",
        "user:secret]",
        "user:\"secret\"",
        "user:'secret'",
        "user:<secret>",
        "user:a:secret",
        "us er:secret",
        ":secret",
    ];

    #[test]
    fn no_login_is_left_in_an_address_whatever_it_is_made_of() {
        for login in LOGINS {
            for protocol in ["http", "https", "ssh", "git", "HTTP", "ext::https"] {
                for place in ["host.example/x", "127.0.0.1:8080/x/y.git", "[::1]:22/x", "host", ""] {
                    let shown = in_address(&format!("{protocol}://{login}@{place}")).into_owned();
                    assert!(!shown.contains("secret"), "{login} at {place}: {shown}");
                    assert!(shown.starts_with(protocol) && shown.ends_with(place), "{shown}");
                    assert_eq!(in_address(&shown), shown, "once is enough");
                    assert_eq!(in_text(&shown), shown, "once is enough");
                }
            }
        }
        for url in ["user:my secret@host:x", "https:/user:secret@host/x", "https:user:secret@host/x"] {
            assert!(!in_address(url).contains("secret"), "{url}");
        }
    }

    #[test]
    fn no_login_is_left_where_a_text_quotes_the_address() {
        for login in LOGINS {
            for (before, after) in [("\"", "\", key=\"x\""), ("'", "': not found"), ("`", "`")] {
                let quote = before.chars().next().unwrap();
                let login = login.replace(quote, &format!("\\{quote}"));
                let text = format!("cannot use {before}http://{login}@host/x{after}");
                let shown = in_text(&text);
                assert!(!shown.contains("secret"), "{text}: {shown}");
                assert!(shown.ends_with(&format!("host/x{after}")), "{text}: {shown}");
            }
        }
        assert_eq!(
            in_text("fatal: unable to access 'http://user:'secret'@host/x/': no"),
            "fatal: unable to access 'http://host/x/': no"
        );
    }

    #[test]
    fn no_login_is_left_where_an_address_stands_in_a_text_as_it_is() {
        // A user name with a space in it cannot be told from the end of an address.
        for login in LOGINS.into_iter().filter(|login| *login != "us er:secret") {
            let text = format!("cannot use http://{login}@host/x, which is none");
            let shown = in_text(&text);
            assert!(!shown.contains("secret"), "{text}: {shown}");
            assert!(shown.ends_with("host/x, which is none"), "{text}: {shown}");
        }
    }

    #[test]
    fn a_password_without_a_host_is_none_the_less_one() {
        assert_eq!(in_address("http://user:secret/x"), "http://user:[hidden]/x");
        assert_eq!(in_text("at http://user:secret/x: no"), "at http://user:[hidden]/x: no");
        assert_eq!(in_address("ssh://user%3Asecret%3A1/x"), "ssh://user%3A[hidden]/x");
    }

    #[test]
    fn a_user_without_a_password_is_cut_out_as_well() {
        assert_eq!(in_address("ssh://git@host/x"), "ssh://host/x");
        assert_eq!(
            in_text("fetch of https://mike:s3cret@host/x failed (see http://tok@h)"),
            "fetch of https://host/x failed (see http://h)"
        );
    }

    #[test]
    fn a_sign_elsewhere_stays_where_it_is() {
        for text in [
            "mail a@b at https://host/a@b",
            "remote 'origin' at ssh://host:22/x cannot be reached: git@host: Permission denied (publickey)",
            "remote 'origin' at http://127.0.0.1:1/x cannot be reached: ask mike@example.com",
            "remote 'origin' at http://[::1]:80/x cannot be reached: ask mike@example.com",
            "see http://host: ask mike@example.com or git://host.",
            "https://host:8080 and https://host:8080: refused",
            "git@host:x",
        ] {
            let shown = in_text(text);
            let expected = text.replace("http://host: ask mike@", "http://[hidden]@");
            assert_eq!(shown, expected);
        }
        assert_eq!(in_address("/path:with/a@sign"), "/path:with/a@sign");
        assert_eq!(in_address("git@host:x"), "git@host:x");
    }

    #[test]
    fn every_line_and_every_address_counts_for_itself() {
        assert_eq!(
            in_text("at http://host:1/x\nfrom mike@x: http://a:b@c and 'http://u:p w@d'"),
            "at http://host:1/x\nfrom mike@x: http://c and 'http://[hidden]@d'"
        );
    }
}
