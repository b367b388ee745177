//! Starts a server that sends prepared bytes, whatever the request is.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A server that sends the same bytes over every connection, and then closes it.
#[derive(Debug)]
pub struct Scripted {
    port: u16,
    words: Arc<Mutex<Vec<u8>>>,
    done: Arc<AtomicBool>,
}

impl Scripted {
    /// Starts one that sends nothing yet.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let words = Arc::new(Mutex::new(Vec::new()));
        let done = Arc::new(AtomicBool::new(false));
        let (text, ended) = (Arc::clone(&words), Arc::clone(&done));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let words = text.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // The next connection need not wait until this one is closed.
                std::thread::spawn(move || speak(stream, &words));
            }
        });
        Self { port, words, done }
    }

    /// Sets the bytes that it sends over connections from now on.
    pub fn say(&self, words: &[u8]) {
        *self.words.lock().unwrap_or_else(PoisonError::into_inner) = words.to_vec();
    }

    /// Returns its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        // The thread checks the flag only when a connection arrives.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn speak(mut stream: TcpStream, words: &[u8]) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut heard = [0; 4096];
    // A web client considers a response before its request a protocol error.
    let _ = stream.read(&mut heard);
    let _ = stream.write_all(words);
    let _ = stream.shutdown(Shutdown::Write);
    // Closing a socket with unread input would discard output that the client has not received yet.
    while let Ok(1..) = stream.read(&mut heard) {}
}
