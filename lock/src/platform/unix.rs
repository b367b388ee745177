//! The parts of the platform interface that Linux and macOS share.

use std::{
    convert::Infallible,
    fs, io,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::Path,
    process::{Child, Command, ExitStatus},
    time::SystemTime,
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT},
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions},
};
use signal_hook::{
    consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2},
    iterator::{SignalsInfo, exfiltrator::WithOrigin},
    low_level::siginfo::{Cause, Origin},
};

use crate::file_stamp::Mark;

/// Whether a process with this pid exists, zombies included. A process that we may not signal exists.
#[cfg(target_os = "linux")]
pub fn exists(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    !matches!(rustix::process::test_kill_process(pid), Err(Errno::SRCH))
}

/// Whether a process with this pid exists that we may not signal.
#[cfg(target_os = "macos")]
pub fn is_foreign(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    matches!(rustix::process::test_kill_process(pid), Err(Errno::PERM))
}

/// A directory handle that keeps referring to the same directory, whatever its path comes to name.
#[derive(Debug)]
pub struct Dir {
    pub(super) handle: fs::File,
}

impl Dir {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    /// `NotFound` if nothing is there, `NotADirectory` if it is something else, including a symbolic link.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
            Ok(handle) => Ok(Self { handle: handle.into() }),
            Err(Errno::LOOP) => Err(io::ErrorKind::NotADirectory.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns when something in the directory last changed or [`Dir::touch`] was last called.
    pub fn modified(&self) -> io::Result<SystemTime> {
        self.handle.metadata()?.modified()
    }

    /// Sets the time of the last change to now.
    pub fn touch(&self) -> io::Result<()> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            // The machine's own clock, not the file server's, because ages are computed with it as well.
            last_modification: Timespec::try_from(now).map_err(io::Error::other)?,
        };
        match rustix::fs::futimens(&self.handle, &times) {
            // It is another user's, from whom the lock was taken over in a shared repository. Who may write in it can
            // set its times too, but only to the file server's now.
            Err(Errno::PERM) => {
                let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
                Ok(rustix::fs::futimens(
                    &self.handle,
                    &Timestamps { last_access: now, last_modification: now },
                )?)
            }
            touched => Ok(touched?),
        }
    }

    /// Opens the file `name` in the directory for reading. A symbolic link counts as missing, and opening never
    /// blocks.
    pub fn open_file(&self, name: &str) -> io::Result<fs::File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(file) => Ok(file.into()),
            Err(Errno::LOOP) => Err(io::ErrorKind::NotFound.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the mark of the file `name` in the directory.
    pub fn mark(&self, name: &str) -> io::Result<Option<Mark>> {
        Ok(Some(mark(&rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW)?)))
    }

    /// Moves the file at `from` into the directory as `name`, replacing an existing file.
    ///
    /// If possible, the two files are exchanged, and the replaced one is left at `from`, to be removed. When a file
    /// is renamed over another one, ext4 allocates its blocks immediately, so that a power cut does not leave an
    /// empty file (`auto_da_alloc` in ext4(5)), and frees the other's blocks. A lock need not survive a power cut,
    /// and a run would spend most of its time on that.
    pub fn put(&self, name: &str, from: &Path) -> io::Result<()> {
        let exchange = rustix::fs::RenameFlags::EXCHANGE;
        if rustix::fs::renameat_with(CWD, from, &self.handle, name, exchange).is_ok() {
            return Ok(());
        }
        Ok(rustix::fs::renameat(CWD, from, &self.handle, name)?)
    }

    /// Removes the file `name` from the directory.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())?)
    }
}

/// Returns the mark of an open file; `None` if files cannot be told apart by it.
pub fn mark_of(file: &fs::File) -> io::Result<Option<Mark>> {
    Ok(Some(mark(&rustix::fs::fstat(file)?)))
}

#[allow(clippy::unnecessary_cast, reason = "the fields' types differ between systems")]
fn mark(stat: &rustix::fs::Stat) -> Mark {
    Mark {
        file: (stat.st_dev as u64, stat.st_ino as u64),
        len: stat.st_size as u64,
        written: (stat.st_mtime as i64, stat.st_mtime_nsec as u32),
        changed: (stat.st_ctime as i64, stat.st_ctime_nsec as u32),
    }
}

/// Whether a file system that refused a file lock supports none at all, like NFS without a lock daemon.
pub fn lacks_kernel_locks(error: &io::Error) -> bool {
    // On Linux `NOTSUP` is another name of `OPNOTSUPP`, but not elsewhere, so no match arm may name both.
    let none = [Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOTSUP, Errno::NOSYS, Errno::INVAL];
    error.raw_os_error().map(Errno::from_raw_os_error).is_some_and(|error| none.contains(&error))
}

/// Renames a directory to a name that does not exist.
pub fn set_aside(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Renames a directory if the new name does not exist. A plain rename would replace an empty directory that a script
/// has just made.
///
/// # Errors
/// `AlreadyExists` if the new name exists; others if the file system does not support this, for example NFS.
pub fn put_where_free(from: &Path, to: &Path) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(CWD, from, CWD, to, rustix::fs::RenameFlags::NOREPLACE)?)
}

/// Replaces this process by `command`, keeping pid and start time. Returns only if that failed.
pub fn become_program(mut command: Command) -> io::Result<Infallible> {
    Err(command.exec())
}

/// Whether a child has ended. It keeps its pid until it is waited for.
pub fn has_ended(child: &Child) -> io::Result<bool> {
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return Ok(true) };
    let looking = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    Ok(rustix::process::waitid(WaitId::Pid(pid), looking)?.is_some())
}

/// Returns the exit code that a shell would report for a command that ended like this: its own, or 128 plus the
/// signal's number.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code & 0xff).unwrap_or(1)
}

/// What woke [`Signals::next`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A child may have ended.
    Child,
    /// A signal that was meant for the command.
    Forward(i32),
}

/// The signals that this process receives.
#[derive(Debug)]
pub struct Signals {
    signals: SignalsInfo<WithOrigin>,
}

impl Signals {
    /// Catches signals, so that they no longer end this process but can be read with [`Signals::next`].
    pub fn catch() -> io::Result<Self> {
        let ignored = signals::ignored();
        let caught = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];
        // A signal that the caller made us ignore stays ignored, for the command too: a handler would undo `nohup`.
        let caught = caught.into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0);
        Ok(Self { signals: SignalsInfo::new(caught.chain([SIGCHLD]))? })
    }

    /// Sleeps until a signal arrives. `None` if no more signals will arrive.
    pub fn next(&mut self) -> Option<Event> {
        loop {
            let origin = self.signals.forever().next()?;
            match origin.signal {
                SIGCHLD => return Some(Event::Child),
                // A signal from a terminal's keys goes to the whole foreground process group: the command already has
                // it.
                SIGINT | SIGQUIT | SIGHUP if came_from_terminal(&origin) => {}
                signal => return Some(Event::Forward(signal)),
            }
        }
    }
}

fn came_from_terminal(origin: &Origin) -> bool {
    match origin.cause {
        Cause::Kernel => true,
        Cause::Sent(_) | Cause::Chld(_) => false,
        // macOS does not report this; if we are in the foreground of a terminal, it is most likely the terminal.
        _ => is_in_foreground().unwrap_or(false),
    }
}

fn is_in_foreground() -> io::Result<bool> {
    let terminal = fs::File::open("/dev/tty")?;
    Ok(rustix::termios::tcgetpgrp(terminal)? == rustix::process::getpgrp())
}

/// Sends a signal to a process. It is not an error if the process has ended already, or if it now belongs to another
/// user, as with `sudo`: then it still runs and is waited for.
pub fn send(pid: u32, signal: i32) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let (Some(pid), Some(signal)) = (pid, Signal::from_named_raw(signal)) else { return Ok(()) };
    match rustix::process::kill_process(pid, signal) {
        Ok(()) | Err(Errno::SRCH | Errno::PERM) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
