//! Parses the server's report on a push, see <https://git-scm.com/docs/gitprotocol-pack#_report_status>.

use std::collections::HashMap;

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
};
use gix_packetline::decode::{self, Stream};

use super::Update;

/// A parsed report.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Why the server could not unpack the pack, if so.
    pub unpack_failed: Option<String>,
    /// By ref, as it was named in the push.
    refs: HashMap<BString, Told>,
}

/// What the server reports on one ref.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// The ref was updated, or a hook of the server did something else instead, possibly several updates.
    Updated(Vec<Made>),
    /// The ref was not updated; the server's reason.
    Refused(String),
}

/// An update made by the server, as far as it differs from the one that was requested.
#[derive(Debug, Default, PartialEq, Eq)]
struct Made {
    name: Option<BString>,
    /// The null id if the ref was deleted.
    new: Option<ObjectId>,
}

/// The meaning of a report for one update.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Made as requested.
    Made,
    /// Not made, with the server's reason, which does not tell a lost race from a rule.
    Refused(String),
    /// The server did something else instead; a description.
    Elsewhere(String),
}

/// What is wrong with a report that cannot be parsed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Garbled {
    #[error("the report on the push has no line on the pack")]
    NothingOnThePack,
    #[error("the report on the push breaks off")]
    BreaksOff,
    #[error("the report on the push is no protocol of git's")]
    NoProtocol,
}

impl Report {
    /// Returns the report of a server that has made all `updates`.
    pub fn all_made(updates: &[&Update]) -> Self {
        let made =
            |update: &&Update| (update.name.as_bstr().to_owned(), Told::Updated(vec![Made::default()]));
        Self { unpack_failed: None, refs: updates.iter().map(made).collect() }
    }

    /// Returns the result of `update`.
    pub fn verdict(&self, update: &Update) -> Verdict {
        match self.refs.get(update.name.as_bstr()) {
            Some(Told::Updated(made)) if made.iter().all(|made| !made.is_of(update)) => {
                let places: Vec<String> = made.iter().map(|made| made.told(update.name.as_bstr())).collect();
                Verdict::Elsewhere(format!("the server {} instead", places.join(", ")))
            }
            Some(Told::Updated(_)) => Verdict::Made,
            Some(Told::Refused(words)) => Verdict::Refused(words.clone()),
            None => Verdict::Refused("the server's report does not mention it".to_owned()),
        }
    }

    /// Reads an `option` line, which follows the `ok` line of an update and describes it.
    fn option(&mut self, name: Option<&BString>, option: &[u8]) -> Result<(), Garbled> {
        let Some(Told::Updated(made)) = name.and_then(|name| self.refs.get_mut(name)) else { return Ok(()) };
        let Some(made) = made.last_mut() else { return Ok(()) };
        match option.split_once_str(b" ") {
            Some((b"refname", name)) => made.name = Some(name.into()),
            Some((b"new-oid", id)) => {
                made.new = Some(ObjectId::from_hex(id).map_err(|_| Garbled::NoProtocol)?)
            }
            // The old value (`old-oid`) and `forced-update` do not change what the ref is now.
            _ => {}
        }
        Ok(())
    }
}

impl Made {
    fn is_of(&self, update: &Update) -> bool {
        let same_name = self.name.as_ref().is_none_or(|name| name == update.name.as_bstr());
        same_name && self.new.is_none_or(|new| Some(new).filter(|new| !new.is_null()) == update.new)
    }

    /// Describes what the server did with the ref that was pushed to as `asked`.
    fn told(&self, asked: &BStr) -> String {
        let name = self.name.as_ref().map_or(asked, |name| name.as_bstr());
        let shown = sanitize::line(&name.to_str_lossy());
        match self.new {
            Some(new) if new.is_null() => format!("deleted {shown}"),
            Some(new) if name == asked => format!("put {new} at {shown}"),
            Some(_) | None => format!("put it at {shown}"),
        }
    }
}

/// Parses the report in `bytes`, a sequence of packet lines.
pub(super) fn parse(mut bytes: &[u8]) -> Result<Report, Garbled> {
    let mut report = Report::default();
    let mut unpacked = false;
    let mut last = None;
    while !bytes.is_empty() {
        let (line, consumed) = match decode::streaming(bytes) {
            Ok(Stream::Complete { line, bytes_consumed }) => (line, bytes_consumed),
            Ok(Stream::Incomplete { .. }) => return Err(Garbled::BreaksOff),
            Err(_) => return Err(Garbled::NoProtocol),
        };
        bytes = &bytes[consumed..];
        let Some(line) = line.as_slice().map(|line| line.trim_end()) else { continue };
        if let Some(words) = line.strip_prefix(b"unpack ") {
            unpacked = true;
            report.unpack_failed = (words != b"ok").then(|| sanitize::line(&words.to_str_lossy()));
        } else if let Some(name) = line.strip_prefix(b"ok ") {
            let name = BString::from(name);
            match report.refs.entry(name.clone()).or_insert_with(|| Told::Updated(Vec::new())) {
                Told::Updated(made) => made.push(Made::default()),
                Told::Refused(_) => {}
            }
            last = Some(name);
        } else if let Some(refused) = line.strip_prefix(b"ng ") {
            let (name, words) = refused.split_once_str(b" ").unwrap_or((refused, b"without a reason"));
            report.refs.insert(name.into(), Told::Refused(sanitize::line(&words.to_str_lossy())));
        } else if let Some(option) = line.strip_prefix(b"option ") {
            report.option(last.as_ref(), option)?;
        }
    }
    if unpacked { Ok(report) } else { Err(Garbled::NothingOnThePack) }
}

/// The server's messages from the side band, reassembled from the pieces in which they arrive.
#[derive(Debug, Default)]
pub(super) struct Messages {
    lines: Vec<String>,
    /// The number of bytes in the lines.
    bytes: usize,
    pending: Vec<u8>,
    /// Whether the last byte was a carriage return: the next one decides whether the line is overwritten.
    returned: bool,
}

impl Messages {
    /// The number of bytes that are kept, so that a server cannot fill our memory.
    const MOST: usize = 1 << 20;

    /// Adds a piece. Text before a carriage return is progress, which the next text overwrites, unless the carriage
    /// return ends the line, as on some systems.
    pub fn hear(&mut self, piece: &[u8]) {
        for byte in piece {
            match byte {
                b'\n' => self.end_line(),
                b'\r' => self.returned = true,
                _ => {
                    if std::mem::take(&mut self.returned) {
                        self.pending.clear();
                    }
                    if self.bytes + self.pending.len() < Self::MOST {
                        self.pending.push(*byte);
                    }
                }
            }
        }
    }

    /// Returns all lines.
    pub fn into_lines(mut self) -> Vec<String> {
        if !self.pending.is_empty() && !self.returned {
            self.end_line();
        }
        self.lines
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.pending);
        self.returned = false;
        if self.bytes < Self::MOST {
            self.bytes += line.len() + 1;
            self.lines.push(sanitize::line(line.to_str_lossy().trim_end()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(name: &str) -> Update {
        let new = ObjectId::from_hex("1".repeat(40).as_bytes()).unwrap();
        Update { name: name.try_into().unwrap(), expected: None, new: Some(new) }
    }

    fn packets(lines: &[&str]) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            lines.iter().flat_map(|line| format!("{:04x}{line}", line.len() + 4).into_bytes()).collect();
        bytes.extend_from_slice(b"0000");
        bytes
    }

    #[test]
    fn a_report_tells_of_the_pack_and_of_each_ref() {
        let bytes =
            packets(&["unpack ok\n", "ok refs/heads/main\n", "ng refs/heads/x pre-receive hook declined\n"]);
        let report = parse(&bytes).unwrap();
        assert_eq!(report.unpack_failed, None);
        assert_eq!(report.verdict(&update("refs/heads/main")), Verdict::Made);
        let refused = Verdict::Refused("pre-receive hook declined".into());
        assert_eq!(report.verdict(&update("refs/heads/x")), refused);
        let unmentioned = Verdict::Refused("the server's report does not mention it".into());
        assert_eq!(report.verdict(&update("refs/heads/y")), unmentioned);
    }

    #[test]
    fn an_update_counts_as_made_only_where_the_server_says_that_it_made_this_very_one() {
        let (asked, other) = ("1".repeat(40), "2".repeat(40));
        for (options, made) in [
            (&["refname refs/heads/main", &format!("new-oid {asked}"), "forced-update"][..], None),
            (&[&format!("old-oid {other}")], None),
            (&["refname refs/pull/1/head", &format!("new-oid {asked}")], Some("put it at refs/pull/1/head")),
            (&[&format!("new-oid {other}")], Some(&*format!("put {other} at refs/heads/main"))),
            (&[&format!("new-oid {}", "0".repeat(40))], Some("deleted refs/heads/main")),
        ] {
            let mut lines = vec!["unpack ok\n".to_owned(), "ok refs/heads/main\n".to_owned()];
            lines.extend(options.iter().map(|option| format!("option {option}\n")));
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let verdict = parse(&packets(&lines)).unwrap().verdict(&update("refs/heads/main"));
            let expected =
                made.map_or(Verdict::Made, |made| Verdict::Elsewhere(format!("the server {made} instead")));
            assert_eq!(verdict, expected, "{options:?}");
        }
    }

    #[test]
    fn what_a_hook_does_besides_does_not_undo_the_update() {
        let ok = "ok refs/heads/main\n";
        let lines = ["unpack ok\n", ok, "option refname refs/pull/1/head\n", ok, "option forced-update\n"];
        assert_eq!(parse(&packets(&lines)).unwrap().verdict(&update("refs/heads/main")), Verdict::Made);
        let lines = ["unpack ok\n", ok, "option refname refs/a\n", ok, "option refname refs/b\n"];
        let elsewhere = Verdict::Elsewhere("the server put it at refs/a, put it at refs/b instead".into());
        assert_eq!(parse(&packets(&lines)).unwrap().verdict(&update("refs/heads/main")), elsewhere);
    }

    #[test]
    fn a_report_that_cannot_be_read_is_no_success() {
        assert_eq!(parse(b""), Err(Garbled::NothingOnThePack));
        assert_eq!(parse(b"0010unpack"), Err(Garbled::BreaksOff));
        assert_eq!(parse(b"<html>nope</html>"), Err(Garbled::NoProtocol));
        assert_eq!(parse(&packets(&["ok refs/heads/main\n"])), Err(Garbled::NothingOnThePack));
    }

    #[test]
    fn messages_are_put_together_from_pieces_and_progress_is_dropped() {
        let mut messages = Messages::default();
        for piece in ["hel", "lo\nresolving 10%\rresolving 20%\r", "done\n\u{1b}[31mred"] {
            messages.hear(piece.as_bytes());
        }
        assert_eq!(messages.into_lines(), ["hello", "done", "\\u{1b}[31mred"]);
    }

    #[test]
    fn a_server_that_talks_without_end_does_not_fill_the_memory() {
        for piece in [&[b'x'; 4096][..], &[b'\n'; 4096], b"short\n"] {
            let mut messages = Messages::default();
            for _ in 0..2 * Messages::MOST / piece.len() {
                messages.hear(piece);
            }
            let lines = messages.into_lines();
            let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
            assert!(bytes <= Messages::MOST + 4096, "{bytes} bytes in {} lines", lines.len());
            assert!(!lines.is_empty());
        }
    }

    #[test]
    fn a_line_that_ends_in_both_is_no_progress() {
        let mut messages = Messages::default();
        for piece in ["no pushes on a Friday\r", "\nask ops\r\n", "resolving 10%\r"] {
            messages.hear(piece.as_bytes());
        }
        assert_eq!(messages.into_lines(), ["no pushes on a Friday", "ask ops"]);
    }
}
