//! What `git -c name=value` sets.
//!
//! Git hands it to the programs that it starts, aliases and hooks above all, in the variable `GIT_CONFIG_PARAMETERS`, in
//! a form that only it writes: words in single quotes, `'name'='value'`, of older versions `'name=value'`. See
//! `git_config_from_parameters` in git's `config.c`.

use gix::bstr::{BString, ByteSlice as _, ByteVec as _};

use crate::Fault;

const VARIABLE: &str = "GIT_CONFIG_PARAMETERS";

/// What is set, as `name=value`, or as `name` where it is set to be true.
///
/// # Errors
/// A fault with exit 78 where the variable is not as git writes it.
pub fn set() -> Result<Vec<BString>, Fault> {
    let Some(text) = std::env::var_os(VARIABLE) else { return Ok(Vec::new()) };
    let text = gix::path::os_string_into_bstring(text).unwrap_or_default();
    parse(&text).ok_or_else(|| {
        // What is in it may be a secret, such as a header for a server.
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

/// The quoted word that `text` begins with, without its quotes, and what follows. Of what is in it a quote and an
/// exclamation mark stand outside of the quotes, behind a backslash; see `sq_dequote_step` in git's `quote.c`.
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
