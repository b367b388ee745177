//! Matches a path with a pattern exactly as git does.
//!
//! This is git's `wildmatch()`, step by step, and its results are the same in the odd cases too, where documentation
//! and other implementations differ: what a class holds when case is ignored, an unfinished class, an escape. A file
//! that git ignores must never be committed because of such a difference. See
//! <https://git-scm.com/docs/gitignore#_pattern_format>, and `wildmatch.c` in git's sources.

use gix::bstr::ByteSlice as _;
use gix::glob::pattern::Case;

/// How many wildcards are followed. git has no limit, and crashes in the end.
const DEEPEST: usize = 1_000;

/// What a slash is for `*`, `?` and a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slash {
    /// A character like any other.
    Ordinary,
    /// The end of a name: only `**` matches it.
    Separator,
}

/// Whether `text` matches `pattern`.
pub fn matches(pattern: &[u8], text: &[u8], slash: Slash, case: Case) -> bool {
    Matching { slash, case }.run(pattern, text, 0) == Outcome::Match
}

/// Whether a character has a meaning in patterns.
pub fn is_special(byte: u8) -> bool {
    matches!(byte, b'*' | b'?' | b'[' | b'\\')
}

/// What comes of a pattern, from one place in the text on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Match,
    /// It may match further on.
    NoMatch,
    /// It matches nowhere further on.
    Never,
    /// It matches nowhere in this name, but a `**` may skip to the next.
    NotInThisName,
}

/// How to go on after a star.
enum Step {
    /// From these positions in the pattern and in the text.
    Continue(usize, usize),
    /// Not at all.
    Done(Outcome),
}

#[derive(Clone, Copy)]
struct Matching {
    slash: Slash,
    case: Case,
}

impl Matching {
    fn run(self, pattern: &[u8], text: &[u8], depth: usize) -> Outcome {
        if depth > DEEPEST {
            return Outcome::Never;
        }
        let (mut p, mut t) = (0, 0);
        while let Some(&wanted) = pattern.get(p) {
            if wanted == b'*' {
                match self.star(pattern, p, text, t, depth) {
                    Step::Continue(next_p, next_t) => (p, t) = (next_p, next_t),
                    Step::Done(outcome) => return outcome,
                }
                continue;
            }
            let Some(&byte) = text.get(t) else { return Outcome::Never };
            let is_separator = self.slash == Slash::Separator && byte == b'/';
            let byte = self.fold(byte);
            match wanted {
                b'?' if is_separator => return Outcome::NoMatch,
                b'?' => p += 1,
                b'[' => match class(pattern, p + 1, byte, self.case) {
                    None => return Outcome::Never,
                    Some((is_in, _)) if !is_in || is_separator => return Outcome::NoMatch,
                    Some((_, end)) => p = end,
                },
                // What is escaped is compared as it is, also where case is ignored.
                b'\\' if at(pattern, p + 1) != byte => return Outcome::NoMatch,
                b'\\' => p += 2,
                _ if self.fold(wanted) != byte => return Outcome::NoMatch,
                _ => p += 1,
            }
            t += 1;
        }
        if t == text.len() { Outcome::Match } else { Outcome::NoMatch }
    }

    /// Goes on at the star, or stars, at `first`.
    fn star(self, pattern: &[u8], first: usize, text: &[u8], t: usize, depth: usize) -> Step {
        let stars = pattern[first..].iter().take_while(|byte| **byte == b'*').count();
        let rest = &pattern[first + stars..];
        let mut slash = self.slash;
        let starts_name = first == 0 || pattern[first - 1] == b'/';
        let ends_name = rest.is_empty() || rest.starts_with(b"/") || rest.starts_with(br"\/");
        if stars > 1 && starts_name && ends_name {
            let skips_none =
                rest.first() == Some(&b'/') && self.run(&rest[1..], &text[t..], depth + 1) == Outcome::Match;
            if skips_none {
                return Step::Done(Outcome::Match);
            }
            slash = Slash::Ordinary;
        }
        match (rest.first(), slash) {
            (None, Slash::Separator) if text[t..].contains(&b'/') => Step::Done(Outcome::NotInThisName),
            (None, _) => Step::Done(Outcome::Match),
            (Some(b'/'), Slash::Separator) => match text[t..].find_byte(b'/') {
                Some(distance) => Step::Continue(first + stars + 1, t + distance + 1),
                None => Step::Done(Outcome::Never),
            },
            (Some(&next), _) => Step::Done(self.anywhere(rest, next, &text[t..], slash, depth)),
        }
    }

    /// Looks for a place in the text from where the `rest` of the pattern matches; `next` is its first character, and
    /// `slash` what a slash is for the star before it.
    fn anywhere(self, rest: &[u8], next: u8, text: &[u8], slash: Slash, depth: usize) -> Outcome {
        let beyond = match slash {
            Slash::Ordinary => Outcome::Never,
            Slash::Separator => Outcome::NotInThisName,
        };
        let is_end = |byte: u8| slash == Slash::Separator && byte == b'/';
        let is_next = |byte: u8| is_special(next) || self.fold(byte) == self.fold(next);
        let mut t = 0;
        while t < text.len() {
            let found = text[t..].iter().position(|byte| is_end(*byte) || is_next(*byte));
            match found.map(|distance| t + distance).filter(|at| is_next(text[*at])) {
                Some(at) => t = at,
                None => return beyond,
            }
            match self.run(rest, &text[t..], depth + 1) {
                Outcome::NoMatch if is_end(text[t]) => return Outcome::NotInThisName,
                Outcome::NoMatch => {}
                Outcome::NotInThisName if slash == Slash::Ordinary => {}
                outcome => return outcome,
            }
            t += 1;
        }
        Outcome::Never
    }

    fn fold(self, byte: u8) -> u8 {
        match self.case {
            Case::Fold => byte.to_ascii_lowercase(),
            Case::Sensitive => byte,
        }
    }
}

/// Returns the character at a position, or NUL, which is in no pattern, behind the end.
fn at(pattern: &[u8], position: usize) -> u8 {
    pattern.get(position).copied().unwrap_or(0)
}

/// Whether the class that begins at `p`, behind its bracket, holds `byte`, and where the pattern goes on; `None` if
/// the class has no end, or names what is unknown.
fn class(pattern: &[u8], mut p: usize, byte: u8, case: Case) -> Option<(bool, usize)> {
    let is_negated = matches!(at(pattern, p), b'!' | b'^');
    p += usize::from(is_negated);
    let mut is_in = false;
    // The character that a range may begin with.
    let mut previous = 0;
    loop {
        match at(pattern, p) {
            0 => return None,
            b'\\' => {
                p += 1;
                previous = Some(at(pattern, p)).filter(|escaped| *escaped != 0)?;
                is_in |= previous == byte;
            }
            b'-' if previous != 0 && !matches!(at(pattern, p + 1), 0 | b']') => {
                p += if at(pattern, p + 1) == b'\\' { 2 } else { 1 };
                let last = Some(at(pattern, p)).filter(|last| *last != 0)?;
                is_in |= is_in_range(previous, last, byte, case);
                previous = 0;
            }
            b'[' if at(pattern, p + 1) == b':' => {
                let length = pattern[p + 2..].find_byte(b']')?;
                if let Some(name) = pattern[p + 2..p + 2 + length].strip_suffix(b":") {
                    is_in |= is_named(name, byte, case)?;
                    p += 2 + length;
                    previous = 0;
                } else {
                    previous = b'[';
                    is_in |= byte == b'[';
                }
            }
            member => {
                previous = member;
                is_in |= member == byte;
            }
        }
        p += 1;
        if at(pattern, p) == b']' {
            return Some((is_in != is_negated, p + 1));
        }
    }
}

fn is_in_range(first: u8, last: u8, byte: u8, case: Case) -> bool {
    let range = first..=last;
    range.contains(&byte) || case == Case::Fold && range.contains(&byte.to_ascii_uppercase())
}

/// Whether `byte` is in the class `[:name:]`; `None` if there is no such class.
fn is_named(name: &[u8], byte: u8, case: Case) -> Option<bool> {
    Some(match name {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => matches!(byte, b' '..=b'~'),
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => matches!(byte, b' ' | b'\t' | b'\n' | b'\r'),
        b"upper" => byte.is_ascii_uppercase() || case == Case::Fold && byte.is_ascii_lowercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => return None,
    })
}
