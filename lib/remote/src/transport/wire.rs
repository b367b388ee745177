//! Records what is known of a connection besides the protocol.
//!
//! That is the number of bytes, what the program at its end wrote to stderr, what the HTTP server answered, and
//! whether it stalled. gix reports a broken connection as "an I/O error". The reason comes from elsewhere, from ssh's
//! stderr or a server's status line, and would be lost to the user if it were not recorded here.

use std::{
    io,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The record of one connection, shared by all code that works on it.
#[derive(Debug)]
pub(crate) struct Traffic {
    /// How long no byte may be transferred before the connection counts as stalled.
    pub limit: Duration,
    /// The least number of bytes per second, below which the connection counts as stalled; 0 for no such rule.
    pub slowest: u64,
    received: AtomicU64,
    sent: AtomicU64,
    account: Mutex<Diagnostics>,
}

/// What happened besides the protocol.
#[derive(Debug, Clone, Default)]
pub(crate) struct Diagnostics {
    /// No byte was transferred within the limit.
    pub stalled: bool,
    /// Lines that the program at the other end wrote to its stderr.
    pub words: Vec<String>,
    /// The first line of its stdout, if that is not git's protocol.
    pub chatter: Option<String>,
    /// What failed below the protocol.
    pub fault: Option<Fault>,
}

/// A failure that the transport itself detected, with its description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No connection could be made.
    Connect(String),
    /// The connection is not secure: a certificate that is not trusted.
    Certificate(String),
    /// The server wants credentials, or other ones than it got.
    Credentials(String),
    /// The proxy wants credentials, or other ones than it got.
    ProxyCredentials(String),
    /// An HTTP status other than success.
    Status { code: u16, words: String },
    /// There is a web server, but no git repository at that address.
    NotGit(String),
    /// A setting that cannot be used.
    Setting(String),
}

/// Returns a buffered writer, so that what belongs together is sent at once: gix writes a packet line in three
/// pieces, and a negotiation has hundreds of lines. Each piece by itself would wake the other side.
pub(super) fn gathered<W: io::Write>(out: W) -> io::BufWriter<W> {
    // As much as a pipe holds.
    io::BufWriter::with_capacity(64 * 1024, out)
}

impl Traffic {
    pub fn new(limit: Duration, slowest: u64) -> Self {
        Self {
            limit,
            slowest,
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            account: Mutex::default(),
        }
    }

    pub fn count_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub fn count_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Records that the limit has passed, and returns the error for the protocol.
    pub fn stall(&self) -> io::Error {
        self.update(|account| account.stalled = true);
        io::Error::new(io::ErrorKind::TimedOut, "the connection stalled")
    }

    /// Whether the connection has stalled: what remains to be sent need not wait for the limit again.
    pub fn has_stalled(&self) -> bool {
        self.account.lock().unwrap_or_else(std::sync::PoisonError::into_inner).stalled
    }

    /// Keeps a line of the other side's stderr; the last lines matter most, since programs report there why they
    /// exit.
    pub fn heard(&self, line: String) {
        const KEPT: usize = 40;
        self.update(|account| {
            if account.words.len() == KEPT {
                account.words.remove(0);
            }
            account.words.push(line);
        });
    }

    /// Examines the first bytes received. A login may print something before git's server is started, or instead of
    /// it; the protocol begins with four hexadecimal digits.
    pub fn began(&self, chunk: &[u8]) {
        const SHOWN: usize = 200;
        if chunk.iter().take(4).all(u8::is_ascii_hexdigit) {
            return;
        }
        let text = String::from_utf8_lossy(&chunk[..chunk.len().min(SHOWN)]);
        let line = text.lines().map(|line| sanitize::line(line.trim())).find(|line| !line.is_empty());
        self.update(|account| account.chatter = line);
    }

    /// Keeps the first fault: later ones are its consequences.
    pub fn fault(&self, fault: Fault) {
        self.update(|account| {
            account.fault.get_or_insert(fault);
        });
    }

    /// Forgets that credentials were asked for, once they were accepted.
    pub fn forgive(&self) {
        self.update(|account| {
            account.fault.take_if(|fault| matches!(fault, Fault::Credentials(_)));
        });
    }

    pub fn account(&self) -> Diagnostics {
        self.account.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn update(&self, change: impl FnOnce(&mut Diagnostics)) {
        change(&mut self.account.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}
