//! Causes the errors about notes, and about the messages in session logs.

use std::{
    os::unix::ffi::OsStrExt as _,
    sync::atomic::{AtomicBool, Ordering},
};

use testkit::{Invocation, Output, Repo, World};

use super::{Cause, cause, gitsync, mike};

/// The ref that notes are in.
const REF: &str = "refs/notes/mem/decisions";

/// The causes.
pub const CAUSES: &[Cause] = &[
    cause("`--ref` can match nothing", || {
        let (_world, _origin, mike) = mike();
        sync(&mike).args(["--ref", "a..b"]).output()
    }),
    cause("the configured strategy does not exist", || {
        let (_world, mike) = with_notes_on_both_sides();
        mike.git(["config", "lockstep.notesStrategy", "newest"]);
        sync(&mike).output()
    }),
    cause("the configured strategy asks a person", || {
        let (_world, mike) = with_notes_on_both_sides();
        mike.git(["config", "notes.mergeStrategy", "manual"]);
        sync(&mike).output()
    }),
    cause("`--ref` names what a remote's notes are called here", || {
        let (_world, mike) = with_notes_on_both_sides();
        sync(&mike).args(["--ref", "refs/notes/origin/*"]).output()
    }),
    cause("there is no remote for the notes", || sync(&World::new().init("mike")).output()),
    cause("there are several remotes for the notes, and the branch has none", || {
        let world = World::new();
        let mike = world.init("mike");
        for name in ["one", "two"] {
            mike.git(["remote", "add", name, "nowhere"]);
        }
        sync(&mike).output()
    }),
    cause("`--remote` cannot be the name of one", || {
        let (_world, _origin, mike) = mike();
        sync(&mike).args(["--remote", "a..b"]).output()
    }),
    cause("a merge needs an author", || {
        let (world, mike) = with_notes_on_both_sides();
        mike.git(["config", "--unset", "user.name"]);
        std::fs::write(world.git_config(), "").unwrap();
        sync(&mike).output()
    }),
    cause("the remote turns notes down", || {
        let (_world, origin, mike) = mike();
        mike.note(REF, "HEAD", "mine");
        origin.hook("pre-receive", "#!/bin/sh\nexit 1\n");
        sync(&mike).output()
    }),
    cause("a notes ref names no commit", || {
        let (_world, _origin, mike) = mike();
        mike.git(["update-ref", REF, &mike.rev("HEAD^{tree}")]);
        sync(&mike).output()
    }),
    cause("a notes ref at the remote names no commit", || {
        let (_world, origin, mike) = mike();
        origin.git(["update-ref", REF, &origin.rev("main^{tree}")]);
        sync(&mike).output()
    }),
    cause("a note is added to a ref that names no commit", || {
        let (_world, _origin, mike) = mike();
        mike.git(["update-ref", REF, &mike.rev("HEAD^{tree}")]);
        append(&mike, &["--ref", REF, "-m", "x"]).output()
    }),
    cause("somebody is merging notes by hand", || {
        let (_world, mike) = with_notes_on_both_sides();
        mike.git(["symbolic-ref", "NOTES_MERGE_REF", REF]);
        sync(&mike).output()
    }),
    cause("notes are merged into those that somebody is merging by hand", || {
        let (_world, mike) = with_notes_on_both_sides();
        mike.git(["symbolic-ref", "NOTES_MERGE_REF", REF]);
        merge(&mike, REF, "HEAD").output()
    }),
    cause("a notes ref stays locked", || {
        let (_world, mike) = with_notes_on_both_sides();
        mike.git(["config", "core.filesRefLockTimeout", "1"]);
        std::fs::write(mike.git_dir().join(format!("{REF}.lock")), "").unwrap();
        sync(&mike).output()
    }),
    cause("a notes ref stays locked while a note is added", || {
        let (_world, _origin, mike) = mike();
        mike.note(REF, "HEAD", "mine");
        mike.git(["config", "core.filesRefLockTimeout", "1"]);
        std::fs::write(mike.git_dir().join(format!("{REF}.lock")), "").unwrap();
        append(&mike, &["--ref", REF, "--wait", "0", "-m", "x"]).output()
    }),
    cause("others write the notes all the time while a note is added", || {
        amid_writers(|mike| append(mike, &["--ref", REF, "--wait", "0", "-m", "x"]))
    }),
    cause("others write the notes all the time while some are merged", || {
        amid_writers(|mike| {
            mike.git(["update-ref", "refs/notes/other", "refs/notes/theirs"]);
            merge(mike, REF, "refs/notes/other").args(["--wait", "0"])
        })
    }),
    cause("a note is added to a ref of another kind", || {
        let (_world, _origin, mike) = mike();
        append(&mike, &["--ref", "a..b", "-m", "x"]).output()
    }),
    cause("notes are written into what a remote's notes are called here", || {
        let (_world, _origin, mike) = mike();
        append(&mike, &["--ref", "origin/mem/decisions", "-m", "x"]).output()
    }),
    cause("a note is added to what is not there", || {
        let (_world, _origin, mike) = mike();
        append(&mike, &["--ref", REF, "--object", "nothing", "-m", "x"]).output()
    }),
    cause("nothing is merged into nothing", || {
        let (_world, _origin, mike) = mike();
        merge(&mike, "refs/notes/here", "refs/notes/there").output()
    }),
    cause("notes are merged from what is no ref", || {
        let (_world, _origin, mike) = mike();
        merge(&mike, "refs/notes/here", "a..b").output()
    }),
    cause("a ref's name is in the way", || {
        let (_world, _origin, mike) = mike();
        mike.note("refs/notes/here", "HEAD", "mine");
        append(&mike, &["--ref", "refs/notes/here/below", "-m", "x"]).output()
    }),
    cause("a notes ref points to itself", || {
        let (_world, _origin, mike) = mike();
        std::fs::create_dir_all(mike.git_dir().join("refs/notes/mem")).unwrap();
        std::fs::write(mike.git_dir().join(REF), format!("ref: {REF}\n")).unwrap();
        append(&mike, &["--ref", REF, "-m", "x"]).output()
    }),
];

/// The causes that notesurface tells of.
pub const OF_NOTESURFACE: &[Cause] = &[
    cause("the pointer names no commit", || {
        let (_world, _origin, mike) = mike();
        mike.git(["update-ref", "refs/lockstep/surfaced", &mike.rev("HEAD^{tree}")]);
        mike.binary("notesurface").output()
    }),
    cause("the pointer is no ref", || {
        let (_world, _origin, mike) = mike();
        mike.write(".git/refs/lockstep/surfaced", "garbage\n");
        mike.binary("notesurface").output()
    }),
    cause("`--since` names no commit", || {
        let (_world, _origin, mike) = mike();
        mike.binary("notesurface").args(["--since", "yesterday's"]).output()
    }),
    cause("the document's id is none", || {
        let (_world, _origin, mike) = mike();
        let mut document = mike.binary("notesurface").success().json();
        document["phases"]["notesurface"]["upto"] = "nonsense".into();
        mike.binary("notesurface").arg("ack").stdin(document.to_string()).output()
    }),
    cause("the name of a log that came in is not UTF-8", || {
        let (world, origin, mike) = mike();
        let howard = world.clone_of(&origin, "howard");
        std::fs::create_dir(howard.join("session-logs")).unwrap();
        let name = std::ffi::OsStr::from_bytes(b"session-logs/caf\xe9.md");
        std::fs::write(howard.path().as_std_path().join(name), "## Note for Mike\n\nhello\n").unwrap();
        howard.commit_all("a log");
        howard.push();
        let document = gitsync(&mike).output().stdout;
        mike.binary("notesurface").stdin(document).output()
    }),
];

fn sync(repo: &Repo) -> Invocation {
    repo.binary("notes-sync")
}

fn append(repo: &Repo, args: &[&str]) -> Invocation {
    repo.binary("notes-sync").arg("append").args(args)
}

fn merge(repo: &Repo, into: &str, from: &str) -> Invocation {
    repo.binary("notes-sync").args(["merge", "--ref", into, from])
}

/// What is said while somebody writes the notes as fast as a disk takes them. Which of the two is faster is chance, so
/// it is tried until it is the other.
fn amid_writers(at_work: fn(&Repo) -> Invocation) -> Output {
    let (_world, _origin, mike) = mike();
    mike.note("refs/notes/theirs", "HEAD", "theirs");
    let commits: Vec<String> = (0..16)
        .map(|number| {
            mike.git(["notes", "--ref", REF, "add", "-f", "-m", &number.to_string()]);
            mike.rev(REF)
        })
        .collect();
    let (file, fresh) = (mike.git_dir().join(REF), mike.git_dir().join("refs/notes/fresh"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for commit in commits.iter().cycle().take_while(|_| !done.load(Ordering::Relaxed)) {
                std::fs::write(&fresh, format!("{commit}\n")).unwrap();
                std::fs::rename(&fresh, &file).unwrap();
            }
        });
        let mut outputs = (0..100).map(|_| at_work(&mike).output());
        let deferred = outputs.find(|output| output.code != 0);
        done.store(true, Ordering::Relaxed);
        deferred.expect("one of a hundred is too late")
    })
}

/// A clone and its remote that have both a note on the same commit.
fn with_notes_on_both_sides() -> (World, Repo) {
    let (world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    mike.note(REF, "HEAD", "mine");
    howard.note(REF, "HEAD", "theirs");
    howard.git(["push", "--quiet", "origin", REF]);
    (world, mike)
}
