//! Removes the files that an update has replaced, several at a time.
//!
//! Removing a file from the disk may have to wait until its space is freed, for a millisecond or more. A thousand
//! files one after the other would take longer than the rest of the update, but several removals can wait at once.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// How many files are removed at once, at most.
const THREADS: usize = 8;
/// A removal that takes longer than this has waited for the disk.
const AT_ONCE: Duration = Duration::from_micros(500);

/// Removes a directory and what is in it; does nothing if it does not exist.
///
/// # Errors
/// Something cannot be removed.
pub fn clear(folder: &Path) -> anyhow::Result<()> {
    clear_until(folder, &AtomicBool::new(false))
}

/// Like [`clear`], but stops when `enough` is set: if removals have to wait for the disk, the remaining files stay.
///
/// # Errors
/// Something cannot be removed.
pub fn clear_until(folder: &Path, enough: &AtomicBool) -> anyhow::Result<()> {
    let cleared = files(folder).and_then(|names| {
        // An error is ignored here: removing the directory meets the file again and reports it.
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
