//! Tests edits by a user, and kills, between any two steps of an update.
//!
//! The engine asks for permission before each change it makes; that is where these tests intervene.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use std::cell::Cell;
use std::fs::File;
use std::io::Write as _;

use common::{head_tree, open, snapshot, tree_of};
use gitsync::index::{self, Acquire};
use gitsync::watch::Watch;
use gitsync::worktree::{self, Applied, Recovered};
use testkit::{Repo, World};

/// Does something when leave is asked for the `at`th time.
struct Interrupt<F: Fn() -> anyhow::Result<()>> {
    at: usize,
    asked: Cell<usize>,
    what: F,
}

impl<F: Fn() -> anyhow::Result<()>> Watch for Interrupt<F> {
    fn check(&self) -> anyhow::Result<()> {
        self.asked.set(self.asked.get() + 1);
        if self.asked.get() == self.at { (self.what)() } else { Ok(()) }
    }
}

fn repo(world: &World) -> Repo {
    let repo = world.init("mike");
    for (path, content) in
        [("changed", "1\n"), ("gone/a", "1\n"), ("place", "1\n"), ("folder/x", "1\n"), ("same", "1\n")]
    {
        repo.write(path, content);
    }
    repo.commit_all("old");
    repo.git(["tag", "old"]);
    std::fs::remove_dir_all(repo.join("gone")).unwrap();
    std::fs::remove_dir_all(repo.join("folder")).unwrap();
    repo.remove("place");
    for (path, content) in [("changed", "2\n"), ("new/a", "2\n"), ("place/a", "2\n"), ("folder", "2\n")] {
        repo.write(path, content);
    }
    repo.commit_all("new");
    repo.git(["tag", "new"]);
    repo.git(["reset", "--quiet", "--hard", "old"]);
    repo
}

/// One update from `HEAD` to `new`; the error is what the watch says.
fn update(repo: &Repo, watch: &dyn Watch) -> anyhow::Result<Applied> {
    let gix = open(repo);
    let Acquire::Ours(lock) = index::lock(&gix)? else { panic!("index.lock is somebody else's") };
    let index = index::open(&gix)?;
    let facts = worktree::look(&gix, &index, head_tree(&gix), tree_of(repo, "new"), &())?;
    let plan = worktree::plan(&facts).unwrap();
    worktree::apply(&gix, lock, index, &plan, watch)
}

#[test]
fn a_run_that_dies_between_any_two_changes_is_taken_back_by_the_next() {
    let world = World::new();
    let repo = repo(&world);
    let before = snapshot(&repo);
    for at in 1.. {
        let watch = Interrupt { at, asked: Cell::new(0), what: || anyhow::bail!("killed") };
        match update(&repo, &watch) {
            Ok(Applied::Done(done)) => {
                assert!(at > 8, "only {at} steps");
                done.pending.finish().unwrap();
                break;
            }
            Ok(Applied::Refused(refused)) => panic!("{refused:?}"),
            Err(_) => {
                worktree::recover(&open(&repo), head_tree(&open(&repo)), &()).unwrap();
                assert_eq!(snapshot(&repo), before, "killed at step {at}");
                repo.assert_clean();
                repo.assert_unlocked();
                assert!(!repo.git_dir().join("lockstep-update").exists());
            }
        }
    }
    repo.git(["update-ref", "HEAD", "new"]);
    repo.assert_clean();
}

#[test]
fn an_edit_between_any_two_changes_is_never_lost() {
    let world = World::new();
    let repo = repo(&world);
    let before = snapshot(&repo);
    let edits: [(&str, &str); 7] = [
        ("changed", "mine\n"),
        ("gone/a", "mine\n"),
        ("new/a", "mine\n"),
        ("place", "mine\n"),
        ("folder/x", "mine\n"),
        ("folder/mine", "mine\n"),
        ("gone/mine", "mine\n"),
    ];
    let wrote = Cell::new(false);
    for (path, content) in edits {
        let mut refused = 0;
        for at in 1..16 {
            let edit = || {
                // In one of the states between, the edit may be impossible; then there is nothing to lose.
                let full = repo.join(path);
                let made = std::fs::create_dir_all(full.parent().unwrap())
                    .and_then(|()| std::fs::write(&full, content));
                wrote.set(made.is_ok());
                Ok(())
            };
            wrote.set(false);
            let applied = update(&repo, &Interrupt { at, asked: Cell::new(0), what: edit }).unwrap();
            if wrote.get() {
                assert_eq!(repo.read(path), content, "{path} at step {at}");
            }
            match applied {
                Applied::Refused(_) => {
                    refused += 1;
                    let mut expected = before.clone();
                    expected.insert(path.into(), format!("0 {}", content.escape_default()));
                    let mut after = snapshot(&repo);
                    // A folder that the user's file needed.
                    after.retain(|name, _| {
                        expected.contains_key(name) || !path.starts_with(&format!("{name}/"))
                    });
                    assert_eq!(after, expected, "{path} at step {at}");
                }
                Applied::Done(done) => {
                    if wrote.get() {
                        repo.git(["update-ref", "HEAD", "new"]);
                        assert_ne!(repo.status(), "", "{path} at step {at}: the edit is seen");
                        repo.git(["update-ref", "HEAD", "old"]);
                    }
                    done.pending.finish().unwrap();
                }
            }
            repo.git(["reset", "--quiet", "--hard", "old"]);
            repo.git(["clean", "-ffdqx"]);
        }
        // A new file in a folder that goes is in nobody's way: the folder stays.
        assert_eq!(refused > 0, path != "gone/mine", "{path}: refused {refused} times");
    }
}

/// What is under any of these names, with the copies beside them that an undone update keeps.
fn all_text(repo: &Repo, path: &str) -> String {
    let kept = (0..3).map(|number| format!("{path}.kept-{number}"));
    let names = std::iter::once(path.to_owned()).chain(kept);
    names.filter_map(|name| std::fs::read_to_string(repo.join(&name)).ok()).collect()
}

/// Has an editor that had `path` open before the update write to it at each step, besides what `more` does then. The
/// engine looks back once, at the end: at one step, the last, it is too late.
fn late_edits_are_kept(path: &str, more: impl Fn(&Repo)) {
    let world = World::new();
    let repo = repo(&world);
    let mut too_late = 0;
    for at in 1.. {
        let (editor, wrote) = (File::options().append(true).open(repo.join(path)).unwrap(), Cell::new(false));
        let edit = || {
            more(&repo);
            (&editor).write_all(b"late\n")?;
            wrote.set(true);
            Ok(())
        };
        let applied = update(&repo, &Interrupt { at, asked: Cell::new(0), what: edit }).unwrap();
        match (applied, wrote.get()) {
            (Applied::Refused(_), _) => {
                assert!(all_text(&repo, path).contains("late\n"), "{path} at step {at}");
            }
            (Applied::Done(done), wrote) => {
                done.pending.finish().unwrap();
                if !wrote {
                    break;
                }
                too_late += 1;
            }
        }
        repo.git(["clean", "-fdq"]);
        repo.git(["reset", "--quiet", "--hard", "old"]);
    }
    assert_eq!(too_late, 1, "{path}");
}

#[test]
fn what_an_editor_that_had_the_file_open_writes_late_is_not_lost() {
    for path in ["changed", "gone/a", "place", "folder/x"] {
        late_edits_are_kept(path, |_| ());
    }
}

#[test]
fn nor_is_it_where_somebody_else_has_written_the_new_file_meanwhile() {
    late_edits_are_kept("changed", |repo| repo.write("changed", "another's\n"));
}

#[test]
fn a_run_that_lost_its_lock_changes_nothing_further() {
    let world = World::new();
    let repo = repo(&world);
    let seen = std::cell::RefCell::new(None);
    let watch = Interrupt {
        at: 4,
        asked: Cell::new(0),
        what: || {
            // Whoever took over puts things right, and a user commits.
            let gix = open(&repo);
            std::fs::remove_file(repo.git_dir().join("index.lock")).unwrap();
            std::fs::remove_file(repo.git_dir().join("index.lockstep")).unwrap();
            let recovered = worktree::recover(&gix, head_tree(&gix), &()).unwrap();
            assert!(matches!(recovered, Recovered::RolledBack { .. }));
            std::fs::write(repo.git_dir().join("index.lock"), "somebody else's").unwrap();
            *seen.borrow_mut() = Some(snapshot(&repo));
            anyhow::bail!("the lock is lost")
        },
    };
    update(&repo, &watch).unwrap_err();
    assert_eq!(Some(snapshot(&repo)), seen.into_inner());
    assert_eq!(std::fs::read_to_string(repo.git_dir().join("index.lock")).unwrap(), "somebody else's");
}

#[test]
fn an_update_killed_before_it_could_note_what_it_did_is_taken_back_too() {
    let world = World::new();
    let repo = repo(&world);
    let before = snapshot(&repo);
    let watch = Interrupt { at: 100, asked: Cell::new(0), what: || Ok(()) };
    let Applied::Done(done) = update(&repo, &watch).unwrap() else { panic!("refused") };
    std::mem::forget(done.pending);
    std::fs::remove_file(repo.git_dir().join("lockstep-update/placed")).unwrap();
    worktree::recover(&open(&repo), head_tree(&open(&repo)), &()).unwrap();
    assert_eq!(snapshot(&repo), before);
    repo.assert_clean();
}

#[test]
fn a_killed_update_does_not_become_the_users_commit() {
    let world = World::new();
    let repo = repo(&world);
    let watch = Interrupt { at: 6, asked: Cell::new(0), what: || anyhow::bail!("killed") };
    update(&repo, &watch).unwrap_err();
    assert_ne!(repo.status(), "", "half of the update is in the work tree");
    worktree::recover(&open(&repo), head_tree(&open(&repo)), &()).unwrap();
    let staged = common::stage_all(&repo).ok().unwrap();
    assert!(staged.counts.is_empty());
}

#[test]
fn what_a_person_did_to_the_branch_after_a_kill_stands() {
    let world = World::new();
    let repo = repo(&world);
    let watch = Interrupt { at: 100, asked: Cell::new(0), what: || Ok(()) };
    let Applied::Done(done) = update(&repo, &watch).unwrap() else { panic!("refused") };
    std::mem::forget(done.pending);
    // The run was killed before it moved the branch; a person commits what is there.
    repo.git(["commit", "--quiet", "--message", "mine"]);
    repo.append("same", "more\n");
    repo.git(["commit", "--quiet", "--all", "--message", "and more"]);
    let before = snapshot(&repo);
    worktree::recover(&open(&repo), head_tree(&open(&repo)), &()).unwrap();
    assert_eq!(snapshot(&repo), before);
    repo.assert_clean();
}
