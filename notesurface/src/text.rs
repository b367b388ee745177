//! Decodes the text of a session log, whichever encoding a shell used for it.

use std::borrow::Cow;

/// Decodes `bytes`: UTF-16 if a byte order mark says so, as when PowerShell 5 redirects output into a file, else
/// UTF-8. Invalid text is decoded as far as possible, since it is for a person to read.
pub(crate) fn of(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes).into(),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes).into(),
        _ => String::from_utf8_lossy(bytes),
    }
}

fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (units, rest) = bytes.as_chunks();
    let units = units.iter().map(|bytes| unit(*bytes));
    let cut_off = (!rest.is_empty()).then_some(char::REPLACEMENT_CHARACTER);
    let decoded = char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER));
    decoded.chain(cut_off).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_order_mark_decides() {
        assert_eq!(of("Grüße".as_bytes()), "Grüße");
        assert_eq!(of(b"\xef\xbb\xbfa"), "\u{feff}a");
        assert_eq!(of(b"\xff\xfeG\0\xfc\0=\xd8\0\xde"), "Gü😀");
        assert_eq!(of(b"\xfe\xff\0G\0\xfc\xd8=\xde\0"), "Gü😀");
    }

    #[test]
    fn what_is_damaged_is_read_as_far_as_it_goes() {
        assert_eq!(of(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(of(b"\xff\xfea\0\0\xd8b\0c"), "a\u{fffd}b\u{fffd}");
        assert_eq!(of(b"\xff\xfe"), "");
    }
}
