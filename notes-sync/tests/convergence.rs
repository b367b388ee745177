//! Tests many concurrent writers in many worktrees of many clones: all end up with the same notes, and none is lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeSet,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use testkit::{Invocation, Repo, World};

const REFS: [&str; 2] = ["refs/notes/mem/decisions", "refs/notes/mem/learnings"];

/// How large the test is; `NOTES_SYNC_STRESS` makes it the whole one: 8 clones with 4 work trees each, for a minute.
#[derive(Clone, Copy)]
struct Size {
    clones: usize,
    work_trees: usize,
    duration: Duration,
}

impl Size {
    fn wanted() -> Self {
        match std::env::var_os("NOTES_SYNC_STRESS") {
            Some(_) => Self { clones: 8, work_trees: 4, duration: Duration::from_secs(60) },
            None => Self { clones: 3, work_trees: 2, duration: Duration::from_secs(6) },
        }
    }
}

/// Random enough to be different at every step, and the same for the same writer.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % limit
    }
}

fn notes_sync(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_notes-sync"))
}

fn sync(repo: &Repo) -> Invocation {
    // A run that is killed before it could write down whose its lock is leaves one that goes by its age alone.
    notes_sync(repo).args(["--fresh", "--json", "-q", "--attempts", "50", "--stale-after", "10s"])
}

/// The lines that writers were told are written.
#[derive(Default)]
struct Promised {
    /// By `notes-sync append`, with the ref and what it is about.
    by_us: BTreeSet<(String, String, String)>,
    /// By `git notes append`, where the reflog is asked.
    by_git: BTreeSet<(String, String, String)>,
}

fn write_and_sync(
    repo: &Repo,
    writer: usize,
    objects: &[String],
    own: &str,
    size: Size,
    promised: &Mutex<Promised>,
) {
    let began = Instant::now();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (writer as u64 + 1) << 32);
    let mut step = 0;
    while began.elapsed() < size.duration {
        step += 1;
        let name = REFS[dice.below(REFS.len() as u64) as usize];
        let object = &objects[dice.below(objects.len() as u64) as usize];
        let line = format!("writer {writer} step {step}");
        let promise = || (name.to_owned(), object.clone(), line.clone());
        match dice.below(10) {
            0..=3 => {
                let appended = notes_sync(repo)
                    .args(["append", "-q", "--ref", name, "--object", object, "-m", &line])
                    .output();
                assert_eq!(appended.code, 0, "{}", appended.stderr);
                promised.lock().unwrap().by_us.insert(promise());
            }
            4 | 5 => {
                let appended = repo.try_git(["notes", "--ref", name, "append", "-m", &line, object]);
                if appended.code == 0 {
                    promised.lock().unwrap().by_git.insert(promise());
                }
            }
            // On an object of the writer's own: it is meant to replace what was there. What it must not take along are
            // all the other notes.
            6 => {
                repo.try_git(["notes", "--ref", name, "add", "-f", "-m", &line, own]);
            }
            7 => {
                let mut killed = sync(repo).spawn();
                thread::sleep(Duration::from_millis(dice.below(60)));
                killed.kill();
                killed.wait();
            }
            _ => {
                let synced = sync(repo).output();
                assert!([0, 69, 75].contains(&synced.code), "{}: {}", synced.code, synced.stderr);
            }
        }
    }
}

#[test]
fn all_clones_end_with_the_same_notes_and_none_is_lost() {
    let size = Size::wanted();
    let world = World::new();
    let origin = world.bare("origin.git");
    let first = world.clone_of(&origin, "first");
    let mut objects = Vec::new();
    for number in 0..4 {
        first.write("file", format!("{number}"));
        objects.push(first.commit_all("one more"));
    }
    let mut own = Vec::new();
    for number in 0..size.clones * size.work_trees {
        first.write("own", format!("{number}"));
        own.push(first.commit_all("one more"));
    }
    first.push();

    let mut clones = vec![first];
    for number in 1..size.clones {
        clones.push(world.clone_of(&origin, &format!("clone-{number}")));
    }
    let mut places = Vec::new();
    for clone in &clones {
        places.push(clone.clone());
        for tree in 1..size.work_trees {
            places
                .push(clone.linked_work_tree(&format!("{}-tree-{tree}", clone.path().file_name().unwrap())));
        }
    }

    let promised = Mutex::new(Promised::default());
    thread::scope(|scope| {
        for (writer, place) in places.iter().enumerate() {
            let (objects, own, promised) = (&objects, &own[writer], &promised);
            scope.spawn(move || write_and_sync(place, writer, objects, own, size, promised));
        }
    });
    let promised = promised.into_inner().unwrap();

    // All finish, and then each runs once more.
    for _ in 0..2 {
        for clone in &clones {
            let synced = sync(clone).output();
            assert_eq!(synced.code, 0, "{}", synced.stderr);
        }
    }
    for name in REFS {
        for clone in &clones {
            assert_eq!(clone.try_rev(name), origin.try_rev(name), "{name} in {}", clone.path());
        }
    }
    for clone in clones.iter().chain([&origin]) {
        clone.assert_sound();
        clone.assert_unlocked();
    }

    let has = |(name, object, line): &(String, String, String)| {
        origin.notes(name).get(object).is_some_and(|note| note.lines().any(|found| found == line))
    };
    let lost: Vec<_> = promised.by_us.iter().filter(|promise| !has(promise)).collect();
    assert!(lost.is_empty(), "{} of {} appends are lost: {lost:?}", lost.len(), promised.by_us.len());
    let lost: Vec<_> = promised.by_git.iter().filter(|promise| !has(promise)).collect();
    assert!(
        lost.is_empty(),
        "{} of {} of git's appends are lost: {lost:?}",
        lost.len(),
        promised.by_git.len()
    );
    assert!(promised.by_us.len() > 10, "only {} appends were made", promised.by_us.len());
    println!("{} appends by us and {} by git, all there", promised.by_us.len(), promised.by_git.len());
}
