//! Relays connections between a client and a real server, and can slow, cut, stall or garble them at any byte.
//!
//! A made-up server fails only in the ways that its author thought of. A real one behind this relay fails in the
//! middle of whatever it is sending: a pack, a status report, the length of a pkt-line.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What happens to the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It is closed.
    Cut,
    /// Nothing passes any more in either direction, and neither end is closed.
    HeldUp,
    /// The client receives garbage, and then nothing.
    Garbled,
    /// One byte is changed, and everything after it passes unchanged.
    Flipped,
}

/// Whose bytes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The server's.
    Server,
    /// The client's.
    Client,
}

/// What happens, and when.
#[derive(Debug, Clone, Copy)]
struct Plan {
    sender: Sender,
    after: u64,
    mishap: Mishap,
}

/// How many bytes passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// From the server.
    pub server: u64,
    /// From the client.
    pub client: u64,
}

/// A relay to a server on this machine.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    to: u16,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    now: Mutex<Now>,
    done: AtomicBool,
}

#[derive(Debug, Default)]
struct Now {
    plan: Option<Plan>,
    passed: Passed,
    /// How long each piece of up to 4 KiB is delayed.
    pause: Duration,
    /// The stalled connections; dropping them would close them.
    kept: Vec<TcpStream>,
}

impl Relay {
    /// Starts a relay to the server at `port`, which passes everything on at first.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("its number").port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.done.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
                for (sender, from, into) in
                    [(Sender::Client, &client, &server), (Sender::Server, &server, &client)]
                {
                    let (from, into) =
                        (from.try_clone().expect("a socket"), into.try_clone().expect("a socket"));
                    let state = Arc::clone(&shared);
                    std::thread::spawn(move || state.pass_on(sender, from, into));
                }
            }
        });
        Self { port: own, to: port, state }
    }

    /// Returns the server's URL with the relay's port instead of its own.
    pub fn url(&self, url: &str) -> String {
        url.replace(&format!(":{}/", self.to), &format!(":{}/", self.port))
    }

    /// Makes `mishap` happen once `sender` has sent `after` more bytes, over any number of connections.
    pub fn spoil(&self, sender: Sender, after: u64, mishap: Mishap) {
        let mut now = self.state.lock();
        *now = Now { plan: Some(Plan { sender, after, mishap }), ..Now::default() };
    }

    /// Slows the relay down: every 4 KiB, in either direction, are delayed by `pause`.
    pub fn slow_down(&self, pause: Duration) {
        *self.state.lock() = Now { pause, ..Now::default() };
    }

    /// Passes everything on from now on, and resets the counts.
    pub fn mend(&self) {
        *self.state.lock() = Now::default();
    }

    /// Returns how many bytes have passed since the relay was last mended, spoilt or slowed down.
    pub fn passed(&self) -> Passed {
        self.state.lock().passed
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.done.store(true, Ordering::Relaxed);
        self.mend();
        // The thread checks the flag only when a connection arrives.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn lock(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes on what `sender` sends, until either end closes or the mishap happens.
    fn pass_on(&self, sender: Sender, mut from: TcpStream, mut into: TcpStream) {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let (pause, (passes, mishap)) = {
                let mut now = self.lock();
                (now.pause, now.judge(sender, read))
            };
            std::thread::sleep(pause);
            if into.write_all(&buffer[..passes]).is_err() {
                break;
            }
            let Some(mishap) = mishap else { continue };
            if mishap == Mishap::Flipped {
                let rest = &mut buffer[passes..read];
                let Some(byte) = rest.first_mut() else { continue };
                *byte ^= 0x10;
                self.lock().plan = None;
                if into.write_all(rest).is_err() {
                    break;
                }
                continue;
            }
            let client = if sender == Sender::Client { &mut from } else { &mut into };
            match mishap {
                Mishap::Cut | Mishap::Flipped => {}
                Mishap::HeldUp => return self.lock().kept.extend([from, into]),
                Mishap::Garbled => drop(client.write_all(b"zzzz\0\xff this is not what you came for\n")),
            }
            let _ = from.shutdown(Shutdown::Both);
            let _ = into.shutdown(Shutdown::Both);
            return;
        }
        // The other direction may still have data.
        let _ = into.shutdown(Shutdown::Write);
    }
}

impl Now {
    /// Returns how many of `bytes` pass, and what happens then.
    fn judge(&mut self, sender: Sender, bytes: usize) -> (usize, Option<Mishap>) {
        let passed = match sender {
            Sender::Server => &mut self.passed.server,
            Sender::Client => &mut self.passed.client,
        };
        let before = *passed;
        let struck = self.plan.filter(|plan| plan.sender == sender && before + bytes as u64 >= plan.after);
        let passes = match struck {
            Some(plan) => usize::try_from(plan.after.saturating_sub(before)).unwrap_or(bytes).min(bytes),
            None => bytes,
        };
        *passed += passes as u64;
        // If one direction is stalled, so is the other.
        let held = self.plan.is_some_and(|plan| plan.mishap == Mishap::HeldUp) && !self.kept.is_empty();
        if held { (0, Some(Mishap::HeldUp)) } else { (passes, struck.map(|plan| plan.mishap)) }
    }
}
