//! Starts servers that accept a connection and then misbehave.

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
    /// It never sends anything.
    Silent,
    /// It sends something that is not git's protocol.
    Garbage,
    /// It closes the connection immediately.
    HangsUp,
}

/// A server that misbehaves.
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
            // Silent connections are kept, because dropping them would close them.
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

    /// Returns its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        // The thread checks the flag only when a connection arrives.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn babble(mut stream: TcpStream) {
    let mut request = [0; 64];
    let _ = stream.read(&mut request);
    let _ = stream.write_all(b"zzzz\0\xff this is not what you came for\n");
}
