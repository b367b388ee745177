//! The queue of waiting processes, in the order in which they came.
//!
//! If each waiter tried whenever it liked, a process that releases and takes the lock in a loop would keep all others
//! out: it is always the first to know that the lock is free. So a waiter draws a ticket, a file that it keeps locked
//! while it lives, and lets those with lower numbers go first. The order is only for fairness and never what excludes
//! others: a stopped process at the head of the queue is passed after a while.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use crate::{LockPaths, Token, platform, staging};

/// The prefix of ticket names.
const TICKET: &str = "ticket-";

/// A place in the queue, kept until it is dropped.
#[derive(Debug)]
pub struct Ticket {
    path: PathBuf,
    number: u64,
    /// Locked by the kernel for as long as this process lives.
    _file: File,
}

impl Ticket {
    /// Draws the next number. To be called by the holder of the guard file, so that no two processes draw the same.
    /// `None` if no file can be created or locked: the caller then waits without an order.
    pub fn draw(place: &LockPaths, token: &Token) -> Option<Self> {
        let wings = staging::made(place).ok()?;
        let number = numbers(&wings).last().map_or(0, |(last, _)| last + 1);
        let path = wings.join(format!("{TICKET}{number:020}-{token}"));
        // The file is locked before it gets its name: a process that reads the queue would take an unlocked ticket
        // for one that a dead process left.
        let blank = Blank { path: staging::name_for_new(&wings, token, "ticket") };
        let file = File::create_new(&blank.path).ok()?;
        platform::share(&file, place.common_dir());
        file.try_lock().ok()?;
        fs::rename(&blank.path, &path).ok()?;
        Some(Self { path, number, _file: file })
    }

    /// Returns how many processes wait ahead of this one.
    pub fn rank(&self) -> usize {
        let wings = self.path.parent().unwrap_or(Path::new("."));
        waiting(wings, self.number)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // If it stays, it is no longer locked, and the next in the queue removes it.
        let _ = fs::remove_file(&self.path);
    }
}

/// A ticket file that does not have its final name yet.
struct Blank {
    path: PathBuf,
}

impl Drop for Blank {
    fn drop(&mut self) {
        // Usually it has been renamed to a ticket by now.
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns how many processes wait.
pub fn length(place: &LockPaths) -> usize {
    waiting(&place.wings(), u64::MAX)
}

/// Returns how many processes wait with a number below `below`. Tickets of dead processes, which are not locked, are
/// removed from the front.
fn waiting(wings: &Path, below: u64) -> usize {
    let before: Vec<_> = numbers(wings).into_iter().take_while(|(number, _)| *number < below).collect();
    let dead = before.iter().take_while(|(_, path)| is_left_behind(path)).count();
    for (_, path) in &before[..dead] {
        // Another waiter may have removed it already.
        let _ = fs::remove_file(path);
    }
    before.len() - dead
}

fn is_left_behind(ticket: &Path) -> bool {
    match File::open(ticket) {
        Ok(file) => !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(_) => true,
    }
}

/// Returns the tickets in the queue with their numbers, in order.
fn numbers(wings: &Path) -> Vec<(u64, PathBuf)> {
    let mut numbers: Vec<_> = staging::entries(wings)
        .filter_map(|entry| Some((number(entry.file_name().to_str()?)?, entry.path())))
        .collect();
    numbers.sort_unstable();
    numbers
}

fn number(name: &str) -> Option<u64> {
    name.strip_prefix(TICKET)?.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, LockPaths) {
        let directory = tempfile::tempdir().unwrap();
        let place = LockPaths::new(directory.path());
        (directory, place)
    }

    fn draw(place: &LockPaths) -> Ticket {
        Ticket::draw(place, &Token::fresh()).expect("nothing keeps a ticket from being drawn")
    }

    #[test]
    fn who_came_first_is_first_until_it_leaves() {
        let (_keep, place) = place();
        assert_eq!(length(&place), 0);
        let (first, second, third) = (draw(&place), draw(&place), draw(&place));
        assert_eq!((first.rank(), second.rank(), third.rank()), (0, 1, 2));
        assert_eq!(length(&place), 3);
        drop(first);
        assert_eq!((second.rank(), third.rank(), draw(&place).rank()), (0, 1, 2));
    }

    #[test]
    fn who_looks_at_the_queue_while_tickets_are_drawn_takes_none_for_a_dead_ones() {
        let (_keep, place) = place();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    length(&place);
                }
            });
            for _ in 0..500 {
                let ticket = draw(&place);
                assert!(ticket.path.exists());
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    #[test]
    fn the_dead_do_not_wait() {
        let (_keep, place) = place();
        let dead = staging::made(&place).unwrap().join("ticket-00000000000000000007-KILLED");
        fs::write(&dead, "").unwrap();
        let living = draw(&place);
        assert_eq!((living.number, living.rank()), (8, 0));
        assert!(!dead.exists());
    }
}
