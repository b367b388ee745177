//! What differs between operating systems, behind one small interface.
//!
//! The protocol above it is the same everywhere. Were its pieces to ask the operating system by themselves, each
//! would be right on the one where it was written.
//!
//! Every platform's module gives:
//!
//! - [`find`]: whether a process exists, and since when;
//! - [`boot_id`] and [`pid_space`]: what makes a process number mean the same thing to two processes;
//! - [`runnable`]: how many threads want a processor just now, where that is told;
//! - [`Dir`]: a directory that stays the same directory whatever its path comes to name meanwhile;
//! - [`mark_of`]: how an open file looks, to know it again;
//! - [`lacks_kernel_locks`]: whether a file system that refused a file lock has none;
//! - [`set_aside`]: giving a directory another name;
//! - [`put_where_free`]: giving it one at which there is nothing, or failing;
//! - [`Watch`]: sleeping until something in a directory may have changed;
//! - [`Signals`], [`become_program`] and [`has_ended`]: what `lock run` needs to stand between a caller and its command.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(target_os = "macos", windows))]
mod process_table;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::{Watch, boot_id, find, pid_space, runnable, same_boot};
#[cfg(target_os = "macos")]
pub use macos::{Watch, boot_id, find, pid_space, runnable, same_boot};
#[cfg(unix)]
pub use unix::{
    Dir, Event, Signals, become_program, exit_code, has_ended, lacks_kernel_locks, mark_of, put_where_free,
    send, set_aside,
};
#[cfg(windows)]
pub use windows::{
    Dir, Event, Signals, Watch, become_program, boot_id, exit_code, find, has_ended, lacks_kernel_locks,
    mark_of, pid_space, put_where_free, runnable, same_boot, send, set_aside,
};

/// What the operating system says about a process number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No process has it, or one that has ended and was not waited for yet.
    Nothing,
    /// A process has it.
    Running {
        /// When it started, in the platform's own units and from its own zero, to tell it from an earlier process of
        /// the same number; `None` where the operating system does not say.
        start: Option<u64>,
    },
}
