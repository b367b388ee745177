//! Tests refs that cannot be synced and remotes that cannot be reached: both are reported, and other refs go through.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod story;

use contract::{NotesResult, Outcome};
use story::{REF, sync, synced};
use testkit::World;

#[test]
fn a_ref_that_the_server_refuses_is_reported_and_the_others_go_through() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    origin.hook(
        "update",
        "#!/bin/sh\nif [ \"$1\" = refs/notes/mem/secret ]; then echo 'not that one' >&2; exit 1; fi\n",
    );
    for name in ["refs/notes/mem/open", "refs/notes/mem/secret", "refs/notes/mem/zen"] {
        howard.note(name, "HEAD", "text");
    }
    let out = sync(&howard).output();
    out.assert_code(69);
    let refs = synced(&out);
    let results: Vec<_> = refs.iter().map(|synced| synced.result).collect();
    assert_eq!(results, [NotesResult::Pushed, NotesResult::Rejected, NotesResult::Pushed]);
    assert!(refs[1].message.as_deref().unwrap().contains("hook declined"), "{:?}", refs[1]);
    assert_eq!(origin.try_rev("refs/notes/mem/secret"), None);
    assert_eq!(origin.rev("refs/notes/mem/zen"), howard.rev("refs/notes/mem/zen"));
    assert_eq!(out.document().outcome, Outcome::Failed);
    out.assert_says("refs/notes/mem/secret");
}

#[test]
fn each_ref_that_the_server_refuses_has_the_words_about_it_and_no_others() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    origin.hook("update", "#!/bin/sh\necho \"never ${1##*/}\" >&2\nexit 1\n");
    for name in ["refs/notes/mem/x", "refs/notes/mem/xy"] {
        howard.note(name, "HEAD", "text");
    }
    let out = sync(&howard).output();
    out.assert_code(69);
    let told: Vec<_> = synced(&out).into_iter().map(|synced| synced.message.unwrap()).collect();
    for (message, name) in told.iter().zip(["x", "xy"]) {
        let said = format!("never {name}; error: hook declined to update refs/notes/mem/{name}");
        assert_eq!(*message, format!("hook declined: {said}"));
    }
    let error = out.document().error.unwrap().message;
    assert_eq!(error.matches("never x;").count(), 1, "{error}");

    origin.hook("update", "#!/bin/sh\n");
    origin.hook("pre-receive", "#!/bin/sh\necho 'closed today' >&2\nexit 1\n");
    let out = sync(&howard).output();
    let error = out.document().error.unwrap().message;
    assert_eq!(error.matches("closed today").count(), 1, "{error}");
}

/// A ref of notes that are fine, beside one that is not.
const FINE: &str = "refs/notes/mem/fine";

#[test]
fn a_local_ref_that_names_no_commit_keeps_no_other_one_back() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    howard.note(FINE, "HEAD", "text");
    for object in ["HEAD:README.md", "HEAD^{tree}"] {
        howard.git(["update-ref", REF, &howard.rev(object)]);
        howard.git(["notes", "--ref", FINE, "append", "-m", object]);
        let out = sync(&howard).output();
        out.assert_code(1);
        out.assert_says("refs/notes/mem/decisions does not name a commit with notes");
        out.assert_says("git update-ref -d refs/notes/mem/decisions");
        out.assert_says("the other refs were synced");
        let results: Vec<_> = synced(&out).into_iter().map(|synced| synced.result).collect();
        assert_eq!(results, [NotesResult::Rejected, NotesResult::Pushed]);
        assert!(synced(&out)[0].message.as_ref().unwrap().contains("does not name a commit"));
        assert_eq!(origin.rev(FINE), howard.rev(FINE));
        assert_eq!(origin.try_rev(REF), None);
    }
}

#[test]
fn a_ref_at_the_remote_that_names_no_commit_keeps_no_other_one_back() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.note("refs/notes/mem/theirs", "HEAD", "howard");
    sync(&howard).success();
    mike.note(FINE, "HEAD", "mike");
    origin.git(["update-ref", REF, &origin.rev("main:README.md")]);
    for round in ["one", "two"] {
        mike.git(["notes", "--ref", FINE, "append", "-m", round]);
        let out = sync(&mike).output();
        out.assert_code(1);
        out.assert_says("refs/notes/mem/decisions at origin does not name a commit with notes, but a blob");
        out.assert_says("git push origin :refs/notes/mem/decisions");
        assert_eq!(synced(&out)[0].result, NotesResult::Rejected);
        assert_eq!(synced(&out)[1].result, NotesResult::Pushed);
        assert_eq!(origin.rev(FINE), mike.rev(FINE));
        assert_eq!(mike.notes("refs/notes/mem/theirs"), howard.notes("refs/notes/mem/theirs"));
    }
    // Also where there are notes of that name here, and in a dry run.
    mike.note(REF, "HEAD", "mine");
    for args in [&["--json"][..], &["--dry-run", "--json"]] {
        let out = mike.program(env!("CARGO_BIN_EXE_notes-sync")).args(args.iter().copied()).output();
        out.assert_code(1);
        out.assert_says("git push origin :refs/notes/mem/decisions");
    }
    // The remedy is one.
    mike.git(["push", "--quiet", "origin", &format!(":{REF}")]);
    sync(&mike).success();
    assert_eq!(origin.rev(REF), mike.rev(REF));
    sync(&mike).success();
}

#[test]
fn notes_that_were_not_sent_are_not_called_unchanged() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    howard.note(FINE, "HEAD", "sent");
    sync(&howard).success();
    howard.note(REF, "HEAD", "not sent");
    std::fs::rename(origin.path(), origin.path().with_extension("away")).unwrap();
    let out = sync(&howard).output();
    assert!([69, 78].contains(&out.code), "{out}");
    let results: Vec<_> = synced(&out).into_iter().map(|synced| (synced.name, synced.result)).collect();
    let expected = [(REF, NotesResult::Rejected), (FINE, NotesResult::Unchanged)];
    assert_eq!(results, expected.map(|(name, result)| (name.to_owned(), result)));
    assert!(synced(&out)[0].message.as_ref().unwrap().contains("were not sent"));
}

#[test]
fn notes_that_were_merged_and_not_sent_are_not_called_merged_alone() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for repo in [&howard, &mike] {
        repo.note(REF, "HEAD", repo.path().as_str());
    }
    sync(&howard).success();
    mike.git(["config", "remote.origin.receivepack", "/nowhere/receive-pack"]);
    let out = sync(&mike).output();
    out.assert_code(69);
    let [synced] = &synced(&out)[..] else { panic!("{out}") };
    assert_eq!((synced.result, synced.notes.combined), (NotesResult::Rejected, 1));
    assert!(synced.message.as_ref().unwrap().contains("were not sent"));
}

#[test]
fn a_remote_that_is_gone_is_69_and_changes_nothing() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    howard.note(REF, "HEAD", "text");
    std::fs::rename(origin.path(), origin.path().with_extension("away")).unwrap();
    let before = howard.snapshot();
    let out = sync(&howard).output();
    assert!([69, 78].contains(&out.code), "{}", out.code);
    assert_eq!(howard.snapshot(), before);
}

#[test]
fn a_repository_without_a_remote_is_78() {
    let world = World::new();
    let alone = world.init("alone");
    let out = sync(&alone).output();
    out.assert_code(78);
    out.assert_says("git remote add");
}

#[test]
fn a_ref_of_which_a_power_cut_left_nothing_keeps_no_other_one_back() {
    let (_world, origin, [howard]) = World::with_clones(["howard"]);
    howard.note(REF, "HEAD", "text");
    sync(&howard).success();
    howard.note(FINE, "HEAD", "text");
    let file = howard.common_dir().join(REF);
    std::fs::write(&file, "").unwrap();
    let out = sync(&howard).output();
    out.assert_code(1);
    out.assert_says(&format!("cannot read {REF}"));
    out.assert_says(file.as_str());
    assert_eq!(origin.rev(FINE), howard.rev(FINE));

    std::fs::remove_file(file).unwrap();
    sync(&howard).success();
    assert_eq!(howard.rev(REF), origin.rev(REF));
}

#[test]
fn notes_do_not_go_out_past_a_pre_push_hook_which_is_told_what_git_tells_it() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.note(REF, "HEAD", "use postgres");
    mike.hook("pre-push", "#!/bin/sh\necho \"$@\" >.git/asked; cat >>.git/asked; echo 'a secret'; exit 1\n");
    let output = sync(&mike).output();
    output.assert_code(1);
    output.assert_says("the pre-push hook said no: a secret");
    assert_eq!(origin.try_rev(REF), None);
    let ours = mike.read(".git/asked");
    mike.git_invocation().args(["push", "origin", REF]).output();
    assert_eq!(ours, mike.read(".git/asked"));

    mike.hook("pre-push", "#!/bin/sh\n");
    sync(&mike).success();
    assert_eq!(origin.rev(REF), mike.rev(REF));
}
