//! Removing the files that an update has replaced.
//!
//! Whoever removes a file that is on the disk may have to wait until its room is given back, for a millisecond or more.
//! A thousand files one after the other would take longer than all the rest of the update; but who waits can wait for
//! several at once.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// How many files are waited for at once, at most.
const THREADS: usize = 8;
/// Who removes a file and takes longer than this has waited.
const AT_ONCE: Duration = Duration::from_micros(500);

/// Remove a folder and what is in it; nothing where it is not there.
///
/// # Errors
/// Something cannot be removed.
pub fn clear(folder: &Path) -> anyhow::Result<()> {
    clear_until(folder, &AtomicBool::new(false))
}

/// The same, until that is `enough`: where each file means waiting, what is left then stays.
///
/// # Errors
/// Something cannot be removed.
pub fn clear_until(folder: &Path, enough: &AtomicBool) -> anyhow::Result<()> {
    let cleared = files(folder).and_then(|names| {
        // What stays is met again below, and named there.
        let remove = |name: &OsString| drop(fs::remove_file(folder.join(name)));
        let is_enough = || enough.load(Ordering::Relaxed);
        let waits = |name: &OsString| {
            let began = Instant::now();
            remove(name);
            began.elapsed() > AT_ONCE
        };
        let alone = names.iter().position(waits).map_or(names.len(), |at| at + 1);
        let others = &names[alone..];
        if !others.is_empty() {
            thread::scope(|scope| {
                for share in others.chunks(others.len().div_ceil(THREADS)) {
                    scope.spawn(move || share.iter().take_while(|_| !is_enough()).for_each(remove));
                }
            });
            if is_enough() {
                return Ok(());
            }
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
