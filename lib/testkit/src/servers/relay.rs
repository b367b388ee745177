//! A line between a client and a real server that can be slow, and cut, held up or garbled at any byte.
//!
//! What a made-up server does wrong is what its author thought of. A real one behind this relay fails in the middle of
//! whatever it happens to be saying: a pack, a report, the length of a packet.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What becomes of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It is cut.
    Cut,
    /// Nothing passes any more, either way, and nobody hangs up.
    HeldUp,
    /// Noise comes out at the client's end, and then nothing.
    Garbled,
    /// One byte comes out as another one, and the line is fine from then on.
    Flipped,
}

/// Whose bytes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// What the server says.
    Server,
    /// What the client says.
    Client,
}

/// When, and what.
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

/// A line to a server on this machine.
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
    /// How long each piece of some thousand bytes takes.
    pause: Duration,
    /// Those that are held up; they would be hung up on if nobody kept them.
    kept: Vec<TcpStream>,
}

impl Relay {
    /// A line to the server at `port`, on which nothing goes wrong yet.
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

    /// A URL of the server's, by way of this line.
    pub fn url(&self, url: &str) -> String {
        url.replace(&format!(":{}/", self.to), &format!(":{}/", self.port))
    }

    /// Has `mishap` befall the line once `sender` has said `after` bytes more, in however many connections.
    pub fn spoil(&self, sender: Sender, after: u64, mishap: Mishap) {
        let mut now = self.state.lock();
        *now = Now { plan: Some(Plan { sender, after, mishap }), ..Now::default() };
    }

    /// Makes a slow line of it: every 4 KiB, either way, take as long as `pause`.
    pub fn slow_down(&self, pause: Duration) {
        *self.state.lock() = Now { pause, ..Now::default() };
    }

    /// Lets everything pass from now on, and counts anew.
    pub fn mend(&self) {
        *self.state.lock() = Now::default();
    }

    /// What has passed since the line was last mended or spoilt.
    pub fn passed(&self) -> Passed {
        self.state.lock().passed
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.done.store(true, Ordering::Relaxed);
        self.mend();
        // The thread looks up only when somebody comes.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn lock(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes on what `sender` says, until either end closes or the plan strikes.
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
        // The other direction may have more to say.
        let _ = into.shutdown(Shutdown::Write);
    }
}

impl Now {
    /// How many of `bytes` pass, and what happens then.
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
        // On a line that is held up, the other direction is as well.
        let held = self.plan.is_some_and(|plan| plan.mishap == Mishap::HeldUp) && !self.kept.is_empty();
        if held { (0, Some(Mishap::HeldUp)) } else { (passes, struck.map(|plan| plan.mishap)) }
    }
}
