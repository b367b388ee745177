//! Reads the settings of `git -c name=value` from the environment.
//!
//! Git passes them to the programs that it starts, above all aliases and hooks, in the variable
//! `GIT_CONFIG_PARAMETERS`, in a format that only git writes: words in single quotes, `'name'='value'`, or
//! `'name=value'` from older versions. See `git_config_from_parameters` in git's `config.c`.

use gix::bstr::{BString, ByteSlice as _, ByteVec as _};

use crate::Fault;

const VARIABLE: &str = "GIT_CONFIG_PARAMETERS";

/// Returns the settings as `name=value`, or as `name` for one that is set to true.
///
/// # Errors
/// A fault with exit 78 if the variable is not in the format that git writes.
pub fn set() -> Result<Vec<BString>, Fault> {
    let Some(text) = std::env::var_os(VARIABLE) else { return Ok(Vec::new()) };
    let text = gix::path::os_string_into_bstring(text).unwrap_or_default();
    parse(&text).ok_or_else(|| {
        // The value is not quoted in the message: it may be a secret, such as an HTTP header.
        Fault::misconfigured(format!("{VARIABLE} is not as `git -c` writes it"))
            .help(format!("unset {VARIABLE}, or have `git -c name=value` set it"))
    })
}

fn parse(text: &[u8]) -> Option<Vec<BString>> {
    let mut rest = text.trim_start();
    let mut set = Vec::new();
    while !rest.is_empty() {
        let (mut one, after) = word(rest)?;
        rest = after;
        if let Some(after) = rest.strip_prefix(b"=") {
            rest = after;
            if rest.starts_with(b"'") {
                let (value, after) = word(rest)?;
                one.push_byte(b'=');
                one.push_str(value);
                rest = after;
            }
        }
        if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
            return None;
        }
        set.push(one);
        rest = rest.trim_start();
    }
    Some(set)
}

/// Splits off the quoted word at the start of `text`: returns it without its quotes, and the rest. Inside the word, a
/// quote or an exclamation mark is written outside the quotes, after a backslash; see `sq_dequote_step` in git's
/// `quote.c`.
fn word(text: &[u8]) -> Option<(BString, &[u8])> {
    let mut word = BString::default();
    let mut rest = text.strip_prefix(b"'")?;
    loop {
        let end = rest.find_byte(b'\'')?;
        word.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest {
            [b'\\', escaped @ (b'\'' | b'!'), b'\'', after @ ..] => {
                word.push_byte(*escaped);
                rest = after;
            }
            _ => return Some((word, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn both_forms_are_read_with_whatever_is_quoted() {
        let set = parse(br"'user.name=A B' 'core.bare'= 'a.b'='it'\''s'\!'' 'c.d'  'e.f'=''").unwrap();
        assert_eq!(set, ["user.name=A B", "core.bare", "a.b=it's!", "c.d", "e.f="]);
        assert_eq!(parse(b"").unwrap().len(), 0);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [&b"user.name=A"[..], b"'user.name", b"'user.name'=A", b"'a.b''c.d'", b"'a.b'='c'd"] {
            assert!(parse(text).is_none(), "{}", text.escape_ascii());
        }
    }
}
