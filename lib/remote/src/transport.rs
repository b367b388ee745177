//! Connects to a remote, over the protocol that its URL names.
//!
//! gix implements git's protocol; the transports are implemented here, so that each of them has the same stall limit,
//! never prompts without a terminal, and can say afterwards why it failed.

mod child;
mod daemon;
mod diagnosis;
pub(crate) mod endpoint;
mod http;
mod local;
mod permit;
mod queue;
mod ssh;
mod whole;
pub(crate) mod wire;

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use gix::protocol::Handshake;
use gix_transport::client::{Error as TransportError, blocking_io::Transport};

use self::{child::Process, endpoint::Endpoint, wire::Traffic};
use crate::{Direction, Remote, RemoteError, Step, Watcher, credentials, terminal::Terminal};

/// A connection, after the handshake.
pub(crate) struct Connection {
    /// The transport of the protocol.
    pub transport: Box<dyn Transport + Send>,
    /// The server's answer to the handshake.
    pub handshake: Handshake,
    end: End,
}

/// What remains of a connection when the protocol has ended, or failed.
struct End {
    place: Endpoint,
    wire: Arc<Traffic>,
    process: Option<Process>,
}

impl Connection {
    /// Connects and performs the handshake, with credentials if they are asked for.
    pub fn open(
        remote: &Remote<'_>,
        direction: Direction,
        watcher: &dyn Watcher,
    ) -> Result<Self, RemoteError> {
        watcher.progress(Step::Connecting);
        let place = Endpoint::of(remote, direction)?;
        let service = place.service;
        let wire = Arc::new(Traffic::new(remote.stall(), remote.slowest()));
        let terminal = Terminal::look();
        let _asking = Asking::may_begin(watcher, &place, terminal);
        let (mut transport, end) = connect(remote, place, wire, terminal)?;
        let credentials = credentials::provider(remote.repo, terminal);
        let shake = || {
            let progress = &mut gix::progress::Discard;
            gix::protocol::handshake(&mut *transport, service, credentials, Vec::new(), progress)
        };
        // A server can send what gix considers impossible and panics on, such as a symbolic ref that is announced but
        // not listed.
        let shaken = catch_unwind(AssertUnwindSafe(shake)).unwrap_or_else(|_panic| {
            Err(gix::Error::from_error(io::Error::other("what it says makes no sense")))
        });
        match shaken {
            Ok(handshake) if diagnosis::names_objects_otherwise(&handshake) => {
                drop(transport);
                let called = end.place.called.clone();
                end.close();
                Err(diagnosis::of_other_names(&called))
            }
            Ok(handshake) => Ok(Self { transport, handshake, end }),
            Err(error) => {
                drop(transport);
                Err(end.trouble(&error))
            }
        }
    }

    /// Returns the number of bytes received so far.
    pub fn received(&self) -> u64 {
        self.end.wire.received()
    }

    /// Returns the record of the connection.
    pub fn wire(&self) -> Arc<Traffic> {
        Arc::clone(&self.end.wire)
    }

    /// Returns how messages refer to the remote.
    pub fn called(&self) -> &str {
        &self.end.place.called
    }

    /// Ends the conversation, if the protocol has a message for that, and waits for the other side to exit.
    pub fn close(mut self) {
        // Everything that was asked for has arrived; a peer that hangs up first is not an error any more.
        let _ = gix::protocol::indicate_end_of_interaction(&mut *self.transport, false);
        self.hang_up();
    }

    /// Waits for the other side to exit, without a final message.
    pub fn hang_up(self) {
        drop(self.transport);
        self.end.close();
    }

    /// Returns why the connection failed with `error`.
    pub fn trouble(self, error: &gix::Error) -> RemoteError {
        drop(self.transport);
        self.end.trouble(error)
    }
}

/// The time during which the user may be prompted.
struct Asking<'a>(&'a dyn Watcher);

impl<'a> Asking<'a> {
    /// Begins that time, if there is a terminal: ssh may prompt, and so may the sources of credentials for a web
    /// server.
    fn may_begin(watcher: &'a dyn Watcher, place: &Endpoint, terminal: Terminal) -> Option<Self> {
        use gix::url::Scheme;
        let asks = matches!(place.url.scheme, Scheme::Ssh | Scheme::Http | Scheme::Https);
        (asks && terminal == Terminal::Present).then(|| {
            watcher.progress(Step::MayAsk);
            Self(watcher)
        })
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.progress(Step::Answered);
    }
}

impl End {
    fn close(self) {
        if let Some(process) = self.process {
            process.see_off();
        }
    }

    fn trouble(self, error: &gix::Error) -> RemoteError {
        let exit = self.process.and_then(Process::see_off);
        diagnosis::of(&diagnosis::Scene {
            place: &self.place,
            account: &self.wire.account(),
            limit: self.wire.limit,
            exit,
            error,
        })
    }
}

fn connect(
    remote: &Remote<'_>,
    place: Endpoint,
    wire: Arc<Traffic>,
    terminal: Terminal,
) -> Result<(Box<dyn Transport + Send>, End), RemoteError> {
    use gix::url::Scheme;
    let (transport, process) = match &place.url.scheme {
        Scheme::File => {
            let (transport, process) = local::open(&place, &wire, terminal)?;
            (transport, Some(process))
        }
        Scheme::Ssh => {
            let (transport, process) = ssh::open(remote.repo, &place, &wire, terminal)?;
            (transport, Some(process))
        }
        Scheme::Git => match daemon::open(&place, &wire) {
            Ok(transport) => (transport, None),
            Err(error) => {
                let error = gix::Error::from_error(TransportError::Io(error));
                return Err(End { place, wire, process: None }.trouble(&error));
            }
        },
        Scheme::Http | Scheme::Https => (http::open(remote.repo, remote.name(), &place, &wire)?, None),
        other => {
            return Err(RemoteError::misconfigured(
                format!("{}: the protocol '{other}' is not supported", place.called),
                "use a path, or a URL with file://, ssh://, git://, http:// or https://",
            ));
        }
    };
    Ok((transport, End { place, wire, process }))
}
