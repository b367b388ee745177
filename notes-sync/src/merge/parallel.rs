//! Merges many subtrees in parallel.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::Result;
use gix::{Repository, objs::Write};
use store::RecentObjects;

use crate::{
    strategy::Strategy,
    tree::{Outcome, layout::Prefix},
};

use super::{Tally, fanout::Job, folder::Worker};

/// The number of subtrees from which on a thread pays.
const ENOUGH: usize = 16;

/// Merges the subtrees of `jobs`, which are in the tree at `prefix`; the outcomes are in the order of the jobs.
pub(super) fn merge(worker: &mut Worker<'_>, prefix: &Prefix, jobs: &[Job]) -> Result<Vec<Outcome>> {
    let helpers = helpers(worker.repo, prefix, jobs);
    if helpers == 0 {
        return jobs.iter().map(|job| worker.folder(&prefix.join(job.byte), job.trees)).collect();
    }
    let queue = Queue { jobs, next: AtomicUsize::new(0), prefix };
    let shared = worker.repo.clone().into_sync();
    let mut done = thread::scope(|scope| -> Result<Vec<(usize, Outcome)>> {
        let helpers: Vec<_> = (0..helpers)
            .map(|_| {
                let (mut repo, queue) = (shared.to_thread_local(), &queue);
                let (latest, strategy) = (worker.latest, worker.strategy);
                threads::spawn(scope, move || {
                    repo.object_cache_size(None);
                    help(repo.with_object_memory(), latest, strategy, queue)
                })
            })
            .collect();
        let mut done = queue.work(worker)?;
        for helper in helpers {
            let mut help = helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            done.extend(help.done);
            worker.tally.add(help.tally);
            for (id, (kind, data)) in help.objects.drain() {
                worker.repo.objects.write_buf_with_known_id(kind, &data, id)?;
            }
        }
        Ok(done)
    })?;
    done.sort_unstable_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Returns how many helper threads to use. Only the subtrees of the root are distributed: there are enough of them,
/// and counting cores takes longer than merging a small tree.
fn helpers(repo: &Repository, prefix: &Prefix, jobs: &[Job]) -> usize {
    // Objects that were made earlier in this run are in this thread's memory, where the others cannot read them.
    if prefix.depth() > 0 || jobs.len() < 2 * ENOUGH || repo.objects.num_objects_in_memory() > 0 {
        return 0;
    }
    threads::free(jobs.len() / ENOUGH - 1)
}

/// The results of one thread.
struct Help {
    done: Vec<(usize, Outcome)>,
    tally: Tally,
    objects: gix::odb::memory::Storage,
}

fn help(mut repo: Repository, latest: &RecentObjects, strategy: Strategy, queue: &Queue<'_>) -> Result<Help> {
    let mut worker = Worker::new(&repo, latest, strategy);
    let done = queue.work(&mut worker)?;
    let tally = worker.tally;
    let objects = repo.objects.take_object_memory().unwrap_or_default();
    Ok(Help { done, tally, objects })
}

/// The jobs, of which each thread takes the next.
struct Queue<'a> {
    jobs: &'a [Job],
    next: AtomicUsize,
    prefix: &'a Prefix,
}

impl Queue<'_> {
    fn work(&self, worker: &mut Worker<'_>) -> Result<Vec<(usize, Outcome)>> {
        let mut done = Vec::new();
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = self.jobs.get(at) else { return Ok(done) };
            done.push((at, worker.folder(&self.prefix.join(job.byte), job.trees)?));
        }
    }
}
