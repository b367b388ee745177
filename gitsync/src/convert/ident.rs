//! Expands `$Id$` to the blob's id in the working tree, and collapses it again for the repository.
//!
//! See <https://git-scm.com/docs/gitattributes#_ident>.

use gix::bstr::ByteSlice;

/// Returns what git stores: every `$Id: …$` is collapsed to `$Id$`.
pub fn collapse(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(dollar) = rest.find_byte(b'$') {
        out.extend_from_slice(&rest[..=dollar]);
        rest = &rest[dollar + 1..];
        let Some(after) = rest.strip_prefix(b"Id:") else { continue };
        let Some(end) = after.find_byte(b'$') else { break };
        if !after[..end].contains(&b'\n') {
            out.extend_from_slice(b"Id$");
            rest = &after[end + 1..];
        }
    }
    out.extend_from_slice(rest);
    out
}

/// Returns what is checked out: every `$Id$` is expanded to the id of `bytes`. Ids that look like those of other
/// systems stay.
///
/// # Errors
/// The id cannot be computed.
pub fn expand(bytes: Vec<u8>, hash: gix::hash::Kind) -> anyhow::Result<Vec<u8>> {
    if !bytes.contains_str("$Id") {
        return Ok(bytes);
    }
    let id = gix::objs::compute_hash(hash, gix::objs::Kind::Blob, &bytes)?.to_string();
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let mut rest = bytes.as_slice();
    while let Some(dollar) = rest.find_byte(b'$') {
        out.extend_from_slice(&rest[..=dollar]);
        rest = &rest[dollar + 1..];
        let Some(after) = rest.strip_prefix(b"Id") else { continue };
        rest = match after.first() {
            Some(b'$') => &after[1..],
            Some(b':') => {
                let Some(end) = after.find_byte(b'$') else { break };
                let value = &after[1..end];
                // A space in the middle, as CVS and Subversion write it: leave it alone.
                let is_foreign = value
                    .get(1..)
                    .and_then(|value| value.find_byte(b' '))
                    .is_some_and(|at| at + 2 < value.len());
                if value.contains(&b'\n') || is_foreign {
                    continue;
                }
                &after[end + 1..]
            }
            _ => continue,
        };
        out.extend_from_slice(b"Id: ");
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(b" $");
    }
    out.extend_from_slice(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expanded_collapses_to_what_it_was() {
        for text in ["$Id$", "a $Id$ b $Id$\n", "no keyword", "$Identity$", "$$Id$$", "$Id"] {
            let out = expand(text.into(), gix::hash::Kind::Sha1).unwrap();
            assert_eq!(collapse(&out).as_bstr(), text, "{}", out.as_bstr());
        }
    }

    #[test]
    fn only_whole_keywords_on_one_line_count() {
        assert_eq!(collapse(b"$Id: x$ $Id: y\n$ $Id: z"), b"$Id$ $Id: y\n$ $Id: z");
    }

    #[test]
    fn ids_of_other_systems_stay() {
        let text = b"$Id: file.c,v 1.2 2001/01/01 who Exp $".to_vec();
        assert_eq!(expand(text.clone(), gix::hash::Kind::Sha1).unwrap(), text);
    }
}
