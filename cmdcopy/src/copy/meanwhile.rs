//! Tests what happens if another process changes the files or takes over the lock between two steps of a copy.

use std::sync::atomic::{AtomicUsize, Ordering};

use camino::Utf8PathBuf;

use super::*;
use crate::{
    look::{self, Command, Content},
    plan::{self, Gone},
};

const MARK: &str = "01RUN-7";

/// A target directory, with its record.
struct Scene {
    directory: tempfile::TempDir,
}

impl Scene {
    fn begin() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn at(&self, path: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.directory.path()).unwrap().join(path)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.at("to")).unwrap();
        std::fs::write(self.at("to").join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at("to").join(name)).unwrap_or_default()
    }

    fn record(&self) -> Record {
        Record::read(&self.at("git"), &self.at("to"))
    }

    /// Copies these commands, and calls `meanwhile` whenever the run checks its lock.
    fn copy(&self, commands: &[(&str, &str)], gone: Gone<'_>, meanwhile: impl Meanwhile) -> Report {
        let content = |text: &str| Command::File(Content::of(text.into()).unwrap());
        let commands = commands.iter().map(|(name, text)| ((*name).to_owned(), content(text))).collect();
        let mut record = self.record();
        let copied = record.copied();
        let names: Vec<String> = ["save.md", "sync.md"].map(Into::into).into();
        let targets = look::targets(&self.at("to"), names.iter()).unwrap();
        let steps = plan::plan(commands, &targets, &copied, gone);
        let guard = Meddled { looks: AtomicUsize::new(0), meanwhile };
        copy(&self.at("to"), MARK, Utf8Path::new("from"), &steps, &mut record, &guard).unwrap()
    }
}

/// What happens during a copy: called with the number of the lock check, from 1 on, and returns whether the run still
/// has the lock.
trait Meanwhile: Fn(usize) -> bool + Send + Sync {}
impl<F: Fn(usize) -> bool + Send + Sync> Meanwhile for F {}

struct Meddled<F> {
    looks: AtomicUsize,
    meanwhile: F,
}

impl<F: Meanwhile> Guard for Meddled<F> {
    fn check(&self) -> Result<(), Fault> {
        let look = 1 + self.looks.fetch_add(1, Ordering::Relaxed);
        if (self.meanwhile)(look) { Ok(()) } else { Err(Fault::new(Exit::Deferred, "it was taken over")) }
    }

    fn alive(&self) {}

    fn token(&self) -> Option<&str> {
        None
    }
}

fn nothing_happens(_: usize) -> bool {
    true
}

fn results(report: &Report) -> Vec<CopyResult> {
    report.files.iter().map(|file| file.result).collect()
}

#[test]
fn a_file_that_comes_to_be_there_meanwhile_is_not_overwritten() {
    let scene = Scene::begin();
    let report = scene.copy(&[("sync.md", "theirs")], Gone::Stay, |_| {
        scene.write("sync.md", "mine");
        true
    });
    assert_eq!(results(&report), [CopyResult::Kept]);
    assert_eq!(scene.read("sync.md"), "mine");
}

#[test]
fn a_copy_that_is_edited_meanwhile_is_not_replaced() {
    let scene = Scene::begin();
    scene.copy(&[("sync.md", "version 1")], Gone::Stay, nothing_happens);
    let report = scene.copy(&[("sync.md", "version 2")], Gone::Stay, |_| {
        scene.write("sync.md", "mine");
        true
    });
    assert_eq!(results(&report), [CopyResult::Kept]);
    assert_eq!(scene.read("sync.md"), "mine");
    let report = scene.copy(&[("sync.md", "version 2")], Gone::Stay, nothing_happens);
    assert_eq!(results(&report), [CopyResult::Updated]);
    assert_eq!(scene.read("sync.md.bak"), "mine", "the next run knows that it is the user's");
}

#[test]
fn a_copy_that_is_edited_meanwhile_is_not_pruned() {
    let scene = Scene::begin();
    scene.copy(&[("sync.md", "version 1")], Gone::Stay, nothing_happens);
    let report = scene.copy(&[], Gone::Go(Utf8Path::new("from")), |_| {
        scene.write("sync.md", "mine");
        true
    });
    assert_eq!(results(&report), [CopyResult::Kept]);
    assert_eq!(scene.read("sync.md"), "mine");
}

#[test]
fn once_the_lock_is_lost_no_further_file_is_touched() {
    for last in 1..6 {
        let scene = Scene::begin();
        scene.copy(&[("save.md", "1"), ("sync.md", "1")], Gone::Stay, nothing_happens);
        let report = scene.copy(&[("save.md", "2"), ("sync.md", "2")], Gone::Stay, |look| {
            // From here on the files belong to another run.
            if look > last {
                scene.write("save.md", "another run's");
                scene.write("sync.md", "another run's");
            }
            look <= last
        });
        let Some(fault) = report.fault else { panic!("the lock was lost at look {last}") };
        assert_eq!(fault.exit(), Exit::Deferred);
        for name in ["save.md", "sync.md"] {
            assert_eq!(scene.read(name), "another run's", "{name}, with the lock for {last} looks");
        }
    }
}

#[test]
fn what_was_copied_before_the_lock_was_lost_is_known_to_be_a_copy() {
    let scene = Scene::begin();
    let before_the_second = 2;
    scene.copy(&[("save.md", "1"), ("sync.md", "1")], Gone::Stay, |look| look <= before_the_second);
    assert_eq!((scene.read("save.md"), scene.read("sync.md")), ("1".into(), String::new()));
    let report = scene.copy(&[("save.md", "2"), ("sync.md", "2")], Gone::Stay, nothing_happens);
    assert_eq!(results(&report), [CopyResult::Updated, CopyResult::Added]);
    assert!(report.files.iter().all(|file| file.backup.is_none()), "{:?}", report.files);
}
