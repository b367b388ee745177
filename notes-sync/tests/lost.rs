//! Tests hard cases of notes that were lost to concurrent writers.
//!
//! The remote is unreachable, or what a command had read was itself dropped, is far behind, or is based on what
//! others lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod story;

use gix::ObjectId;
use notes_sync::{
    clobbered::{self, Memory, Place},
    commits::{self, Commits},
    reflog,
    tree::{NotesTree, layout::Annotated},
};
use store::{History, RecentObjects};
use story::{REF, sync, the_one};
use testkit::{Repo, World};

const APPENDED: &str = "Notes added by 'git notes append'";

/// New commits, to have notes about.
fn objects<const N: usize>(repo: &Repo) -> [String; N] {
    std::array::from_fn(|number| {
        repo.write("file", format!("{number}"));
        repo.commit_all("one more")
    })
}

fn annotated(object: &str) -> Annotated {
    Annotated(object.parse().unwrap())
}

/// Makes `tree` a commit of a command of git on `parent`, whatever that command had read, and moves the ref to it,
/// whatever it was.
fn made(repo: &Repo, message: &str, parent: &str, tree: &str) -> String {
    let tree = repo.rev(&format!("{tree}^{{tree}}"));
    let commit = repo.git(["commit-tree", "-m", message, "-p", parent, &tree]);
    repo.git(["update-ref", "-m", &format!("notes: {message}"), REF, &commit]);
    commit
}

fn appended(repo: &Repo, parent: &str, tree: &str) -> String {
    made(repo, APPENDED, parent, tree)
}

/// The notes of `read` with one more line about `object`, in a ref that nobody syncs.
fn with_line(repo: &Repo, read: &str, object: &str, line: &str) -> String {
    repo.git(["update-ref", "refs/notes/scratch", read]);
    repo.git(["notes", "--ref", "scratch", "append", "-m", line, object]);
    repo.rev("refs/notes/scratch")
}

/// Three objects, a note about the first of them, and two appends in a row.
struct Clobbered {
    _world: World,
    origin: Repo,
    howard: Repo,
    objects: [String; 3],
    /// Has a line about the second object.
    first: String,
    /// Had read the notes before the first came, and so undid it.
    second: String,
}

fn the_second_undid_the_first() -> Clobbered {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    let objects = objects(&howard);
    let [one, two, _] = &objects;
    howard.note(REF, one, "at first");
    let base = howard.rev(REF);
    let first = appended(&howard, &base, &with_line(&howard, &base, two, "of the first"));
    let second = appended(&howard, &first, &with_line(&howard, &base, one, "of the second"));
    assert_eq!(howard.notes(REF).get(two), None);
    Clobbered { _world, origin, howard, objects, first, second }
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

#[test]
fn of_two_commits_in_a_row_that_knew_nothing_of_each_other_neither_loses_anything() {
    let Clobbered { _world, howard, objects: [one, two, three], first, second, .. } =
        the_second_undid_the_first();
    // The third had read the notes before the second came.
    appended(&howard, &second, &with_line(&howard, &first, &three, "of the third"));

    sync(&howard).success();
    let notes = howard.notes(REF);
    assert_eq!(notes[&two], "of the first");
    assert!(notes[&one].contains("of the second"), "{notes:?}");
    assert_eq!(notes[&three], "of the third");
}

#[test]
fn a_repair_that_was_thrown_out_does_not_count_for_what_stands_beside_it() {
    let Clobbered { _world, origin, howard, objects: [one, two, three], first, second, .. } =
        the_second_undid_the_first();
    let line = with_line(&howard, &first, &three, "of the one who was slow");
    // It is repaired, and the remote has that already.
    sync(&howard).success();
    assert_eq!(origin.notes(REF)[&two], "of the first");
    // A writer that had read the ref before throws the repair out, and another one that had read it earlier stands on
    // that.
    let beside = appended(&howard, &second, &with_line(&howard, &second, &one, "of the one beside"));
    appended(&howard, &beside, &line);

    sync(&howard).success();
    let notes = howard.notes(REF);
    assert_eq!(notes[&two], "of the first");
    assert!(notes[&one].contains("of the second") && notes[&one].contains("of the one beside"), "{notes:?}");
    assert_eq!(notes[&three], "of the one who was slow");
}

#[test]
fn what_git_itself_has_pushed_is_looked_at_all_the_same() {
    // Whether this program was here before, and whether git moves the tracking ref as well.
    for (was_here, git_tracks) in [(true, false), (true, true), (false, false), (false, true)] {
        let (_world, origin, [howard]) = World::with_clones(["howard"]);
        let [one, two] = objects(&howard);
        if git_tracks {
            howard.git(["config", "--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/origin/*"]);
        }
        howard.note(REF, &one, "at first");
        if was_here {
            sync(&howard).success();
        }
        let base = howard.rev(REF);
        let first = appended(&howard, &base, &with_line(&howard, &base, &two, "of the first"));
        appended(&howard, &first, &with_line(&howard, &base, &one, "of the second"));
        howard.git(["push", "-q", "origin", REF]);
        assert_eq!(origin.notes(REF).get(&two), None);

        sync(&howard).success();
        let notes = origin.notes(REF);
        assert_eq!(notes.get(&two).map(String::as_str), Some("of the first"), "{was_here} {git_tracks}");
        assert!(notes[&one].contains("of the second"));
        howard.assert_sound();
    }
}

#[test]
fn notes_that_were_copied_together_once_more_stay() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    let [one, two] = objects(&howard);
    howard.note(REF, &one, "copied");
    howard.note(REF, &two, "copied");
    let both = howard.rev(REF);
    for object in [&one, &two] {
        howard.git(["notes", "--ref", REF, "remove", object]);
    }
    // What `git notes copy --stdin` makes of two lines.
    made(&howard, "Notes added by 'git notes copy'", &howard.rev(REF), &both);
    sync(&howard).success();
    assert_eq!(origin.notes(REF).len(), 2);
}

#[test]
fn a_removal_that_cut_off_what_was_appended_meanwhile_is_repaired_and_stays_a_removal() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    let [one, two, three] = objects(&howard);
    for object in [&one, &two, &three] {
        howard.note(REF, object, "at first");
    }
    let base = howard.rev(REF);
    howard.git(["notes", "--ref", REF, "remove", &two]);
    let removed = howard.rev(REF);
    let first = appended(&howard, &base, &with_line(&howard, &base, &one, "meanwhile"));
    made(&howard, "Notes removed by 'git notes remove'", &first, &removed);
    sync(&howard).success();
    let notes = origin.notes(REF);
    assert!(notes[&one].contains("meanwhile"), "{notes:?}");
    assert_eq!(notes.get(&two), None);

    howard.git(["notes", "--ref", REF, "remove", &one, &three]);
    sync(&howard).success();
    assert!(origin.notes(REF).is_empty(), "what was removed together was meant to be");
}

#[test]
fn a_note_that_was_put_in_place_once_more_undoes_no_other() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    let [one, two] = objects(&howard);
    howard.note(REF, &one, "the same");
    let base = howard.rev(REF);
    let first = appended(&howard, &base, &with_line(&howard, &base, &two, "of the first"));
    made(&howard, "Notes added by 'git notes add'", &first, &base);
    sync(&howard).success();
    assert_eq!(origin.notes(REF).get(&two).map(String::as_str), Some("of the first"));
}

#[test]
fn what_a_command_had_read_is_found_however_much_came_in_meanwhile() {
    let (_world, _origin, [howard]) = World::with_clones(["howard"]);
    let [one, two, three] = objects(&howard);
    howard.note(REF, &one, "at first");
    let read = howard.rev(REF);
    // All that others did comes in at once.
    let many = many_commits(&howard, &read, "Notes from afar", |notes, git, number| {
        let blob = git.write_blob(format!("the {number}th of somebody else\n")).unwrap().detach();
        notes.set(annotated(&two), Some(blob)).unwrap();
    });
    howard.git(["update-ref", "-m", "notes: Merged notes from afar", REF, &many]);
    appended(&howard, &many, &with_line(&howard, &read, &three, "of the one who was slow"));

    sync(&howard).success();
    let notes = howard.notes(REF);
    assert_eq!(notes[&two], "the 299th of somebody else");
    assert_eq!(notes[&three], "of the one who was slow");
}

#[test]
fn commits_that_are_not_what_they_say_cost_little_and_hide_no_other() {
    let Clobbered { _world, howard, objects: [_, two, three], second, .. } = the_second_undid_the_first();
    let two_at_once = |notes: &mut NotesTree<'_>, git: &gix::Repository, number: usize| {
        for object in [&two, &three] {
            let blob = git.write_blob(format!("{number}\n")).unwrap().detach();
            notes.set(annotated(object), Some(blob)).unwrap();
        }
    };
    let tip = many_commits(&howard, &second, APPENDED, two_at_once);

    let repo = gix::open_opts(howard.path(), gix::open::Options::isolated()).unwrap();
    let commits = Commits { repo: &repo, history: &History::of(&repo), latest: &RecentObjects::default() };
    let reflog = reflog::read(commits, &REF.try_into().unwrap(), None).unwrap();
    let mut memory = Memory::default();
    let tips = [tip.parse::<ObjectId>().unwrap()];
    let place = Place { tips: &tips, known: &[], reflog: reflog.entries() };
    let undone = clobbered::look(commits, place, &mut memory).unwrap();
    let found: Vec<String> = undone.iter().map(|undone| undone.commit.to_string()).collect();
    assert_eq!(found, [second]);
    assert!(memory.comparisons() <= 5_000, "{}", memory.comparisons());
    // And what was found out is known.
    let compared = memory.comparisons();
    assert_eq!(clobbered::look(commits, place, &mut memory).unwrap(), undone);
    assert_eq!(memory.comparisons(), compared);
}

/// A few hundred commits one upon the other, each with the notes of the one before and a change.
fn many_commits(
    repo: &Repo,
    tip: &str,
    message: &str,
    change: impl Fn(&mut NotesTree<'_>, &gix::Repository, usize),
) -> String {
    let git = gix::open_opts(repo.path(), gix::open::Options::isolated()).unwrap();
    let mut tip = tip.parse::<ObjectId>().unwrap();
    for number in 0..300 {
        let mut notes =
            NotesTree::open(&git, git.find_commit(tip).unwrap().tree_id().unwrap().detach()).unwrap();
        change(&mut notes, &git, number);
        tip = commits::write(&git, notes.write().unwrap(), &[tip], message).unwrap();
    }
    tip.to_string()
}

#[test]
fn among_many_commits_the_one_that_undid_anothers_notes_is_found_while_the_remote_is_asked() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let all: [String; 24] = objects(&howard);
    howard.push();
    mike.pull();
    howard.note(REF, &all[0], "at first");
    sync(&howard).success();
    sync(&mike).success();
    // So that something comes in, which the look goes on beside.
    mike.note(REF, &all[1], "of mike");
    sync(&mike).success();

    for object in &all[2..12] {
        howard.git(["notes", "--ref", REF, "append", "-m", "before", object]);
    }
    let read = howard.rev(&format!("{REF}~1"));
    let parent = howard.rev(REF);
    appended(&howard, &parent, &with_line(&howard, &read, &all[0], "of the one that knew nothing"));
    assert_eq!(howard.notes(REF).get(&all[11]), None, "it undid what it did not know");
    for object in &all[12..] {
        howard.git(["notes", "--ref", REF, "append", "-m", "after", object]);
    }

    let out = the_one(&sync(&howard).success());
    assert_eq!(out.rescued.len(), 1, "{:?}", out.rescued);
    let notes = howard.notes(REF);
    assert_eq!(notes.len(), 24);
    assert_eq!(notes[&all[11]], "before");
    assert!(notes[&all[0]].contains("of the one that knew nothing"), "{notes:?}");
    assert_eq!(origin.rev(REF), howard.rev(REF));
    origin.assert_sound();
}
