//! Servers that take a connection and then do not do what they should.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What a server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It says nothing, for ever.
    Silent,
    /// It says something that is no protocol of git's.
    Garbage,
    /// It hangs up at once.
    HangsUp,
}

/// A server with bad manners.
#[derive(Debug)]
pub struct Misbehaving {
    port: u16,
    done: Arc<AtomicBool>,
}

impl Misbehaving {
    /// Starts one.
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let done = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&done);
        std::thread::spawn(move || {
            // Those that nothing is said to are kept, or they would be hung up on.
            let mut kept = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                match manner {
                    Manner::Silent => kept.push(stream),
                    Manner::Garbage => babble(stream),
                    Manner::HangsUp => drop(stream),
                }
            }
        });
        Self { port, done }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        // The thread looks up only when somebody comes.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn babble(mut stream: TcpStream) {
    let mut request = [0; 64];
    let _ = stream.read(&mut request);
    let _ = stream.write_all(b"zzzz\0\xff this is not what you came for\n");
}
