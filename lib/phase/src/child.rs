//! Waits for a program that works on the user's behalf, and collects its output.
//!
//! It waits as long as the program takes, showing the run's sign of life meanwhile. The output is captured because
//! stdout belongs to the run document.

use std::io::{self, Read as _, Write as _};
use std::process::ExitStatus;
use std::sync::mpsc;
use std::time::Duration;

use signals::Program;

/// How often a program without output is polled.
const TICK: Duration = Duration::from_millis(500);

/// How long to go on reading once the program has ended; a process that it left running may keep the output open
/// forever.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How many bytes of a program's output are kept: the end of it, where the reason of a failure is.
const KEPT: usize = 4096;

/// The result of running a program.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// The end of its output.
    pub said: String,
}

/// Waits for `child`, which reads `stdin` and writes into the other end of `output`.
///
/// # Errors
/// Its exit status cannot be determined.
pub fn wait(
    mut child: Program,
    stdin: Vec<u8>,
    output: io::PipeReader,
    alive: &dyn Fn(),
) -> io::Result<Ended> {
    if let Some(mut pipe) = child.take_stdin() {
        // The program need not read its input, so nothing waits for that.
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
