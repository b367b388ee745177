//! Converts replayed commits to the configured commit encoding.
//!
//! A commit names the encoding of its message and of its author, and a new commit is written in
//! `i18n.commitEncoding`: if the bytes were copied without the header, or the header without the bytes, every name
//! with an umlaut would become unreadable. Git's behaviour is described at
//! <https://git-scm.com/docs/git-commit#_discussion>.

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::objs::CommitRef;
use phase::commit::with_message;

use crate::convert::encoding::{from_utf8, to_utf8};

/// What a replayed commit takes over from the old one.
pub struct Kept {
    /// Its tree.
    pub tree: ObjectId,
    /// Its parents.
    pub parents: Vec<ObjectId>,
    /// Its author line, as it is in the header: dates that cannot be parsed are preserved.
    pub author: BString,
    /// The encoding that the header names.
    pub encoding: Option<BString>,
    /// Its message.
    pub message: BString,
}

/// The encoding in which commits are to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name as configured; `None` is UTF-8, for which commits have no header.
    name: Option<BString>,
}

impl Wanted {
    /// Returns the encoding that `i18n.commitEncoding` names.
    pub fn of(repo: &gix::Repository) -> Self {
        let name = repo.config_snapshot().string("i18n.commitEncoding");
        Self { name: name.filter(|name| !name.is_empty() && !is_utf8(name.as_bstr())) }
    }

    /// Reads the commit whose object is `data`, and converts it to this encoding.
    ///
    /// As in git, a commit that cannot be represented in this encoding, or whose own encoding is unknown, keeps its
    /// bytes; if UTF-8 is wanted, each byte that is not valid UTF-8 is then taken for Latin-1.
    ///
    /// # Errors
    /// It is not a commit.
    pub fn read(&self, data: &[u8], hash: gix::hash::Kind) -> anyhow::Result<Kept> {
        let parse = |data: &[u8]| -> anyhow::Result<(Kept, Option<BString>)> {
            let data = with_message(data);
            let commit = CommitRef::from_bytes(&data, hash)?;
            let kept = Kept {
                tree: commit.tree(),
                parents: commit.parents().collect(),
                author: commit.author.to_owned(),
                encoding: self.name.clone(),
                message: commit.message.to_owned(),
            };
            Ok((kept, commit.encoding.map(ToOwned::to_owned)))
        };
        let (kept, from) = parse(data)?;
        let recoded =
            self.recoded(data, from.as_ref().map(|name| name.as_bstr())).and_then(|data| parse(&data).ok());
        let mut kept = recoded.map_or(kept, |(kept, _)| kept);
        if self.name.is_none() {
            make_utf8(&mut kept.author);
            make_utf8(&mut kept.message);
        }
        Ok(kept)
    }

    /// Converts the object as a whole, as git does: if the author cannot be converted, the message is not either.
    fn recoded(&self, data: &[u8], from: Option<&BStr>) -> Option<Vec<u8>> {
        let from = from.filter(|name| !is_utf8(name));
        let text = match from {
            Some(name) => BString::from(to_utf8(data, name.to_str().ok()?, &[]).ok()?),
            None => BString::from(data.to_str().ok()?),
        };
        match &self.name {
            Some(name) => from_utf8(&text, name.to_str().ok()?).ok()?,
            None => Some(text.into()),
        }
    }
}

/// Whether git takes this for a name of UTF-8.
fn is_utf8(name: &BStr) -> bool {
    name.eq_ignore_ascii_case(b"utf-8") || name.eq_ignore_ascii_case(b"utf8")
}

fn make_utf8(text: &mut BString) {
    if text.to_str().is_ok() {
        return;
    }
    let mut made = String::with_capacity(text.len() + 16);
    for chunk in text.utf8_chunks() {
        made.push_str(chunk.valid());
        made.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
    }
    *text = made.into();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wanted: Option<&str>, header: &str, name: &[u8], message: &[u8]) -> (BString, BString) {
        let mut data = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor ".to_vec();
        data.extend_from_slice(name);
        data.extend_from_slice(b" <m@example.com> 1 +0000\ncommitter M <m@example.com> 1 +0000\n");
        data.extend_from_slice(header.as_bytes());
        data.push(b'\n');
        data.extend_from_slice(message);
        let wanted = Wanted { name: wanted.map(BString::from) };
        let commit = wanted.read(&data, gix::hash::Kind::Sha1).unwrap();
        assert_eq!(commit.encoding, wanted.name);
        (phase::author::signature(commit.author.as_ref()).name, commit.message)
    }

    #[test]
    fn both_ways_the_words_stay_what_they_are() {
        let latin = (BString::from(b"\xdcnal"), BString::from(b"gr\xfcn\n"));
        let utf8 = (BString::from("Ünal"), BString::from("grün\n"));
        assert_eq!(read(None, "encoding ISO-8859-1\n", &latin.0, &latin.1), utf8);
        assert_eq!(read(Some("ISO-8859-1"), "", &utf8.0, &utf8.1), latin);
        assert_eq!(read(Some("latin1"), "encoding ISO-8859-1\n", &latin.0, &latin.1), latin);
    }

    #[test]
    fn what_an_encoding_cannot_hold_keeps_its_bytes_and_so_does_the_author() {
        let euro = (BString::from("Ünal"), BString::from("5 €\n"));
        assert_eq!(read(Some("ISO-8859-1"), "", &euro.0, &euro.1), euro);
    }

    #[test]
    fn bytes_of_an_unknown_encoding_are_taken_for_latin_1() {
        let utf8 = (BString::from("Ünal"), BString::from("grün ü\n"));
        assert_eq!(read(None, "encoding KLINGON\n", b"\xdcnal", b"gr\xfcn \xc3\xbc\n"), utf8);
    }
}
