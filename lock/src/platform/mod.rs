//! Hides the differences between operating systems behind one small interface.
//!
//! The protocol above it is the same everywhere. If its parts called the operating system directly, each would be
//! correct only on the system where it was written.
//!
//! Every platform's module provides:
//!
//! - [`find`]: whether a process exists, and since when;
//! - [`boot_id`] and [`pid_space`]: what a pid has to be qualified with to mean the same to two processes;
//! - [`runnable`]: how many threads want a processor right now, if the system reports it;
//! - [`Dir`]: a directory handle that keeps referring to the same directory, whatever its path comes to name;
//! - [`mark_of`]: the mark of an open file, to recognise it by;
//! - [`lacks_kernel_locks`]: whether a file system that refused a file lock supports none;
//! - [`set_aside`]: renames a directory;
//! - [`put_where_free`]: renames a directory, and fails if the new name exists;
//! - [`share`] and [`share_directory`]: let those who may write in the git directory write what was created in it;
//! - [`may_write`]: whether this user may write a file or in a directory;
//! - [`Watch`]: sleeps until something in a directory may have changed;
//! - [`Signals`], [`become_program`] and [`has_ended`]: what `lock run` needs to run its command.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(target_os = "macos", windows))]
mod process_table;
#[cfg(unix)]
mod sharing;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::{Watch, boot_id, find, pid_space, runnable, same_boot};
#[cfg(target_os = "macos")]
pub use macos::{Watch, boot_id, find, pid_space, runnable, same_boot};
#[cfg(unix)]
pub use sharing::{may_write, share, share_directory};
#[cfg(unix)]
pub use unix::{
    Dir, Event, Signals, become_program, exit_code, has_ended, lacks_kernel_locks, mark_of, put_where_free,
    send, set_aside,
};
#[cfg(windows)]
pub use windows::{
    Dir, Event, Signals, Watch, become_program, boot_id, exit_code, find, has_ended, lacks_kernel_locks,
    mark_of, may_write, pid_space, put_where_free, runnable, same_boot, send, set_aside, share,
    share_directory,
};

/// What the operating system reports about a pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No process has this pid, or only one that has ended and was not waited for yet.
    Nothing,
    /// A process has this pid.
    Running {
        /// When it started, in the platform's own units and from its own epoch, to tell it from an earlier process
        /// with the same pid; `None` if the operating system does not report it.
        start: Option<u64>,
    },
}
