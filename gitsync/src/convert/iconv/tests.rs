//! Holds every encoding against the iconv of this machine: all codes and all characters, in one process per name.
//!
//! The tables are those of glibc 2.36. Other versions have a few characters elsewhere, so there these tests end early.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::process::Stdio;
use std::thread;

use gix::filter::plumbing::encoding::{EUC_JP, GB18030, GBK};

use super::*;

#[test]
fn what_is_read_is_what_iconv_reads() {
    if !has_the_tables() {
        return;
    }
    let mut wrong = Vec::new();
    for charset in ALL {
        let (mut bytes, mut text) = (Vec::new(), String::new());
        for code in codes(charset.base) {
            if let Some((character, len)) = charset.first(&code)
                && len == code.len()
            {
                bytes.extend(code);
                bytes.push(b'\n');
                text.extend([character, '\n']);
            }
        }
        for name in charset.names_of_iconv() {
            let read = iconv(&["-f", name, "-t", "UTF-8"], &bytes);
            wrong.extend(difference(name, text.as_bytes(), &read));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_written_is_what_iconv_writes() {
    if !has_the_tables() {
        return;
    }
    let mut wrong = Vec::new();
    for charset in ALL {
        let (mut can, mut bytes, mut cannot) = (String::new(), Vec::new(), String::new());
        let last = if charset.base.is_single_byte() { '\u{ffff}' } else { '\u{2ffff}' };
        for character in ('\0'..=last).chain(TAGS.0..=TAGS.1) {
            match charset.write(&format!("{character}\n")) {
                Ok(Some(written)) => {
                    can.extend([character, '\n']);
                    bytes.extend(written);
                }
                Ok(None) => cannot.extend([character, '\n']),
                Err(doubt) => assert_eq!(doubt, Doubt(character)),
            }
        }
        for name in charset.names_of_iconv() {
            let written = iconv(&["-f", "UTF-8", "-t", name], can.as_bytes());
            wrong.extend(difference(name, &bytes, &written));
        }
        let written = iconv(&["-c", "-f", "UTF-8", "-t", charset.names[0]], cannot.as_bytes());
        let none = vec![b'\n'; cannot.matches('\n').count()];
        wrong.extend(difference(charset.names[0], &none, &written));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_encoding_that_differs_too_much_is_not_known() {
    for name in ["ISO-2022-JP", "big5-hkscs", "windows-1258", "koi8-ru", "x-user-defined", "utf-7"] {
        assert!(Charset::named(name).is_none(), "{name}");
    }
}

#[test]
fn no_name_is_given_twice() {
    let mut names: Vec<_> = ALL.iter().flat_map(|charset| charset.names).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[allow(clippy::disallowed_methods, reason = "only this tells the version")]
fn has_the_tables() -> bool {
    let version = std::process::Command::new("getconf").arg("GNU_LIBC_VERSION").output().unwrap();
    version.stdout.trim_ascii() == b"glibc 2.36"
}

impl Charset {
    /// Git has one name of its own.
    fn names_of_iconv(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().copied().filter(|name| *name != "latin-1")
    }
}

/// All codes that an encoding may have: of one byte or two, of three in EUC-JP, and of four in GB 18030, where those of
/// the basic plane are enough.
fn codes(base: &Encoding) -> Vec<Vec<u8>> {
    let two = || (0..=255).flat_map(|first| (0..=255).map(move |second| [first, second]));
    let mut codes: Vec<_> = (0..=255).map(|byte| vec![byte]).chain(two().map(Vec::from)).collect();
    if base == EUC_JP {
        codes.extend(two().map(|[second, third]| vec![0x8f, second, third]));
    }
    if base == GB18030 || base == GBK {
        let short = || (0x81..=0x84).flat_map(|first| (0x30..=0x39).map(move |second| [first, second]));
        let long = || (0x81..=0xfe).flat_map(|first| (0x30..=0x39).map(move |second| [first, second]));
        codes.extend(short().flat_map(|one| long().map(move |other| [one, other].concat())));
    }
    codes
}

/// Where the two differ first, as text.
fn difference(name: &str, ours: &[u8], of_iconv: &[u8]) -> Option<String> {
    let at = ours.iter().zip(of_iconv).position(|(one, other)| one != other);
    let from = at.unwrap_or(ours.len().min(of_iconv.len())).saturating_sub(8);
    let part = |bytes: &[u8]| bytes.iter().copied().skip(from).take(24).collect::<Vec<u8>>();
    (ours != of_iconv).then(|| format!("{name}: {:x?} here, {:x?} with iconv", part(ours), part(of_iconv)))
}

#[allow(clippy::disallowed_methods, reason = "iconv is the judge")]
fn iconv(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = std::process::Command::new("iconv")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        // It may end before it has read all.
        scope.spawn(move || std::io::Write::write_all(&mut stdin, input).ok());
        child.wait_with_output().unwrap().stdout
    })
}
