//! S6: measures many clones of one remote that each have a change and all sync concurrently.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use super::{
    amounts::Amounts,
    context::BenchContext,
    history::{self, Commit},
    measure::{self, Measured},
    pairs::{Label, Pairs},
    results::{Kind, Row},
    sandbox::{Objects, Sandbox},
    sides::{Side, Sides},
    snapshot::{self, Snapshot},
};

/// How long a clone waits before it checks again whether all changes are at the remote.
const PAUSE: Duration = Duration::from_millis(2);

/// The time limit for all clones to agree.
const LIMIT: Duration = Duration::from_mins(10);

/// Exit codes after which a clone tries again: failed (the script's code after three lost races), unreachable,
/// deferred.
const AGAIN: [i32; 3] = [1, 69, 75];

/// The target speedup over the baseline until all agree.
const TARGET: f64 = 6.0;

/// Measures S6.
pub fn row(ground: &BenchContext<'_>, amounts: Amounts) -> anyhow::Result<Row> {
    let swarm = Swarm::new(ground.lab, amounts)?;
    let mut runs: [Vec<usize>; 2] = Default::default();
    let contest = Pairs::hold(ground.few_pairs, |side| {
        swarm.prepare()?;
        let (measured, count) =
            swarm.sync(&ground.sides, side).with_context(|| format!("{side:?} did not do the job"))?;
        let [theirs, ours] = &mut runs;
        match side {
            Side::Theirs => theirs.push(count),
            Side::Ours => ours.push(count),
        }
        Ok(measured)
    })?;
    let [theirs, ours] = runs.map(|counts| counts.iter().sum::<usize>() / counts.len().max(1));
    let (clones, files) = amounts.swarm;
    let row = contest.row(Label {
        kind: Kind::Whole,
        id: "S6".to_owned(),
        title: format!(
            "{clones} clones, each with a change, until all agree ({theirs} runs, {ours} of ours)"
        ),
        files,
        place: ground.place.clone(),
        target: Some(TARGET),
    });
    swarm.remove()?;
    Ok(row)
}

/// A remote and its clones.
#[derive(Debug)]
struct Swarm<'a> {
    lab: &'a Sandbox,
    folder: Utf8PathBuf,
    remote: Utf8PathBuf,
    clones: Vec<Utf8PathBuf>,
    start: Vec<Snapshot>,
}

impl<'a> Swarm<'a> {
    /// Creates them.
    fn new(lab: &'a Sandbox, amounts: Amounts) -> anyhow::Result<Self> {
        let (count, files) = amounts.swarm;
        let folder = lab.root().join("swarm");
        let remote = folder.join("origin.git");
        std::fs::create_dir(&folder).with_context(|| format!("{folder} could not be made"))?;
        lab.git(&folder, &["init", "--quiet", "--bare", remote.as_str()])?;
        lab.import(&remote, Objects::Packed, |out| {
            let main = Commit { on: "refs/heads/main", from: None, author: "Mike", number: 0 };
            history::commit(out, main, history::beginning(files))
        })?;
        let clones: Vec<_> = (0..count).map(|number| folder.join(format!("clone-{number:02}"))).collect();
        let mut start = vec![Snapshot::bare(lab, &remote)?];
        for clone in &clones {
            lab.git(&folder, &["clone", "--quiet", remote.as_str(), clone.as_str()])?;
            start.push(Snapshot::clone(lab, clone)?);
        }
        Ok(Self { lab, folder, remote, clones, start })
    }

    /// Restores all repositories and changes a file in every clone.
    fn prepare(&self) -> anyhow::Result<()> {
        self.start.iter().try_for_each(|frozen| frozen.thaw(self.lab))?;
        snapshot::settle(self.lab, self.clones.iter().map(Utf8PathBuf::as_path))?;
        for (number, clone) in self.clones.iter().enumerate() {
            let path = clone.join(history::page(number));
            std::fs::write(&path, history::text(number, 1))
                .with_context(|| format!("{path} could not be written"))?;
        }
        Ok(())
    }

    /// Lets all clones sync concurrently until all agree, and checks that they do. Returns the time from the first
    /// start to that moment, the highest peak of memory of any run, and the number of runs.
    ///
    /// A clone whose run lost its races tries again immediately, until its change is at the remote. Once all changes
    /// are there, each clone that is behind syncs once more.
    fn sync(&self, sides: &Sides<'_>, side: Side) -> anyhow::Result<(Measured, usize)> {
        let round = Round {
            sides,
            side,
            remote: &self.remote,
            unpushed: AtomicUsize::new(self.clones.len()),
            failed: AtomicBool::new(false),
            began: Instant::now(),
        };
        let done: Vec<anyhow::Result<Done>> = std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .clones
                .iter()
                .map(|clone| {
                    let round = &round;
                    scope.spawn(move || round.follow(clone))
                })
                .collect();
            let joined = threads.into_iter().map(|thread| thread.join());
            joined.map(|done| done.unwrap_or_else(|_| bail!("a clone's thread panicked"))).collect()
        });
        let took = round.began.elapsed();
        let done = done.into_iter().collect::<anyhow::Result<Vec<Done>>>()?;
        self.check()?;
        let measured = Measured {
            took,
            busy: done.iter().map(|done| done.busy).sum(),
            peak_kib: done.iter().map(|done| done.peak_kib).max().unwrap_or(0),
        };
        Ok((measured, done.iter().map(|done| done.runs).sum()))
    }

    fn remove(self) -> anyhow::Result<()> {
        std::fs::remove_dir_all(&self.folder).with_context(|| format!("{} could not be removed", self.folder))
    }

    /// Checks that every clone has every change, as one commit each, and nothing else.
    fn check(&self) -> anyhow::Result<()> {
        let head = self.lab.git(&self.remote, &["rev-parse", "refs/heads/main"])?;
        let commits = self.lab.git(&self.remote, &["rev-list", "--count", &head])?;
        ensure!(commits == (self.clones.len() + 1).to_string(), "the remote has {commits} commits");
        let changed = self
            .lab
            .git(&self.remote, &["diff", "--name-only", &format!("{head}~{}", self.clones.len()), &head])?;
        let mut expected: Vec<_> = (0..self.clones.len()).map(history::page).collect();
        expected.sort();
        ensure!(changed.lines().eq(expected), "the remote has other changes than the clones made");
        for clone in &self.clones {
            ensure!(self.lab.git(clone, &["rev-parse", "HEAD"])? == head, "{clone} is elsewhere");
            let status = self.lab.git(clone, &["status", "--porcelain"])?;
            ensure!(status.is_empty(), "{clone} is not clean: {status}");
        }
        Ok(())
    }
}

/// One round of concurrent syncs.
struct Round<'a> {
    sides: &'a Sides<'a>,
    side: Side,
    remote: &'a Utf8Path,
    /// How many clones have not pushed their change yet; at zero, the remote's branch is final.
    unpushed: AtomicUsize,
    failed: AtomicBool,
    began: Instant,
}

/// The result of one clone.
#[derive(Debug, Default)]
struct Done {
    runs: usize,
    busy: Duration,
    peak_kib: u64,
}

impl Round<'_> {
    fn follow(&self, clone: &Utf8PathBuf) -> anyhow::Result<Done> {
        let done = self.sync_until_all_agree(clone);
        if done.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        done
    }

    fn sync_until_all_agree(&self, clone: &Utf8PathBuf) -> anyhow::Result<Done> {
        let mut done = Done::default();
        let mut pushed = false;
        while !self.failed.load(Ordering::SeqCst) {
            ensure!(self.began.elapsed() < LIMIT, "{clone} did not get to agree with the others");
            // Read before the heads are compared, so that a head that moves in between is not taken for the final
            // one.
            let is_final = self.unpushed.load(Ordering::SeqCst) == 0;
            if pushed && !is_final {
                std::thread::sleep(PAUSE);
                continue;
            }
            if pushed && main(&clone.join(".git"))? == main(self.remote)? {
                break;
            }
            let ended = measure::run(&mut self.sides.whole(self.side, clone))?;
            done.runs += 1;
            done.busy += ended.measured.busy;
            done.peak_kib = done.peak_kib.max(ended.measured.peak_kib);
            match ended.code {
                Some(0) if !pushed => {
                    pushed = true;
                    self.unpushed.fetch_sub(1, Ordering::SeqCst);
                }
                Some(0) => {}
                Some(code) if AGAIN.contains(&code) => {}
                code => bail!("a run on {clone} ended with {code:?}: {}", ended.words),
            }
        }
        Ok(done)
    }
}

/// Returns the commit of a repository's branch, without starting a process that would slow down the others.
fn main(git_dir: &Utf8Path) -> anyhow::Result<String> {
    const BRANCH: &str = "refs/heads/main";
    let text = match std::fs::read_to_string(git_dir.join(BRANCH)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::read_to_string(git_dir.join("packed-refs"))
        }
        read => read,
    };
    let text = text.with_context(|| format!("{git_dir} has no branch that can be read"))?;
    let line = text.lines().find(|line| line.ends_with(BRANCH)).unwrap_or(&text);
    Ok(line.split_whitespace().next().unwrap_or_default().to_owned())
}
