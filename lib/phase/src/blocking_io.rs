//! Blocking reads and writes on streams that another process may have set to `O_NONBLOCK`.
//!
//! The flag belongs to the open file description, so all processes that share a pipe or terminal share it, and some
//! runtimes set it. Without this module only part of a document would be read or written, with the error "Resource
//! temporarily unavailable".

use std::io::{ErrorKind, Read, Result, Write};

#[cfg(not(unix))]
use std::os::windows::io::AsHandle as Handle;

#[cfg(unix)]
use rustix::event::{PollFd, PollFlags, poll};
#[cfg(unix)]
use std::os::fd::AsFd as Handle;

/// A stream whose operations are retried once it is ready.
pub struct Patient<S>(pub S);

impl<S: Read + Handle> Read for Patient<S> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        self.once(Ready::ToBeRead, |stream| stream.read(bytes))
    }
}

impl<S: Write + Handle> Write for Patient<S> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.once(Ready::ToBeWritten, |stream| stream.write(bytes))
    }

    fn flush(&mut self) -> Result<()> {
        self.once(Ready::ToBeWritten, Write::flush)
    }
}

/// What to wait for a stream to be ready for.
#[derive(Clone, Copy)]
enum Ready {
    ToBeRead,
    ToBeWritten,
}

impl<S: Handle> Patient<S> {
    fn once<T>(&mut self, ready: Ready, mut attempt: impl FnMut(&mut S) -> Result<T>) -> Result<T> {
        loop {
            match attempt(&mut self.0) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => wait_until(ready, &self.0)?,
                result => return result,
            }
        }
    }
}

#[cfg(unix)]
fn wait_until(ready: Ready, stream: &impl Handle) -> Result<()> {
    let flags = match ready {
        Ready::ToBeRead => PollFlags::IN,
        Ready::ToBeWritten => PollFlags::OUT,
    };
    match poll(&mut [PollFd::new(stream, flags)], None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Only Unix has non-blocking standard streams.
#[cfg(not(unix))]
fn wait_until(_: Ready, _: &impl Handle) -> Result<()> {
    Err(ErrorKind::WouldBlock.into())
}

#[cfg(all(test, unix))]
mod tests {
    use std::{os::unix::net::UnixStream, thread, time::Duration};

    use super::*;

    #[test]
    fn a_stream_that_does_not_wait_is_read_and_written_to_its_end() {
        let (mut one, mut other) = UnixStream::pair().expect("a pair of sockets");
        one.set_nonblocking(true).expect("a socket that does not wait");
        let text = "a document, ".repeat(100_000);
        thread::scope(|scope| {
            let echo = scope.spawn(|| {
                thread::sleep(Duration::from_millis(50));
                let mut came = vec![0; text.len()];
                other.read_exact(&mut came).expect("all of it");
                other.write_all(&came).expect("room for it");
                drop(other);
            });
            Patient(&one).write_all(text.as_bytes()).expect("it is written");
            let mut back = String::new();
            Patient(&mut one).read_to_string(&mut back).expect("it is read");
            assert!(back == text, "{} bytes of {}", back.len(), text.len());
            echo.join().expect("no panic");
        });
    }
}
