//! Notes that racing writers lost, where that is hard to put right: the remote is away, or what a command had read was itself
//! thrown out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use contract::SyncedRef;
use testkit::{Invocation, Output, Repo, Sections, World};

const REF: &str = "refs/notes/mem/decisions";
const APPENDED: &str = "Notes added by 'git notes append'";

fn sync(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_notes-sync")).arg("--json")
}

fn the_one(output: &Output) -> SyncedRef {
    let mut refs = output.document().notes_sync().refs.clone();
    assert_eq!(refs.len(), 1, "{refs:?}");
    refs.remove(0)
}

/// New commits, to have notes about.
fn objects<const N: usize>(repo: &Repo) -> [String; N] {
    std::array::from_fn(|number| {
        repo.write("file", format!("{number}"));
        repo.commit_all("one more")
    })
}

/// Makes `tree` a commit of `git notes append` on `parent`, whatever that command had read, and moves the ref to it, whatever
/// it was.
fn appended(repo: &Repo, parent: &str, tree: &str) -> String {
    let tree = repo.rev(&format!("{tree}^{{tree}}"));
    let commit = repo.git(["commit-tree", "-m", APPENDED, "-p", parent, &tree]);
    repo.git(["update-ref", "-m", &format!("notes: {APPENDED}"), REF, &commit]);
    commit
}

/// The notes of `read` with one more line about `object`, in a ref that nobody syncs.
fn with_line(repo: &Repo, read: &str, object: &str, line: &str) -> String {
    repo.git(["update-ref", "refs/notes/scratch", read]);
    repo.git(["notes", "--ref", "scratch", "append", "-m", line, object]);
    repo.rev("refs/notes/scratch")
}

#[test]
fn what_was_thrown_out_is_put_back_while_the_remote_is_away_and_goes_out_later() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    let [first, second] = objects(&howard);
    howard.note(REF, &first, "kept");
    sync(&howard).success();
    let base = howard.rev(REF);
    howard.note(REF, &second, "lost");
    let lost = howard.rev(REF);
    let other = with_line(&howard, &base, &first, "of a racing writer");
    appended(&howard, &base, &other);
    assert_eq!(howard.notes(REF).get(&second), None);

    let away = origin.path().with_extension("away");
    std::fs::rename(origin.path(), &away).unwrap();
    let out = sync(&howard).output();
    assert_eq!(out.code, 69, "{}", out.stderr);
    assert_eq!(the_one(&out).rescued, [lost]);
    assert_eq!(howard.notes(REF)[&second], "lost");
    assert!(howard.notes(REF)[&first].contains("of a racing writer"));
    // It is done, and not done again.
    let repaired = howard.rev(REF);
    assert_eq!(sync(&howard).output().code, 69);
    assert_eq!(howard.rev(REF), repaired);

    std::fs::rename(&away, origin.path()).unwrap();
    sync(&howard).success();
    assert_eq!(origin.rev(REF), repaired);
    howard.assert_sound();
}

#[test]
fn a_commit_is_repaired_though_what_its_command_had_read_was_thrown_out() {
    let (_world, _origin, [howard]) = World::with_clones(["howard"]);
    let [one, two, three] = objects(&howard);
    howard.note(REF, &one, "at first");
    let base = howard.rev(REF);
    // A tip that stood for a moment, and had been read by then.
    let read = with_line(&howard, &base, &two, "of the tip that was thrown out");
    let read = appended(&howard, &base, &read);
    // Another writer threw it out.
    let parent = with_line(&howard, &base, &three, "of the one who threw it out");
    let parent = appended(&howard, &base, &parent);
    // The command goes on: its notes are those that it had read, its parent is what the ref is by then.
    let blind = with_line(&howard, &read, &one, "of the command");
    let blind = appended(&howard, &parent, &blind);
    assert_eq!(howard.notes(REF).get(&three), None, "it undid what it did not know");

    let out = the_one(&sync(&howard).success());
    assert!(out.rescued.contains(&blind), "{:?}", out.rescued);
    let notes = howard.notes(REF);
    assert!(notes[&one].contains("at first") && notes[&one].contains("of the command"), "{notes:?}");
    assert_eq!(notes[&two], "of the tip that was thrown out");
    assert_eq!(notes[&three], "of the one who threw it out");
    let settled = howard.rev(REF);
    sync(&howard).success();
    assert_eq!(howard.rev(REF), settled, "once is enough");
}
