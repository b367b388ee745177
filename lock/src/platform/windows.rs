//! Windows: processes through the process table, waiting by polling, files by path.
//!
//! There are neither signals nor `exec`: `lock run` waits for a command that gets Ctrl-C from the console itself.

use std::{
    convert::Infallible,
    fs, io,
    os::windows::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    time::{Duration, SystemTime},
};

pub use super::process_table::{boot_id, find, same_boot};
use crate::mark::Mark;

/// `FILE_FLAG_BACKUP_SEMANTICS`, without which Windows opens no directory.
const BACKUP_SEMANTICS: u32 = 0x0200_0000;
/// `FILE_WRITE_ATTRIBUTES`, which is all that setting a time takes.
const WRITE_ATTRIBUTES: u32 = 0x0100;
/// `ERROR_ACCESS_DENIED` and `ERROR_SHARING_VIOLATION`: somebody has the file open right now.
const IN_USE: [i32; 2] = [5, 32];
/// `ERROR_INVALID_FUNCTION` and `ERROR_NOT_SUPPORTED`.
const NOT_SUPPORTED: [i32; 2] = [1, 50];

/// Windows has one space of process numbers.
pub fn pid_space() -> Option<String> {
    Some("windows".into())
}

/// Windows counts no queue for a processor that could be read at once.
pub fn runnable() -> Option<u32> {
    None
}

/// A directory, by its path. Scripts that clear a lock without looking twice are a matter of Unix shells; between
/// these programs the kernel's file lock keeps the path's meaning.
#[derive(Debug)]
pub struct Dir {
    path: PathBuf,
}

impl Dir {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    /// `NotFound` where there is nothing, `NotADirectory` where there is something else, a link included.
    pub fn open(path: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path)?.is_dir() {
            Ok(Self { path: path.to_owned() })
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// When something in the directory last changed, or [`Dir::touch`] said so.
    pub fn modified(&self) -> io::Result<SystemTime> {
        fs::symlink_metadata(&self.path)?.modified()
    }

    /// Sets the time of the last change to now.
    pub fn touch(&self) -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.access_mode(WRITE_ATTRIBUTES).custom_flags(BACKUP_SEMANTICS);
        options.open(&self.path)?.set_modified(SystemTime::now())
    }

    /// Opens the file `name` in the directory for reading.
    pub fn open_file(&self, name: &str) -> io::Result<fs::File> {
        fs::File::open(self.path.join(name))
    }

    /// How the file `name` in the directory looks: its number is not at hand here, and times alone prove nothing.
    pub fn mark(&self, _name: &str) -> io::Result<Option<Mark>> {
        Ok(None)
    }

    /// Moves the file at `from` into the directory as `name`, replacing what has that name.
    pub fn put(&self, name: &str, from: &Path) -> io::Result<()> {
        patiently(|| fs::rename(from, self.path.join(name)))
    }

    /// Removes the file `name` from the directory.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        patiently(|| fs::remove_file(self.path.join(name)))
    }
}

/// How an open file looks; `None` where that does not tell it from another.
pub fn mark_of(_file: &fs::File) -> io::Result<Option<Mark>> {
    Ok(None)
}

/// Whether a file system that refused a file lock has none at all.
pub fn lacks_kernel_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error().is_some_and(|code| NOT_SUPPORTED.contains(&code))
}

/// Gives a directory another name, at which there is nothing.
pub fn set_aside(from: &Path, to: &Path) -> io::Result<()> {
    patiently(|| fs::rename(from, to))
}

/// Gives a directory another name, where there is nothing at it: what `rename` does of that depends on the version of
/// Windows and on the file system.
///
/// # Errors
/// Always.
pub fn put_where_free(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Windows moves nothing that somebody has open; who reads these files is done within a moment.
fn patiently(mut work: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    for _ in 0..100 {
        match work() {
            Err(error) if error.raw_os_error().is_some_and(|code| IN_USE.contains(&code)) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
    work()
}

/// No process can become another program here; the lock belongs to `lock run`'s child, which waits for the command.
pub fn become_program(mut command: Command) -> io::Result<Infallible> {
    let status = command.status()?;
    #[allow(
        clippy::disallowed_methods,
        reason = "it stands for the end of the program that it could not become"
    )]
    std::process::exit(exit_code(status).into())
}

/// Whether a child has ended.
pub fn has_ended(child: &Child) -> io::Result<bool> {
    Ok(find(child.id()) == super::Found::Nothing)
}

/// The command's exit code, as far as a byte holds it.
pub fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// What woke [`Signals::next`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A child may have ended.
    Child,
    /// A signal that somebody meant for the command; never on Windows.
    #[expect(dead_code, reason = "Windows has no signals")]
    Forward(i32),
}

/// Windows has no signals: this merely looks whether the child has ended, every 10 ms.
#[derive(Debug)]
pub struct Signals;

impl Signals {
    /// Nothing needs to be caught.
    pub fn catch() -> io::Result<Self> {
        Ok(Self)
    }

    /// Sleeps a little.
    pub fn next(&mut self) -> Option<Event> {
        std::thread::sleep(Duration::from_millis(10));
        Some(Event::Child)
    }
}

/// There is nothing to send.
pub fn send(_pid: u32, _signal: i32) -> io::Result<()> {
    Ok(())
}

/// Sleeps until something in a directory may have changed.
#[derive(Debug)]
pub struct Watch;

impl Watch {
    /// Watches `directory`.
    pub fn new(_directory: &Path) -> Self {
        Self
    }

    /// Sleeps for `at_most`, and no longer than 10 ms: nothing would wake it.
    pub fn wait(&self, at_most: Duration) {
        std::thread::sleep(at_most.min(Duration::from_millis(10)));
    }
}
