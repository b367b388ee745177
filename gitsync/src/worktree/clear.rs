//! Removing the files that an update has replaced.
//!
//! Whoever removes a file that is on the disk may have to wait until its room is given back, for a millisecond or more. A
//! thousand files one after the other would take longer than all the rest of the update; but who waits can wait for
//! several at once.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// How many files are waited for at once, at most.
const THREADS: usize = 8;
/// How many are removed before it is known whether that means waiting.
const TRIAL: usize = 32;
/// What takes longer than this is waiting.
const AT_ONCE: Duration = Duration::from_micros(100);

/// Remove a folder and what is in it; nothing where it is not there.
///
/// # Errors
/// Something cannot be removed.
pub fn clear(folder: &Path) -> anyhow::Result<()> {
    let cleared = files(folder).and_then(|names| {
        // What stays is met again below, and named there.
        let remove =
            |names: &[OsString]| names.iter().for_each(|name| drop(fs::remove_file(folder.join(name))));
        let (first, others) = names.split_at(names.len().min(TRIAL));
        let began = Instant::now();
        remove(first);
        if began.elapsed() > AT_ONCE * TRIAL as u32 && !others.is_empty() {
            thread::scope(|scope| {
                for share in others.chunks(others.len().div_ceil(THREADS)) {
                    scope.spawn(move || remove(share));
                }
            });
        }
        fs::remove_dir_all(folder)
    });
    match cleared {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn files(folder: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
}
