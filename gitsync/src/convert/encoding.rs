//! Implements `working-tree-encoding`: files that are UTF-8 in the repository but not in the working tree.
//!
//! The Unicode encodings are implemented here, with git's rules for byte order marks; [`iconv`](super::iconv) has the
//! others. Neither writes anything that git would not: where that is not certain, the file is left alone. See
//! <https://git-scm.com/docs/gitattributes#_working_tree_encoding>.

use anyhow::{Context as _, bail, ensure};
use gix::filter::plumbing::encoding::Encoding;

use super::iconv::{Charset, Doubt};

/// Why content cannot be converted between UTF-8 and another encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodingFailed {
    /// The name of the encoding.
    pub label: String,
    /// What is the matter.
    pub why: Why,
}

/// What keeps content from being converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The encoding is not known here.
    Unknown,
    /// The content is not in the encoding; what is wrong with it as text.
    Invalid(String),
    /// The content has this character, and it is not certain how git writes it.
    Doubtful(char),
}

impl EncodingFailed {
    /// What the user can do about it.
    pub fn help(&self) -> String {
        match &self.why {
            Why::Unknown | Why::Doubtful(_) => {
                "name another encoding in .gitattributes, or commit and pull with git itself".to_owned()
            }
            Why::Invalid(_) => {
                format!("save it in {}, or name the encoding that it has in .gitattributes", self.label)
            }
        }
    }
}

impl std::fmt::Display for EncodingFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let label = &self.label;
        match &self.why {
            Why::Unknown => write!(f, "its working-tree-encoding {label} is not known here"),
            Why::Invalid(words) => write!(f, "it is not in its working-tree-encoding {label}: {words}"),
            Why::Doubtful(character) => write!(
                f,
                "it has the character U+{:04X}, which not all programs write alike in its working-tree-encoding {label}",
                u32::from(*character)
            ),
        }
    }
}

impl std::error::Error for EncodingFailed {}

/// Decodes `bytes` from the encoding `label` to UTF-8. Encodings in `checked` must yield the same bytes when encoded
/// again.
///
/// # Errors
/// The encoding is not known, or the bytes are not valid in it.
pub fn to_utf8(bytes: &[u8], label: &str, checked: &[&'static Encoding]) -> Result<Vec<u8>, EncodingFailed> {
    let failed = |why| EncodingFailed { label: label.to_owned(), why };
    if let Some(unicode) = Unicode::named(label) {
        return unicode.read(bytes).map_err(|error| failed(Why::Invalid(format!("{error:#}"))));
    }
    let charset = Charset::named(label).ok_or_else(|| failed(Why::Unknown))?;
    let text = charset.read(bytes).map_err(|at| {
        failed(Why::Invalid(format!(
            "no character begins at byte {at}, or none that all programs read alike"
        )))
    })?;
    if charset.is_among(checked) && charset.write(&text) != Ok(Some(bytes.to_vec())) {
        return Err(failed(Why::Invalid("written again, it would be other bytes".to_owned())));
    }
    Ok(text.into_bytes())
}

/// Encodes `bytes`, which are UTF-8, in the encoding `label`; `None` if it cannot represent them.
///
/// # Errors
/// The encoding is not known, or it is not certain that git encodes them alike.
pub fn from_utf8(bytes: &[u8], label: &str) -> Result<Option<Vec<u8>>, EncodingFailed> {
    let failed = |why| EncodingFailed { label: label.to_owned(), why };
    let text = std::str::from_utf8(bytes).ok();
    if let Some(unicode) = Unicode::named(label) {
        return Ok(text.map(|text| unicode.write(text)));
    }
    let charset = Charset::named(label).ok_or_else(|| failed(Why::Unknown))?;
    let Some(text) = text else { return Ok(None) };
    charset.write(text).map_err(|Doubt(character)| failed(Why::Doubtful(character)))
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
            let encoded = from_utf8(text.as_bytes(), label).unwrap().unwrap();
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
        assert_eq!(from_utf8("\u{80}é".as_bytes(), "ISO-8859-1").unwrap().unwrap(), b"\x80\xe9");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert!(to_utf8(b"\xff\xfea", "UTF-16", &[]).is_err());
        assert!(to_utf8(b"\xff\xfe\0\xd8", "UTF-16", &[]).is_err());
        assert!(to_utf8(b"x", "KLINGON", &[]).is_err());
        assert!(to_utf8(b"\x80", "ascii", &[]).is_err());
        assert_eq!(from_utf8("€".as_bytes(), "latin-1"), Ok(None));
        assert_eq!(from_utf8("日".as_bytes(), "ISO-8859-2"), Ok(None));
        assert_eq!(from_utf8(b"x", "CP437").unwrap_err().why, Why::Unknown);
    }
}
