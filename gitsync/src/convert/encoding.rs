//! Implements `working-tree-encoding`: files that are UTF-8 in the repository but not in the working tree.
//!
//! The Unicode encodings are implemented here, with git's rules for byte order marks, and so are ASCII and Latin-1;
//! the others are those of the Encoding Standard, which browsers use. (There, `latin1` means the Windows code page
//! 1252.) See <https://git-scm.com/docs/gitattributes#_working_tree_encoding>.

use anyhow::{Context as _, bail, ensure};
use gix::filter::plumbing::encoding::Encoding;
use gix::filter::plumbing::worktree::encode_to_git::RoundTripCheck;
use gix::filter::plumbing::worktree::{encode_to_git, encode_to_worktree, encoding::for_label};

/// Decodes `bytes` from the encoding `label` to UTF-8. Encodings in `checked` must yield the same bytes when encoded
/// again.
///
/// # Errors
/// The encoding is not known, or the bytes are not valid in it.
pub fn to_utf8(bytes: &[u8], label: &str, checked: &[&'static Encoding]) -> anyhow::Result<Vec<u8>> {
    if let Some(unicode) = Unicode::named(label) {
        return unicode.read(bytes).with_context(|| format!("it is not {label}"));
    }
    if let Some(latin) = Latin::named(label) {
        return latin.read(bytes).with_context(|| format!("it is not {label}"));
    }
    let encoding = for_label(label)?;
    let check = if checked.contains(&encoding) { RoundTripCheck::Fail } else { RoundTripCheck::Skip };
    let mut out = Vec::new();
    encode_to_git(bytes, encoding, &mut out, check)?;
    Ok(out)
}

/// Encodes `bytes`, which are UTF-8, in the encoding `label`; `None` if it is not known or cannot represent them.
pub fn from_utf8(bytes: &[u8], label: &str) -> Option<Vec<u8>> {
    if let Some(unicode) = Unicode::named(label) {
        return std::str::from_utf8(bytes).ok().map(|text| unicode.write(text));
    }
    if let Some(latin) = Latin::named(label) {
        return latin.write(std::str::from_utf8(bytes).ok()?);
    }
    let mut out = Vec::new();
    encode_to_worktree(bytes, for_label(label).ok()?, &mut out).ok()?;
    Some(out)
}

/// Encodings in which each byte is the Unicode character of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Latin {
    Ascii,
    One,
}

impl Latin {
    fn named(label: &str) -> Option<Self> {
        match label.to_ascii_lowercase().as_str() {
            "ascii" | "us-ascii" | "ansi_x3.4-1968" => Some(Latin::Ascii),
            "latin1" | "latin-1" | "l1" | "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "iso88591" => {
                Some(Latin::One)
            }
            _ => None,
        }
    }

    fn last(self) -> u8 {
        match self {
            Latin::Ascii => 0x7f,
            Latin::One => 0xff,
        }
    }

    fn read(self, bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
        if let Some(other) = bytes.iter().find(|byte| **byte > self.last()) {
            bail!("the byte {other:#x} is none of its characters");
        }
        Ok(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes())
    }

    fn write(self, text: &str) -> Option<Vec<u8>> {
        text.chars()
            .map(|character| u8::try_from(character).ok().filter(|byte| *byte <= self.last()))
            .collect()
    }
}

/// UTF-16 and UTF-32 in all their forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unicode {
    width: Width,
    order: Order,
    mark: Mark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Two,
    Four,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

/// The rule for byte order marks when reading. When writing, a mark is written unless it is prohibited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Required,
    Optional,
    Prohibited,
}

impl Unicode {
    fn named(label: &str) -> Option<Self> {
        let label = label.to_ascii_lowercase();
        let rest = label.strip_prefix("utf")?;
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let (width, rest) = match (rest.strip_prefix("16"), rest.strip_prefix("32")) {
            (Some(rest), _) => (Width::Two, rest),
            (_, Some(rest)) => (Width::Four, rest),
            (None, None) => return None,
        };
        // Without a byte order in its name, it is written as the C library's iconv does: big-endian on macOS,
        // elsewhere little-endian.
        let native = if cfg!(target_os = "macos") { Order::Big } else { Order::Little };
        let (order, mark) = match rest {
            "" => (native, Mark::Required),
            "le" => (Order::Little, Mark::Prohibited),
            "be" => (Order::Big, Mark::Prohibited),
            "le-bom" => (Order::Little, Mark::Optional),
            "be-bom" => (Order::Big, Mark::Optional),
            _ => return None,
        };
        Some(Unicode { width, order, mark })
    }

    fn mark(self, order: Order) -> &'static [u8] {
        match (self.width, order) {
            (Width::Two, Order::Little) => b"\xff\xfe",
            (Width::Two, Order::Big) => b"\xfe\xff",
            (Width::Four, Order::Little) => b"\xff\xfe\0\0",
            (Width::Four, Order::Big) => b"\0\0\xfe\xff",
        }
    }

    fn read(self, bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
        let marked =
            [Order::Little, Order::Big].into_iter().find(|order| bytes.starts_with(self.mark(*order)));
        let (order, bytes) = match (self.mark, marked) {
            (Mark::Prohibited, Some(_)) => {
                bail!("it begins with a byte order mark, which its encoding rules out")
            }
            (Mark::Required, None) => {
                bail!("it does not begin with a byte order mark, which its encoding requires")
            }
            (_, Some(order)) => (order, &bytes[self.mark(order).len()..]),
            (_, None) => (self.order, bytes),
        };
        let mut out = String::with_capacity(bytes.len());
        match self.width {
            Width::Two => {
                let (units, rest) = bytes.as_chunks::<2>();
                ensure!(rest.is_empty(), "half a character at its end");
                let units = units.iter().map(|unit| match order {
                    Order::Little => u16::from_le_bytes(*unit),
                    Order::Big => u16::from_be_bytes(*unit),
                });
                for character in char::decode_utf16(units) {
                    out.push(character?);
                }
            }
            Width::Four => {
                let (units, rest) = bytes.as_chunks::<4>();
                ensure!(rest.is_empty(), "part of a character at its end");
                for unit in units {
                    let number = match order {
                        Order::Little => u32::from_le_bytes(*unit),
                        Order::Big => u32::from_be_bytes(*unit),
                    };
                    out.push(char::from_u32(number).with_context(|| format!("{number:x} is no character"))?);
                }
            }
        }
        Ok(out.into_bytes())
    }

    fn write(self, text: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() * 2 + 4);
        if self.mark != Mark::Prohibited {
            out.extend_from_slice(self.mark(self.order));
        }
        match self.width {
            Width::Two => text.encode_utf16().for_each(|unit| match self.order {
                Order::Little => out.extend(unit.to_le_bytes()),
                Order::Big => out.extend(unit.to_be_bytes()),
            }),
            Width::Four => text.chars().for_each(|character| match self.order {
                Order::Little => out.extend(u32::from(character).to_le_bytes()),
                Order::Big => out.extend(u32::from(character).to_be_bytes()),
            }),
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_comes_back_as_it_was() {
        for label in
            ["UTF-16", "utf16le", "UTF-16BE", "UTF-16LE-BOM", "utf-32", "UTF-32BE", "ISO-8859-1", "SHIFT-JIS"]
        {
            let text = if label == "ISO-8859-1" { "grün\n" } else { "日本\n" };
            let encoded = from_utf8(text.as_bytes(), label).unwrap_or_else(|| panic!("{label}"));
            assert_ne!(encoded, text.as_bytes(), "{label}");
            assert_eq!(to_utf8(&encoded, label, &[]).unwrap(), text.as_bytes(), "{label}");
        }
    }

    #[test]
    fn byte_order_marks_follow_gits_rules() {
        assert!(to_utf8(b"a\0", "UTF-16", &[]).is_err());
        assert!(to_utf8(b"\xff\xfea\0", "UTF-16LE", &[]).is_err());
        assert_eq!(to_utf8(b"\xfe\xff\0a", "UTF-16", &[]).unwrap(), b"a");
        assert_eq!(to_utf8(b"a\0", "UTF-16LE", &[]).unwrap(), b"a");
    }

    #[test]
    fn latin_1_is_not_windows_code_page() {
        assert_eq!(to_utf8(b"\x80\xe9", "latin-1", &[]).unwrap(), "\u{80}é".as_bytes());
        assert_eq!(from_utf8("\u{80}é".as_bytes(), "ISO-8859-1").unwrap(), b"\x80\xe9");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert!(to_utf8(b"\xff\xfea", "UTF-16", &[]).is_err());
        assert!(to_utf8(b"\xff\xfe\0\xd8", "UTF-16", &[]).is_err());
        assert!(to_utf8(b"x", "KLINGON", &[]).is_err());
        assert!(to_utf8(b"\x80", "ascii", &[]).is_err());
        assert!(from_utf8("€".as_bytes(), "latin-1").is_none());
        assert!(from_utf8("日".as_bytes(), "ISO-8859-2").is_none());
    }
}
