//! Runs a program that speaks git's protocol on its stdin and stdout.
//!
//! These are `ssh`, or for a repository on this machine `git-upload-pack` and `git-receive-pack`. gix can start them
//! itself, but then discards the stderr of a local one, lets ssh write to the terminal past every caller, and waits
//! for ever for a child that sends nothing.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Arc, mpsc},
    time::Duration,
};

use super::{
    queue::{Patience, Queue},
    wire::Traffic,
};
use crate::terminal::Terminal;

/// The child's process, which is waited for or killed once its pipes are closed.
pub(crate) struct Process {
    child: Child,
    stdout: Arc<Queue>,
    stderr_done: mpsc::Receiver<()>,
    wire: Arc<Traffic>,
}

/// The child's stdout.
pub(crate) struct FromChild {
    queue: Arc<Queue>,
    chunk: Vec<u8>,
    at: usize,
    wire: Arc<Traffic>,
}

/// The child's stdin. Dropping it ends the input.
pub(crate) struct ToChild {
    queue: Arc<Queue>,
    wire: Arc<Traffic>,
}

/// Starts `command` with all three streams piped.
pub(crate) fn spawn(
    mut command: Command,
    wire: &Arc<Traffic>,
    terminal: Terminal,
) -> io::Result<(FromChild, ToChild, Process)> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    if terminal == Terminal::Absent {
        // In its own process group, a wrapper script is killed together with the ssh that it started. With a
        // terminal, that would put ssh in the background, where its prompt for a passphrase would stop it.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    #[cfg(not(unix))]
    let _ = terminal;
    let mut child = command.spawn()?;
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("a child came without its streams"));
    };
    let (to, from) = (Arc::new(Queue::default()), Arc::new(Queue::default()));
    let (done, stderr_done) = mpsc::channel();
    thread("remote stdin", {
        let to = Arc::clone(&to);
        move || drain(&to, stdin)
    })?;
    thread("remote stdout", {
        let from = Arc::clone(&from);
        move || fill(&from, stdout)
    })?;
    thread("remote stderr", {
        let wire = Arc::clone(wire);
        move || {
            listen(&wire, stderr);
            let _ = done.send(());
        }
    })?;
    Ok((
        FromChild { queue: Arc::clone(&from), chunk: Vec::new(), at: 0, wire: Arc::clone(wire) },
        ToChild { queue: to, wire: Arc::clone(wire) },
        Process { child, stdout: from, stderr_done, wire: Arc::clone(wire) },
    ))
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name.into()).stack_size(128 * 1024).spawn(work).map(drop)
}

/// Writes the chunks of the queue to the child's stdin, until either ends.
fn drain(queue: &Queue, mut stdin: ChildStdin) {
    loop {
        match queue.take(Patience::Endless) {
            Ok(Ok(Some(chunk))) => {
                if let Err(error) = stdin.write_all(&chunk) {
                    return queue.abandon(Err(error));
                }
            }
            _ => return queue.abandon(Ok(())),
        }
    }
}

/// Moves the child's stdout into the queue until it ends. Goes on reading when the queue is abandoned, since the
/// child would otherwise block at its last output.
fn fill(queue: &Queue, mut stdout: ChildStdout) {
    const CHUNK: usize = 64 * 1024;
    loop {
        let mut chunk = vec![0; CHUNK];
        match stdout.read(&mut chunk) {
            Ok(0) => return queue.close(Ok(())),
            Ok(read) => {
                chunk.truncate(read);
                let _ = queue.give(chunk, Patience::Endless);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return queue.close(Err(error)),
        }
    }
}

/// Records the child's stderr, line by line, up to a limit.
fn listen(wire: &Traffic, stderr: ChildStderr) {
    const LONGEST: u64 = 4096;
    let mut lines = BufReader::new(stderr);
    loop {
        let mut line = Vec::new();
        match lines.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let line = sanitize::line(String::from_utf8_lossy(&line).trim());
                if !line.is_empty() {
                    wire.heard(line);
                }
            }
        }
    }
}

impl Read for FromChild {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            match self.queue.take(Patience::Limited(self.wire.limit)) {
                Err(_) => return Err(self.wire.stall()),
                Ok(Err(error)) => return Err(error),
                Ok(Ok(None)) => return Ok(0),
                Ok(Ok(Some(chunk))) => {
                    if self.wire.received() == 0 {
                        self.wire.began(&chunk);
                    }
                    self.wire.count_received(chunk.len());
                    self.chunk = chunk;
                    self.at = 0;
                }
            }
        }
        let left = &self.chunk[self.at..];
        let length = left.len().min(buffer.len());
        buffer[..length].copy_from_slice(&left[..length]);
        self.at += length;
        Ok(length)
    }
}

impl Drop for FromChild {
    fn drop(&mut self) {
        self.queue.abandon(Ok(()));
    }
}

impl Write for ToChild {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.wire.has_stalled() {
            return Err(self.wire.stall());
        }
        match self.queue.give(buffer.to_vec(), Patience::Limited(self.wire.limit)) {
            Err(_) => Err(self.wire.stall()),
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) => {
                self.wire.count_sent(buffer.len());
                Ok(buffer.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for ToChild {
    fn drop(&mut self) {
        self.queue.close(Ok(()));
    }
}

impl Process {
    /// Waits for the child to exit by itself after its input was closed, and returns its exit status; kills a child
    /// that keeps its stdout open for too long.
    pub fn see_off(mut self) -> Option<ExitStatus> {
        let limit = if self.wire.account().stalled { Duration::ZERO } else { self.wire.limit };
        if !self.stdout.closes_within(limit) {
            self.kill();
        }
        let status = self.wait_a_moment();
        if !status.is_some_and(|status| status.success()) {
            // The last messages of a failing program may still be in the pipe. After a success there is no wait: a
            // shared ssh connection in the background may hold stderr open for as long as it lasts.
            let _ = self.stderr_done.recv_timeout(Duration::from_millis(500));
        }
        status
    }

    /// Waits for the child to exit. It has closed its stdout, which is the last thing that most programs do.
    fn wait_a_moment(&mut self) -> Option<ExitStatus> {
        let mut pause = Duration::from_micros(200);
        let mut waited = Duration::ZERO;
        while waited < self.wire.limit {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => std::thread::sleep(pause),
                Err(_) => return None,
            }
            waited += pause;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        None
    }

    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // Fails if the child is in our own process group, since it then leads none.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.kill();
            let _ = self.child.wait();
        }
    }
}
