//! Connects to a `git daemon`: git's protocol over plain TCP.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    sync::Arc,
};

use gix_transport::client::{
    blocking_io::Transport,
    git::{ConnectMode, blocking_io::Connection},
};

use super::{
    endpoint::Endpoint,
    wire::{Fault, Traffic, gathered},
};

/// The default port of `git daemon`.
const PORT: u16 = 9418;

/// Connects to the daemon at `place`; records a failure in `wire`.
pub(super) fn open(place: &Endpoint, wire: &Arc<Traffic>) -> io::Result<Box<dyn Transport + Send>> {
    let host = place.url.host().unwrap_or_default().to_owned();
    let stream = connect(&host, place.url.port.unwrap_or(PORT), wire)
        .inspect_err(|error| wire.fault(Fault::Connect(error.to_string())))?;
    stream.set_read_timeout(Some(wire.limit))?;
    stream.set_write_timeout(Some(wire.limit))?;
    let write = Socket { stream: stream.try_clone()?, wire: Arc::clone(wire) };
    let read = Socket { stream, wire: Arc::clone(wire) };
    let virtual_host = Some((host, place.url.port));
    let path = place.url.path.clone();
    Ok(Box::new(
        Connection::new(
            read,
            gathered(write),
            place.protocol,
            path,
            virtual_host,
            ConnectMode::Daemon,
            false,
        )
        .custom_url(Some(place.url.to_bstring())),
    ))
}

/// Connects to the first address that accepts.
fn connect(host: &str, port: u16, wire: &Traffic) -> io::Result<TcpStream> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, wire.limit) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

struct Socket {
    stream: TcpStream,
    wire: Arc<Traffic>,
}

impl Socket {
    fn explain(&self, error: io::Error) -> io::Error {
        match error.kind() {
            // The error kind of a socket timeout depends on the platform.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.wire.stall(),
            _ => error,
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer).map_err(|error| self.explain(error))?;
        self.wire.count_received(read);
        Ok(read)
    }
}

impl Write for Socket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.wire.has_stalled() {
            return Err(self.wire.stall());
        }
        let written = self.stream.write(buffer).map_err(|error| self.explain(error))?;
        self.wire.count_sent(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
