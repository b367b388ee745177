//! The Windows implementation: finds processes in the process table, waits by polling, and accesses files by path.
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
use crate::file_stamp::Mark;

/// `FILE_FLAG_BACKUP_SEMANTICS`, without which Windows opens no directory.
const BACKUP_SEMANTICS: u32 = 0x0200_0000;
/// `FILE_WRITE_ATTRIBUTES`, the only access right needed to set a time.
const WRITE_ATTRIBUTES: u32 = 0x0100;
/// `ERROR_ACCESS_DENIED` and `ERROR_SHARING_VIOLATION`: another process has the file open right now.
const IN_USE: [i32; 2] = [5, 32];
/// `ERROR_INVALID_FUNCTION` and `ERROR_NOT_SUPPORTED`.
const NOT_SUPPORTED: [i32; 2] = [1, 50];

/// Returns the pid namespace; Windows has only one.
pub fn pid_space() -> Option<String> {
    Some("windows".into())
}

/// Returns `None`: Windows has no run-queue length that could be read at once.
pub fn runnable() -> Option<u32> {
    None
}

/// A directory, by its path. Only Unix shell scripts clear a lock without checking again; between these programs, the
/// kernel's file lock ensures that the path keeps its meaning.
#[derive(Debug)]
pub struct Dir {
    path: PathBuf,
}

impl Dir {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    /// `NotFound` if nothing is there, `NotADirectory` if it is something else, including a symbolic link.
    pub fn open(path: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path)?.is_dir() {
            Ok(Self { path: path.to_owned() })
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// Returns when something in the directory last changed or [`Dir::touch`] was last called.
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

    /// Returns no mark: the file's id is not available here, and times alone prove nothing.
    pub fn mark(&self, _name: &str) -> io::Result<Option<Mark>> {
        Ok(None)
    }

    /// Moves the file at `from` into the directory as `name`, replacing an existing file.
    pub fn put(&self, name: &str, from: &Path) -> io::Result<()> {
        patiently(|| fs::rename(from, self.path.join(name)))
    }

    /// Removes the file `name` from the directory.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        patiently(|| fs::remove_file(self.path.join(name)))
    }
}

/// Returns the mark of an open file; `None` if files cannot be told apart by it.
pub fn mark_of(_file: &fs::File) -> io::Result<Option<Mark>> {
    Ok(None)
}

/// Whether a file system that refused a file lock supports none at all.
pub fn lacks_kernel_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error().is_some_and(|code| NOT_SUPPORTED.contains(&code))
}

/// Renames a directory to a name that does not exist.
pub fn set_aside(from: &Path, to: &Path) -> io::Result<()> {
    patiently(|| fs::rename(from, to))
}

/// Fails always: what `rename` does if the new name exists depends on the version of Windows and on the file system.
///
/// # Errors
/// Always.
pub fn put_where_free(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Does nothing: on Windows, what is created in a directory inherits its access rights.
pub fn share(_made: &fs::File, _common_dir: &Path) {}

/// Does nothing, as [`share`].
pub fn share_directory(_made: &Path, _common_dir: &Path) {}

/// Counts everything as writable: only an attempt shows what the access rights allow.
pub fn may_write(_path: &Path) -> bool {
    true
}

/// Repeats a move or removal that fails because another process has the file open, which Windows does not allow; the
/// readers of these files are done within a moment.
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

/// Runs the command and exits as it does, since no process can become another program here; the lock belongs to `lock
/// run`'s child, which waits for the command.
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

/// Returns the command's exit code, or 1 if it does not fit into a byte.
pub fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// What woke [`Signals::next`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A child may have ended.
    Child,
    /// A signal that was meant for the command; never on Windows.
    #[expect(dead_code, reason = "Windows has no signals")]
    Forward(i32),
}

/// Checks every 10 ms whether the child has ended, since Windows has no signals.
#[derive(Debug)]
pub struct Signals;

impl Signals {
    /// Does nothing: there is nothing to catch.
    pub fn catch() -> io::Result<Self> {
        Ok(Self)
    }

    /// Sleeps for 10 ms.
    pub fn next(&mut self) -> Option<Event> {
        std::thread::sleep(Duration::from_millis(10));
        Some(Event::Child)
    }
}

/// Does nothing: there are no signals to send.
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

    /// Sleeps for `at_most`, but no longer than 10 ms, since no event would end the sleep.
    pub fn wait(&self, at_most: Duration) {
        std::thread::sleep(at_most.min(Duration::from_millis(10)));
    }
}
