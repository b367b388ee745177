//! Waiting for a program that works on the user's behalf: for as long as it takes, with a sign of life of the run
//! meanwhile, and with an ear for what it says, since stdout belongs to the run document.

use std::io::{self, Read as _, Write as _};
use std::process::{Child, ExitStatus};
use std::sync::mpsc;
use std::time::Duration;

/// How often a program that says nothing is looked at.
const TICK: Duration = Duration::from_millis(500);

/// How long to go on reading once the program has ended; what it left running may hold its output open for ever.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How much of a program's output is kept: its end is where the reason stands.
const KEPT: usize = 4096;

/// What came of a program.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// The last of what it said.
    pub said: String,
}

/// Waits for `child`, which reads `stdin` and writes into the other end of `output`.
///
/// # Errors
/// Nobody can tell how it ended.
pub fn wait(mut child: Child, stdin: Vec<u8>, output: io::PipeReader, alive: &dyn Fn()) -> io::Result<Ended> {
    if let Some(mut pipe) = child.stdin.take() {
        // It need not read what it is told, so nobody waits for that.
        std::thread::spawn(move || pipe.write_all(&stdin));
    }
    let heard = listen(output);
    let mut said = Vec::new();
    let status = loop {
        alive();
        match heard.recv_timeout(TICK) {
            Ok(words) => keep(&mut said, &words),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break child.wait()?,
        }
        if let Some(status) = child.try_wait()? {
            while let Ok(words) = heard.recv_timeout(LAST_WORDS) {
                keep(&mut said, &words);
            }
            break status;
        }
    };
    Ok(Ended { status, said: String::from_utf8_lossy(&said).trim().to_owned() })
}

fn listen(mut output: io::PipeReader) -> mpsc::Receiver<Vec<u8>> {
    let (tell, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            if tell.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    heard
}

fn keep(said: &mut Vec<u8>, words: &[u8]) {
    said.extend_from_slice(words);
    let surplus = said.len().saturating_sub(KEPT);
    said.drain(..surplus);
}
