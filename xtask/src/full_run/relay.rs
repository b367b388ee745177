//! The pipe between the first step and the second, read by the run as it passes.
//!
//! The document of `lock acquire` says which lock is held. Should the rest of the pipeline die, it is what the lock can be
//! given back with.

use std::{
    io::{Read as _, Write as _},
    process::{ChildStdin, ChildStdout},
    thread::JoinHandle,
};

/// What passed from the first step to the second.
#[derive(Debug)]
pub struct Relay(JoinHandle<String>);

impl Relay {
    /// Passes on whatever comes, at once when it is complete; an empty pipe is passed on as one.
    pub fn start(mut from: ChildStdout, mut to: ChildStdin) -> Self {
        Self(std::thread::spawn(move || {
            let mut document = String::new();
            // A document that could not be read is none, and the next step says so. One that died cannot be told anything.
            if from.read_to_string(&mut document).is_ok() {
                let _ = to.write_all(document.as_bytes());
            }
            document
        }))
    }

    /// What passed, once it has.
    pub fn document(self) -> String {
        self.0.join().unwrap_or_default()
    }
}
