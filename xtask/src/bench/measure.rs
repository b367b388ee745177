//! Measures one process from its start to its end.

use std::{
    io::{Read as _, Seek as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use wait4::Wait4 as _;

/// The measurements of a process.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// The time from before its start until it was waited for.
    pub took: Duration,
    /// The processor time that it and its waited-for children used, which other work on the machine hardly changes.
    pub busy: Duration,
    /// The peak resident set size of the process, or of any child that it waited for, in KiB.
    ///
    /// It includes what the process used before it executed its program, see [`by_fork`].
    pub peak_kib: u64,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its measurements.
    pub measured: Measured,
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its stderr.
    pub words: String,
}

/// Runs a process and discards its stdout.
pub fn run(command: &mut Command) -> anyhow::Result<Ended> {
    let mut words = tempfile::tempfile().context("no temporary file could be made")?;
    let stderr = words.try_clone().context("a temporary file could not be shared")?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    let name = command.get_program().to_string_lossy().into_owned();
    let began = Instant::now();
    let child = command.spawn().with_context(|| format!("{name} could not be started"))?;
    let used = child.wait4().with_context(|| format!("{name} cannot be waited for"))?;
    let took = began.elapsed();
    let mut text = Vec::new();
    words
        .rewind()
        .and_then(|()| words.read_to_end(&mut text))
        .context("a temporary file could not be read")?;
    Ok(Ended {
        measured: Measured {
            took,
            busy: used.rusage.utime + used.rusage.stime,
            peak_kib: used.rusage.maxrss / 1024,
        },
        code: used.status.code(),
        words: String::from_utf8_lossy(&text).trim().to_owned(),
    })
}

/// Makes `command` start by fork(2) instead of vfork(2), so that its peak of memory is its own.
///
/// Linux counts the memory of a process from before it executes its program. After vfork that is all memory of the
/// measuring process, after fork only the part that it has written. The standard library forks where a group is to be
/// set, so the group is set to what it is.
pub fn by_fork(command: &mut Command) -> &mut Command {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::gid(command, rustix::process::getgid().as_raw());
    command
}

/// Runs a process that must succeed.
pub fn succeed(command: &mut Command) -> anyhow::Result<Measured> {
    let ended = run(command)?;
    if ended.code != Some(0) {
        let how = ended.code.map_or_else(|| "by a signal".to_owned(), |code| format!("with {code}"));
        bail!("{command:?} ended {how}, so there is nothing to compare: {}", ended.words);
    }
    Ok(ended.measured)
}
