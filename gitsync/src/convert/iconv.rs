//! Converts between UTF-8 and older encodings as the iconv of glibc does, which git converts with on Linux.
//!
//! The tables at hand are those of the Encoding Standard, which browsers use, and iconv's are others: for the bytes
//! `81 60` of Shift JIS, one has U+FF5E and the other U+301C. A file committed by such tables would be another blob
//! than git's, and count as modified wherever git looks at it. So [`encodings`] lists the differences, and an encoding
//! that is not listed there is not known, even if the Encoding Standard has it. Not listed for that reason are KOI8-RU
//! and those in which the meaning of bytes depends on others: ISO-2022-JP, Big5-HKSCS, and the Windows code pages 1255
//! and 1258, whose accents iconv joins with their letters.

mod encodings;

use std::collections::HashMap;
use std::sync::LazyLock;

use gix::filter::plumbing::encoding::{EncoderResult, Encoding};

use encodings::ALL;

/// An encoding other than Unicode's.
#[derive(Debug)]
pub struct Charset {
    /// Its names, in lower case.
    names: &'static [&'static str],
    /// The one of the Encoding Standard that is most like it.
    base: &'static Encoding,
    /// Codes that are of no character in iconv, or not of the same in all of its versions. The bytes of a code of
    /// these ranges are each between those of the range's ends.
    absent: &'static [(u32, u32)],
    /// Codes that are of other characters in iconv: from one to another, and the character of the first.
    other: &'static [(u32, u32, char)],
    /// Characters that iconv writes as another code than the one that is theirs.
    written: &'static [(char, u32)],
    /// Codes that the base reads and does not write, and iconv does.
    unwritten: &'static [(u32, u32)],
    /// Characters without a code here that iconv writes all the same.
    unsure: &'static [(char, char)],
}

/// It is not certain how iconv writes this character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt(pub char);

/// Language tags, which iconv drops from a text without a word.
const TAGS: (char, char) = ('\u{e0000}', '\u{e007f}');

/// No encoding here has longer codes.
const LONGEST: usize = 4;

impl Charset {
    /// The encoding of this name, in any case.
    pub fn named(label: &str) -> Option<&'static Self> {
        let label = label.to_ascii_lowercase();
        ALL.iter().find(|charset| charset.names.contains(&label.as_str()))
    }

    /// Whether it counts as one of `encodings`.
    pub fn is_among(&self, encodings: &[&'static Encoding]) -> bool {
        encodings.contains(&self.base)
    }

    /// Decodes `bytes`.
    ///
    /// # Errors
    /// Where a character would have to begin, and none does.
    pub fn read(&self, bytes: &[u8]) -> Result<String, usize> {
        let of_one_byte: Vec<Option<char>> =
            (0..=255).map(|byte| self.first(&[byte]).map(|(character, _)| character)).collect();
        let mut text = String::with_capacity(bytes.len() * 2);
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let (character, len) = match of_one_byte[usize::from(*byte)] {
                Some(character) => (character, 1),
                None => self.first(&bytes[at..]).ok_or(at)?,
            };
            text.push(character);
            at += len;
        }
        Ok(text)
    }

    /// Encodes `text`; `None` if it cannot be represented.
    ///
    /// # Errors
    /// It has a character about which there is a doubt.
    pub fn write(&self, text: &str) -> Result<Option<Vec<u8>>, Doubt> {
        let mut known: HashMap<char, Result<Option<Code>, Doubt>> = HashMap::new();
        let mut bytes = Vec::with_capacity(text.len());
        let mut doubt = None;
        for character in text.chars() {
            match *known.entry(character).or_insert_with(|| self.code(character)) {
                Ok(Some(code)) => bytes.extend_from_slice(code.bytes()),
                Ok(None) => return Ok(None),
                Err(this) => doubt = doubt.or(Some(this)),
            }
        }
        doubt.map_or(Ok(Some(bytes)), Err)
    }

    /// The first character of `bytes`, and the length of its code. No code is the beginning of another.
    fn first(&self, bytes: &[u8]) -> Option<(char, usize)> {
        for len in 1..=bytes.len().min(LONGEST) {
            let code = Code::of(&bytes[..len])?;
            let other = self.other.iter().find(|(first, last, _)| (*first..=*last).contains(&code.number()));
            if let Some((first, _, character)) = other {
                return Some((char::from_u32(u32::from(*character) + code.number() - first)?, len));
            }
            if self.absent.iter().any(|(first, last)| code.is_within(*first, *last)) {
                return None;
            }
            if let Some(text) = self.base.decode_without_bom_handling_and_without_replacement(code.bytes()) {
                let mut characters = text.chars();
                return characters.next().filter(|_| characters.next().is_none()).map(|first| (first, len));
            }
        }
        None
    }

    fn code(&self, character: char) -> Result<Option<Code>, Doubt> {
        if let Some((_, code)) = self.written.iter().find(|(written, _)| *written == character) {
            return Ok(Some(Code::from_number(*code)));
        }
        let other = self.other.iter().find_map(|(first, last, of_first)| {
            let code = first + u32::from(character).checked_sub(u32::from(*of_first))?;
            (code <= *last).then(|| Code::from_number(code))
        });
        if other.is_some() {
            return Ok(other);
        }
        // The base may write several characters as one code; only the one that it is read as is certain.
        let is_its_own = |code: &Code| self.first(code.bytes()) == Some((character, code.bytes().len()));
        let in_base = self.code_in_base(character).filter(is_its_own);
        match in_base.or_else(|| self.unwritten_code(character)) {
            Some(code) => Ok(Some(code)),
            None => {
                let is_in = |(first, last): &(char, char)| (*first..=*last).contains(&character);
                if self.unsure.iter().any(is_in) || is_in(&TAGS) { Err(Doubt(character)) } else { Ok(None) }
            }
        }
    }

    /// The code of `character` among those that the base does not write.
    fn unwritten_code(&self, character: char) -> Option<Code> {
        /// By the encoding's first name: looking through all codes for each character would take too long.
        static BY_CHARACTER: LazyLock<HashMap<(&str, char), Code>> = LazyLock::new(|| {
            let codes_of = |charset: &'static Charset| {
                let all = charset.unwritten.iter().flat_map(|(first, last)| {
                    (*first..=*last).map(Code::from_number).filter(|code| code.is_within(*first, *last))
                });
                all.filter_map(|code| Some(((charset.names[0], charset.first(code.bytes())?.0), code)))
            };
            ALL.iter().flat_map(codes_of).collect()
        });
        if self.unwritten.is_empty() {
            return None;
        }
        BY_CHARACTER.get(&(self.names[0], character)).copied()
    }

    fn code_in_base(&self, character: char) -> Option<Code> {
        let mut bytes = [0; 16];
        let text = character.encode_utf8(&mut [0; 4]).to_owned();
        let mut encoder = self.base.new_encoder();
        let (result, _, len) = encoder.encode_from_utf8_without_replacement(&text, &mut bytes, true);
        matches!(result, EncoderResult::InputEmpty).then(|| Code::of(&bytes[..len]))?
    }
}

/// The bytes that stand for one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Code {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Code {
    fn of(piece: &[u8]) -> Option<Self> {
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..piece.len())?.copy_from_slice(piece);
        Some(Code { bytes, len: piece.len() })
    }

    /// No code of several bytes begins with a zero.
    fn from_number(number: u32) -> Self {
        let skipped = (number.leading_zeros() / 8).min(3);
        Code { bytes: (number << (8 * skipped)).to_be_bytes(), len: LONGEST - skipped as usize }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn number(&self) -> u32 {
        self.bytes().iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
    }

    fn is_within(&self, first: u32, last: u32) -> bool {
        let (first, last) = (Self::from_number(first), Self::from_number(last));
        self.len == first.len
            && (self.bytes().iter().zip(first.bytes).zip(last.bytes))
                .all(|((byte, first), last)| (first..=last).contains(byte))
    }
}

#[cfg(test)]
mod tests;
