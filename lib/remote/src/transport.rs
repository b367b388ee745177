//! A connection to a remote, over whatever its URL says.
//!
//! gix brings the protocol; what carries it is made here, so that every way to connect has the same stall
//! limit, never prompts unasked, and can say afterwards why it failed.

mod child;
mod daemon;
mod diagnosis;
mod http;
mod local;
mod permit;
pub(crate) mod place;
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

use self::{child::Process, place::Place, wire::Wire};
use crate::{Direction, Remote, Step, Trouble, Watcher, credentials, terminal::Terminal};

/// A connection, after the handshake.
pub(crate) struct Line {
    /// Over which to speak.
    pub transport: Box<dyn Transport + Send>,
    /// What the other side said first.
    pub handshake: Handshake,
    end: End,
}

/// What is left of a connection when the protocol is done with it, or failed.
struct End {
    place: Place,
    wire: Arc<Wire>,
    process: Option<Process>,
}

impl Line {
    /// Connects, and shakes hands, with credentials where they are asked for.
    pub fn open(remote: &Remote<'_>, direction: Direction, watcher: &dyn Watcher) -> Result<Self, Trouble> {
        watcher.progress(Step::Connecting);
        let place = Place::of(remote, direction)?;
        let service = place.service;
        let wire = Arc::new(Wire::new(remote.stall(), remote.slowest()));
        let terminal = Terminal::look();
        let _asking = Asking::may_begin(watcher, &place, terminal);
        let (mut transport, end) = connect(remote, place, wire, terminal)?;
        let credentials = credentials::provider(remote.repo, terminal);
        let shake = || {
            let progress = &mut gix::progress::Discard;
            gix::protocol::handshake(&mut *transport, service, credentials, Vec::new(), progress)
        };
        // What gix takes for impossible, such as a symbolic ref that is announced and then not there, a server can say.
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

    /// Bytes that came in so far.
    pub fn received(&self) -> u64 {
        self.end.wire.received()
    }

    /// The account of what goes by.
    pub fn wire(&self) -> Arc<Wire> {
        Arc::clone(&self.end.wire)
    }

    /// How the remote is called in messages.
    pub fn called(&self) -> &str {
        &self.end.place.called
    }

    /// Says goodbye, where the protocol has a word for it, and waits for the other side to end.
    pub fn close(mut self) {
        // Whatever was asked for has been had; a peer that hangs up first is no trouble any more.
        let _ = gix::protocol::indicate_end_of_interaction(&mut *self.transport, false);
        self.hang_up();
    }

    /// Waits for the other side to end, without a word.
    pub fn hang_up(self) {
        drop(self.transport);
        self.end.close();
    }

    /// Why the connection failed with `error`.
    pub fn trouble(self, error: &gix::Error) -> Trouble {
        drop(self.transport);
        self.end.trouble(error)
    }
}

/// While somebody may be asked something.
struct Asking<'a>(&'a dyn Watcher);

impl<'a> Asking<'a> {
    /// Ssh may ask, and so may who knows the credentials for a web server, if there is a terminal to do so.
    fn may_begin(watcher: &'a dyn Watcher, place: &Place, terminal: Terminal) -> Option<Self> {
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

    fn trouble(self, error: &gix::Error) -> Trouble {
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
    place: Place,
    wire: Arc<Wire>,
    terminal: Terminal,
) -> Result<(Box<dyn Transport + Send>, End), Trouble> {
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
            return Err(Trouble::misconfigured(
                format!("{}: the protocol '{other}' is not supported", place.called),
                "use a path, or a URL with file://, ssh://, git://, http:// or https://",
            ));
        }
    };
    Ok((transport, End { place, wire, process }))
}
