//! Writes all new files of an update before any of them is put in place.
//!
//! What remains is renaming, which takes a moment: a missing object or a failing filter is found before that.
//! Besides, the files can be written by several threads at once.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::anyhow;
use gix::bstr::ByteSlice;
use gix::index::entry::Stat;

use super::backup::{Role, name_inside};
use super::create::place_matters;
use super::disk::{full, parent};
use super::plan::UpdatePlan;
use super::smudge::Smudger;
use crate::watch::Watch;

/// How many files a thread takes at a time.
const SHARE: usize = 16;
/// An additional thread is worth starting for every so many files.
const WORTH_IT: usize = 64;
/// More threads than this get in each other's way, since all files are created in one directory.
const THREADS: usize = 4;

/// A file that was written: the number of its step, and its stat data.
pub type Draft = (usize, Stat);

/// Writes the new files of the steps `numbers` of `plan`, which belong below `root`, into `folder`, using this thread
/// and others.
///
/// # Errors
/// As [`Smudger::write`]. Files written by then stay.
pub fn write(
    repo: &gix::Repository,
    smudger: &mut Smudger<'_>,
    plan: &UpdatePlan,
    numbers: &[usize],
    folder: &Path,
    root: &Path,
    watch: &dyn Watch,
) -> anyhow::Result<Vec<Draft>> {
    let threads = threads::processors().min(THREADS).min(numbers.len() / WORTH_IT);
    let desk = Desk {
        plan,
        numbers,
        folder,
        root: place_matters(folder).then_some(root),
        taken: AtomicUsize::new(0),
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|_| {
                let (repo, settings, desk) = (store::clone_view(repo), smudger.settings().clone(), &desk);
                threads::spawn(scope, move || desk.work(&mut Smudger::with(&repo, settings)?, || ()))
            })
            .collect();
        let mut drafts = desk.work(smudger, || watch.alive());
        for other in others {
            let more = other.join().unwrap_or_else(|_| Err(anyhow!("a thread that writes files has died")));
            match (&mut drafts, more) {
                (Ok(drafts), Ok(more)) => drafts.extend(more),
                (Ok(_), Err(error)) => drafts = Err(error),
                (Err(_), _) => {}
            }
        }
        drafts
    })
}

/// The work that the threads share.
struct Desk<'a> {
    plan: &'a UpdatePlan,
    numbers: &'a [usize],
    folder: &'a Path,
    /// Where the files belong, if their location on the disk matters.
    root: Option<&'a Path>,
    /// How many of the numbers have been taken so far.
    taken: AtomicUsize,
}

impl Desk<'_> {
    fn work(&self, smudger: &mut Smudger<'_>, alive: impl Fn()) -> anyhow::Result<Vec<Draft>> {
        let mut drafts = Vec::new();
        loop {
            let begin = self.taken.fetch_add(SHARE, Ordering::Relaxed).min(self.numbers.len());
            let end = (begin + SHARE).min(self.numbers.len());
            if begin == end {
                return Ok(drafts);
            }
            for number in &self.numbers[begin..end] {
                alive();
                let op = &self.plan.ops[*number];
                let Some(side) = op.new else { continue };
                let to = self.folder.join(name_inside(Role::New, *number));
                let home = self.root.map(|root| full(root, parent(op.path.as_bstr()))).transpose()?;
                match smudger.write(side, op.path.as_bstr(), &to, home.as_deref()) {
                    Ok(stat) => drafts.push((*number, stat)),
                    Err(error) => {
                        // Writing more files is pointless.
                        self.taken.fetch_max(self.numbers.len(), Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
        }
    }
}
