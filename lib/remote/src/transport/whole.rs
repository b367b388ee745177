//! Removes `thin-pack` from the requests to a server on this machine.
//!
//! Over a network, a thin pack pays off: it is a fraction of the size. But finding delta bases that the client has
//! takes the server about twice as long, and adding these to the pack takes time here; between two processes of one
//! machine nothing is gained for that. gix always asks for a thin pack, so the request is filtered.

use std::io::{self, Write};

/// The line of a fetch request, in version 2 of the protocol.
const THIN: &[u8] = b"thin-pack";

/// A writer that passes on everything but that line.
pub(super) struct Whole<W> {
    to: W,
    /// How many bytes of the current line are still to come.
    of_line: usize,
}

impl<W> Whole<W> {
    pub fn new(to: W) -> Self {
        Self { to, of_line: 0 }
    }
}

impl<W: Write> Write for Whole<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut passed = self.of_line.min(bytes.len());
        self.of_line -= passed;
        while let Some(line) = line(&bytes[passed..]) {
            let len = line.len.min(bytes.len() - passed);
            if len == line.len && line.says(&bytes[passed..], THIN) {
                self.to.write_all(&bytes[..passed])?;
                return Ok(passed + len);
            }
            passed += len;
            self.of_line = line.len - len;
        }
        // Data that does not begin with a packet line is passed on as well: the server reports what is wrong with it.
        self.to.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A packet line of the given length, see <https://git-scm.com/docs/gitprotocol-common#_pkt_line_format>.
struct Line {
    len: usize,
}

/// Returns the line that `bytes` begin with; `None` if they do not contain its length.
fn line(bytes: &[u8]) -> Option<Line> {
    let digits = std::str::from_utf8(bytes.first_chunk::<4>()?).ok()?;
    // Lengths below 4 denote special packets, which consist of the digits only.
    Some(Line { len: usize::from_str_radix(digits, 16).ok()?.max(4) })
}

impl Line {
    fn says(&self, bytes: &[u8], words: &[u8]) -> bool {
        bytes.get(4..self.len).is_some_and(|content| content.strip_suffix(b"\n").unwrap_or(content) == words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(pieces: &[&[u8]]) -> String {
        let mut whole = Whole::new(Vec::new());
        pieces.iter().for_each(|piece| whole.write_all(piece).unwrap());
        String::from_utf8(whole.to).unwrap()
    }

    #[test]
    fn only_the_line_that_asks_for_a_thin_pack_is_missing() {
        let request = b"0011command=fetch0001000ethin-pack\n000dofs-delta0009done\n0000";
        assert_eq!(passed(&[request]), "0011command=fetch0001000dofs-delta0009done\n0000");
        assert_eq!(passed(&[b"000dthin-pack", b"0000"]), "0000");
    }

    #[test]
    fn the_same_words_within_a_line_are_not_that_line() {
        let name = b"0028ref-prefix refs/heads/000ethin-pack\n0000";
        assert_eq!(passed(&[name]).as_bytes(), name);
        for at in 4..name.len() - 3 {
            let (one, other) = name.split_at(at);
            assert_eq!(passed(&[one, other]).as_bytes(), name, "in two pieces at {at}");
        }
    }

    #[test]
    fn what_is_no_line_is_passed_on() {
        for strange in [b"garbage".as_slice(), b"00", b"zzzzthin-pack", b"000\xff"] {
            let mut whole = Whole::new(Vec::new());
            whole.write_all(strange).unwrap();
            assert_eq!(whole.to, strange);
        }
    }
}
