//! Sends a push and reads the server's answer: commands, pack, report.
//!
//! See <https://git-scm.com/docs/gitprotocol-pack#_pushing_data_to_a_server>.

use std::io::{self, Write};

use gix::bstr::BString;
use gix_transport::client::{
    MessageKind, WriteMode,
    blocking_io::{ReadlineBufRead, RequestWriter},
};
use store::pack::{
    Item, Receiver,
    encoded_entries::EncodedEntries,
    write::{self, Failure, Offsets, Options},
};

use super::{
    Update,
    report::{self, Messages, Report},
};
use crate::{Step, Watcher, transport::Connection};

/// A push, ready to be sent.
pub(super) struct Request<'a> {
    pub updates: Vec<&'a Update>,
    /// The objects that were prepared in advance.
    pub ready: &'a EncodedEntries,
    /// The other objects to send.
    pub items: &'a [Item],
    pub features: Features,
}

/// The server's capabilities that this push uses.
#[derive(Debug, Clone)]
pub(super) struct Features {
    /// The capabilities as the server expects them after the first command.
    pub line: String,
    /// Whether the report arrives in side band 1, separate from messages.
    pub side_band: bool,
    pub offsets: Offsets,
    /// Whether the server accepts a thin pack.
    pub thin: bool,
    /// Push options for the server's hooks.
    pub options: Vec<BString>,
}

/// The result of sending.
pub(super) struct Sent {
    pub report: Report,
    pub messages: Vec<String>,
    pub bytes: u64,
}

/// Why there is no report.
pub(super) struct Broken {
    pub why: Why,
    /// The server's messages before that.
    pub messages: Vec<String>,
}

/// What has failed.
pub(super) enum Why {
    /// The connection broke, or what the server sent is invalid.
    Connection(gix::Error),
    /// Our own objects could not be read.
    Objects(gix::Error),
}

/// Sends `request`, and reads the report.
pub(super) fn send(
    repo: &gix::Repository,
    line: &mut Connection,
    request: &Request<'_>,
    watcher: &dyn Watcher,
) -> Result<Sent, Broken> {
    let silent = |why| Broken { why, messages: Vec::new() };
    let connection = |error: io::Error| silent(Why::Connection(gix::Error::from_error(error)));
    let mut writer = line
        .transport
        .request(WriteMode::Binary, MessageKind::Flush, false)
        .map_err(|error| silent(Why::Connection(gix::Error::from_error(error))))?;
    let commands = commands(repo, request).map_err(|error| silent(Why::Objects(error)))?;
    let begun = commands
        .iter()
        .try_for_each(|command| writer.write_all(command))
        .and_then(|()| writer.write_message(MessageKind::Flush))
        .and_then(|()| options(&mut writer, &request.features.options));
    let (raw, mut reader) = writer.into_parts();
    let written = begun.map_err(Failure::Sink).and_then(|()| pack(repo, request, raw, watcher));
    let (bytes, unsent) = match written {
        Ok(bytes) => (bytes, None),
        Err(Failure::Source(error)) => return Err(silent(Why::Objects(error))),
        // A server that rejects the input says why before it hangs up.
        Err(Failure::Sink(error)) => (0, Some(error)),
    };
    let mut heard = Messages::default();
    let answer = read(&mut reader, request.features.side_band, &mut heard, watcher);
    let messages = heard.into_lines();
    match (answer.map(|bytes| report::parse(&bytes)), unsent) {
        (Ok(Ok(report)), _) => Ok(Sent { report, messages, bytes }),
        (_, Some(error)) | (Err(error), None) => Err(Broken { messages, ..connection(error) }),
        (Ok(Err(garbled)), None) => Err(Broken { messages, ..connection(io::Error::other(garbled)) }),
    }
}

/// Writes one packet per option, if there are any.
fn options(writer: &mut RequestWriter<'_>, options: &[BString]) -> io::Result<()> {
    if options.is_empty() {
        return Ok(());
    }
    options.iter().try_for_each(|option| writer.write_all(option))?;
    writer.write_message(MessageKind::Flush)
}

/// Returns one packet per command; the first carries the capabilities.
fn commands(repo: &gix::Repository, request: &Request<'_>) -> gix::Result<Vec<Vec<u8>>> {
    let nothing = repo.object_hash().null();
    let mut commands: Vec<Vec<u8>> = Vec::new();
    if let Some(shallow) = repo.shallow_commits()? {
        commands.extend(shallow.iter().map(|id| format!("shallow {id}").into_bytes()));
    }
    for (at, update) in request.updates.iter().enumerate() {
        let old = update.expected.unwrap_or(nothing);
        let new = update.new.unwrap_or(nothing);
        let mut command = format!("{old} {new} ").into_bytes();
        command.extend_from_slice(update.name.as_bstr());
        if at == 0 {
            command.push(0);
            command.extend_from_slice(request.features.line.as_bytes());
        }
        commands.push(command);
    }
    Ok(commands)
}

/// Sends the pack, unless all updates are deletions; without new objects, an empty pack.
fn pack(
    repo: &gix::Repository,
    request: &Request<'_>,
    raw: Box<dyn Write + '_>,
    watcher: &dyn Watcher,
) -> Result<u64, Failure> {
    let mut out = io::BufWriter::with_capacity(64 * 1024, raw);
    if request.updates.iter().all(|update| update.new.is_none()) {
        return out.flush().map(|()| 0).map_err(Failure::Sink);
    }
    let of = request.ready.count() + request.items.len();
    let Features { offsets, thin, .. } = request.features;
    let options = Options { thin, ..Options::of(repo, Receiver::Server, offsets) };
    let told = &mut |objects, bytes| watcher.progress(Step::Sending { objects, of, bytes });
    Ok(write::write(repo, request.ready, request.items, options, &mut out, told)?.bytes)
}

/// The maximal number of bytes of a report, which has a line or two for each ref, so that a server cannot fill our
/// memory.
const LONGEST: usize = 1 << 26;

/// Reads the server's answer, and returns the bytes of the report. The other bands carry messages.
///
/// The bands are separated here, since gix strips the line ends of messages, which separate their lines.
fn read(
    reader: &mut dyn ReadlineBufRead,
    side_band: bool,
    heard: &mut Messages,
    watcher: &dyn Watcher,
) -> io::Result<Vec<u8>> {
    let mut report = Vec::new();
    while let Some(line) = reader.readline() {
        watcher.progress(Step::Awaiting);
        let line = line?.map_err(io::Error::other)?;
        let Some(content) = line.as_slice() else { continue };
        match (side_band, content.split_first()) {
            (true, Some((1, content))) => report.extend_from_slice(content),
            (true, Some((2 | 3, content))) => heard.hear(content),
            (true, Some(_)) => return Err(io::Error::other("the server uses a band that there is not")),
            (true, None) => {}
            // Without side bands, the lines are the report; their packet-line headers are restored.
            (false, _) => {
                report.extend_from_slice(format!("{:04x}", content.len() + 4).as_bytes());
                report.extend_from_slice(content);
            }
        }
        if report.len() > LONGEST {
            return Err(io::Error::other("the report on the push is too long"));
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends the same line for ever; the number of bytes sent.
    struct Endless(usize);

    impl io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let line = b"0018\x01ok refs/heads/main\n";
            buffer
                .iter_mut()
                .zip(line.iter().cycle().skip(self.0 % line.len()))
                .for_each(|(to, byte)| *to = *byte);
            self.0 += buffer.len();
            Ok(buffer.len())
        }
    }

    #[test]
    fn a_report_that_does_not_end_is_given_up() {
        for side_band in [true, false] {
            let mut lines = gix_packetline::blocking_io::StreamingPeekableIter::new(Endless(0), &[], false);
            let read = read(&mut lines.as_read(), side_band, &mut Messages::default(), &crate::Unwatched);
            assert!(read.unwrap_err().to_string().contains("too long"));
        }
    }
}
