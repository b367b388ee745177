//! What the server reports after a push, see
//! <https://git-scm.com/docs/gitprotocol-pack#_report_status>.

use std::collections::HashMap;

use gix::bstr::{BString, ByteSlice};
use gix_packetline::decode::{self, Stream};

/// A parsed report.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Why the pack was not taken, if it was not.
    pub unpack_failed: Option<String>,
    /// By ref: the server's words, if it was not updated.
    pub refs: HashMap<BString, Result<(), String>>,
}

/// What is wrong with a report that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Garbled {
    #[error("the report on the push has no line on the pack")]
    NothingOnThePack,
    #[error("the report on the push breaks off")]
    BreaksOff,
    #[error("the report on the push is no protocol of git's")]
    NoProtocol,
}

/// Reads the report in `bytes`, which is a sequence of packet lines.
pub(super) fn parse(mut bytes: &[u8]) -> Result<Report, Garbled> {
    let mut report = Report::default();
    let mut unpacked = false;
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
            report.unpack_failed = (words != b"ok").then(|| words::line(&words.to_str_lossy()));
        } else if let Some(name) = line.strip_prefix(b"ok ") {
            report.refs.insert(name.into(), Ok(()));
        } else if let Some(refused) = line.strip_prefix(b"ng ") {
            let (name, words) = refused.split_once_str(b" ").unwrap_or((refused, b"without a reason"));
            report.refs.insert(name.into(), Err(words::line(&words.to_str_lossy())));
        }
        // `option …` lines say what a hook made of an update; the next listing tells that too.
    }
    if unpacked { Ok(report) } else { Err(Garbled::NothingOnThePack) }
}

/// The server's messages on the side, put together again from the pieces in which they come.
#[derive(Debug, Default)]
pub(super) struct Messages {
    lines: Vec<String>,
    pending: Vec<u8>,
}

impl Messages {
    /// A piece came. Lines that end in a carriage return are progress, and are overwritten by the next.
    pub fn hear(&mut self, piece: &[u8]) {
        for byte in piece {
            match byte {
                b'\n' => self.end_line(),
                b'\r' => self.pending.clear(),
                _ => self.pending.push(*byte),
            }
        }
    }

    /// All lines.
    pub fn into_lines(mut self) -> Vec<String> {
        if !self.pending.is_empty() {
            self.end_line();
        }
        self.lines
    }

    fn end_line(&mut self) {
        // A server may send what it likes, but not fill our memory.
        const MOST: usize = 10_000;
        let line = std::mem::take(&mut self.pending);
        if self.lines.len() < MOST {
            self.lines.push(words::line(line.to_str_lossy().trim_end()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(lines: &[&str]) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            lines.iter().flat_map(|line| format!("{:04x}{line}", line.len() + 4).into_bytes()).collect();
        bytes.extend_from_slice(b"0000");
        bytes
    }

    #[test]
    fn a_report_tells_of_the_pack_and_of_each_ref() {
        let bytes = packets(&[
            "unpack ok\n",
            "ok refs/heads/main\n",
            "option refname refs/heads/other\n",
            "ng refs/heads/x pre-receive hook declined\n",
        ]);
        let report = parse(&bytes).unwrap();
        assert_eq!(report.unpack_failed, None);
        assert_eq!(report.refs[&BString::from("refs/heads/main")], Ok(()));
        assert_eq!(report.refs[&BString::from("refs/heads/x")], Err("pre-receive hook declined".into()));
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
}
