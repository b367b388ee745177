//! Tests missing or damaged objects, and directories that are not writable: no damage spreads to the other side.

use std::{
    fs,
    path::{Path, PathBuf},
};

use remote::{Fetch, RemoteError, Unwatched, UpdateStatus};
use testkit::{Repo, World};

use crate::{
    common::{Servers, open, origin},
    generated::Packing,
    story::{commit, push, push_seen, update, world},
};

/// The file of an object.
fn file_of(repo: &Repo, id: &str) -> PathBuf {
    let path = repo.git_dir().join("objects").join(&id[..2]).join(&id[2..]);
    assert!(path.exists(), "{id} is no file of its own");
    path.into()
}

/// Writes a file over, though it is not meant to be written.
fn overwrite(path: &Path, content: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, content).unwrap();
}

/// The objects of a commit: itself, its tree, and the file that it is about.
const PARTS: [&str; 3] = ["", "^{tree}", ":ours.md"];

fn objects(repo: &Repo) -> String {
    repo.git(["cat-file", "--batch-check", "--batch-all-objects"])
}

#[test]
fn a_remote_that_lacks_an_object_is_damaged_in_the_words_of_its_server() {
    for part in [":theirs.md", "^{tree}", ""] {
        let (_world, remote, ours) = world();
        fs::remove_file(file_of(&remote, &remote.rev(&format!("main{part}")))).unwrap();
        let before = (ours.snapshot(), objects(&ours));
        let seen = Servers::default();
        let trouble = origin(&open(&ours)).fetch(&Fetch::configured(), &seen).unwrap_err();
        assert_eq!(seen.started(), 1, "{part:?}");
        assert_eq!((ours.snapshot(), objects(&ours)), before, "{part:?}");
        ours.git(["config", "remote.origin.uploadpack", "git-upload-pack"]);
        let by_server = origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap_err();
        assert_eq!(trouble.to_string(), by_server.to_string(), "{part:?}");
        assert!(matches!(trouble, RemoteError::Unreachable(_)), "{part:?}: {trouble:?}");
    }
}

#[test]
fn what_is_missing_behind_what_both_have_does_not_matter_to_a_fetch() {
    let (_world, remote, ours) = world();
    fs::remove_file(file_of(&remote, &remote.rev("main:README.md"))).unwrap();
    let seen = Servers::default();
    let fetched = origin(&open(&ours)).fetch(&Fetch::configured(), &seen).unwrap();
    assert_eq!((fetched.moved.len(), seen.started()), (1, 0));
    ours.assert_sound();
}

#[test]
fn a_damaged_object_of_the_remote_does_not_come_over() {
    for part in [":theirs.md", "^{tree}", ""] {
        let (world, remote, ours) = world();
        let damaged = file_of(&remote, &remote.rev(&format!("main{part}")));
        // A sound object of another content under its name.
        let stray = world.init("stray");
        stray.write("theirs.md", "another one's\n");
        stray.commit_all("stray");
        let other = file_of(&stray, &stray.rev(&format!("HEAD{}", part)));
        overwrite(&damaged, &fs::read(other).unwrap());
        let before = ours.snapshot();
        if let Ok(fetched) = origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched) {
            panic!("{part:?}: {fetched:?}\n{}\n{:?}", objects(&ours), ours.try_git(["fsck"]));
        }
        assert_eq!(ours.snapshot(), before, "{part:?}");
        ours.assert_sound();
    }
}

#[test]
fn a_damaged_object_of_ours_never_reaches_the_remote() {
    for part in PARTS {
        let (world, remote, ours) = world();
        let new = commit(&ours, "new\n");
        let id = ours.rev(&format!("{new}{part}"));
        let damaged = file_of(&ours, &id);
        let sound = fs::read(&damaged).unwrap();
        let stray = world.init("stray");
        let of_stray = commit(&stray, "stray\n");
        let another = fs::read(file_of(&stray, &stray.rev(&format!("{of_stray}{part}")))).unwrap();
        let mut flipped = sound.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0x55;
        let before = objects(&remote);
        for (what, content) in [
            ("flipped", &flipped),
            ("another", &another),
            ("cut", &sound[..10].to_vec()),
            ("empty", &Vec::new()),
        ] {
            overwrite(&damaged, content);
            let pushed =
                push_seen(&ours, vec![update("refs/heads/topic", None, Some(&new))], &Servers::default());
            let is_done = pushed.is_ok_and(|pushed| pushed.all_done());
            assert!(!is_done, "{part:?} {what}");
            assert_eq!(remote.try_rev("refs/heads/topic"), None, "{part:?} {what}");
            assert_eq!(objects(&remote), before, "{part:?} {what}");
        }
        overwrite(&damaged, &sound);
        assert_eq!(
            push(&ours, vec![update("refs/heads/topic", None, Some(&new))]).0.answers,
            [UpdateStatus::Done]
        );
        remote.assert_sound();
    }
}

#[test]
fn one_damaged_object_among_many_never_reaches_the_remote() {
    let (world, remote, ours) = world();
    for file in 0..110 {
        ours.write(&format!("many/{file}.md"), format!("{file}\n"));
    }
    let new = commit(&ours, "new\n");
    let stray = world.init("stray");
    let of_stray = commit(&stray, "stray\n");
    let before = objects(&remote);
    for part in PARTS {
        let damaged = file_of(&ours, &ours.rev(&format!("{new}{part}")));
        let sound = fs::read(&damaged).unwrap();
        overwrite(&damaged, &fs::read(file_of(&stray, &stray.rev(&format!("{of_stray}{part}")))).unwrap());
        let updates = vec![update("refs/heads/topic", None, Some(&new))];
        let pushed = push_seen(&ours, updates, &Servers::default());
        assert!(!pushed.is_ok_and(|pushed| pushed.all_done()), "{part:?}");
        assert_eq!(
            (remote.try_rev("refs/heads/topic"), objects(&remote)),
            (None, before.clone()),
            "{part:?}"
        );
        overwrite(&damaged, &sound);
    }
    let (pushed, servers) = push(&ours, vec![update("refs/heads/topic", None, Some(&new))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0));
    assert!(pushed.objects > 100, "{} are no pack", pushed.objects);
    remote.assert_sound();
}

#[test]
fn what_is_ours_is_not_taken_for_theirs_though_a_damaged_object_says_so() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    for file in 0..150 {
        ours.write(&format!("many/{file}.md"), format!("{file}\n"));
    }
    let new = commit(&ours, "new\n");
    let newer = commit(&ours, "newer\n");
    // What both have, as it is here: were it so at the remote, next to nothing would be lacking there.
    for part in ["^{tree}", "^{commit}"] {
        let damaged = file_of(&ours, &ours.rev(&format!("{old}{part}")));
        let sound = fs::read(&damaged).unwrap();
        overwrite(&damaged, &fs::read(file_of(&ours, &ours.rev(&format!("{new}{part}")))).unwrap());
        let (topic, seen) = (vec![update("refs/heads/topic", None, Some(&newer))], Servers::default());
        let pushed = push_seen(&ours, topic, &seen);
        assert!(!pushed.is_ok_and(|pushed| pushed.all_done()), "{part}");
        assert_eq!(remote.try_rev("refs/heads/topic"), None, "{part}");
        remote.assert_sound();
        overwrite(&damaged, &sound);
    }
    assert_eq!(
        push(&ours, vec![update("refs/heads/topic", None, Some(&newer))]).0.answers,
        [UpdateStatus::Done]
    );
    remote.assert_sound();
}

#[test]
fn a_damaged_pack_of_ours_never_reaches_the_remote() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    for round in 0..40 {
        ours.write(&format!("{}.md", round % 3), format!("{round}\n").repeat(20));
        ours.commit_all("round");
    }
    Packing::New.apply(&ours);
    let packs = ours.git_dir().join("objects/pack");
    let pack = packs.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let pack = pack.into_iter().find(|path| path.extension() == Some("pack")).unwrap();
    let sound = fs::read(&pack).unwrap();
    let new = ours.head();
    let before = objects(&remote);
    for at in (12..sound.len() - 20).step_by(sound.len() / 12) {
        let mut bad = sound.clone();
        bad[at] ^= 0x21;
        overwrite(pack.as_std_path(), &bad);
        let pushed =
            push_seen(&ours, vec![update("refs/heads/topic", None, Some(&new))], &Servers::default());
        if pushed.is_ok_and(|pushed| pushed.all_done()) {
            // It was none of what was pushed, or could be told from what it was.
            remote.assert_sound();
            remote.git(["update-ref", "-d", "refs/heads/topic"]);
            remote.git(["prune"]);
        }
        assert_eq!(remote.try_rev("refs/heads/topic"), None, "{at}");
        remote.assert_sound();
    }
    assert_eq!(objects(&remote), before);
    overwrite(pack.as_std_path(), &sound);
    let (pushed, servers) = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0));
    remote.assert_sound();
}

#[test]
fn what_a_power_cut_left_at_the_remote_is_not_taken_for_an_object() {
    for part in PARTS {
        let (_world, remote, ours) = world();
        let new = commit(&ours, "new\n");
        let id = ours.rev(&format!("{new}{part}"));
        // An earlier push that came to nothing: its refs were not written, and its files are empty.
        let path = remote.join("objects").join(&id[..2]).join(&id[2..]);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        let (pushed, _) = push(&ours, vec![update("refs/heads/topic", None, Some(&new))]);
        assert_eq!(pushed.answers, [UpdateStatus::Done], "{part:?}");
        assert_eq!(remote.rev("refs/heads/topic"), new);
        remote.assert_sound();
    }
}

#[test]
fn where_nothing_can_be_written_the_remote_is_as_it_was() {
    let (_world, remote, ours) = world();
    let new = commit(&ours, "new\n");
    // Not even root can make a file in what is no folder.
    for folder in 0..=0xff_u8 {
        let path = remote.join(&format!("objects/{folder:02x}"));
        if !path.exists() {
            fs::write(path, "").unwrap();
        }
    }
    let (refs, before) = (remote.git(["for-each-ref"]), objects(&remote));
    let seen = Servers::default();
    let updates = vec![update("refs/heads/topic", None, Some(&new))];
    let pushed = push_seen(&ours, updates, &seen);
    assert!(!pushed.is_ok_and(|pushed| pushed.all_done()));
    assert_eq!(seen.started(), 1, "its server says why");
    assert_eq!(remote.git(["for-each-ref"]), refs);
    // What went where there is a folder does no harm.
    let after = objects(&remote);
    assert!(before.lines().all(|line| after.contains(line)));
    assert_eq!(ours.try_rev("refs/remotes/origin/topic"), None);
}

#[test]
fn what_is_here_only_in_part_comes_whole() {
    let (_world, _remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    let old = ours.rev("refs/remotes/origin/main");
    theirs.write("deep/new.md", "new\n");
    let new = theirs.commit_all("new");
    theirs.push();
    ours.git(["fetch", "-q"]);
    ours.git(["update-ref", "refs/remotes/origin/main", &old]);
    let file = ours.rev(&format!("{new}:deep/new.md"));
    std::fs::remove_file(ours.join(&format!(".git/objects/{}/{}", &file[..2], &file[2..]))).unwrap();
    let servers = Servers::default();
    origin(&open(&ours)).fetch(&Fetch::configured(), &servers).unwrap();
    assert_eq!(ours.rev("refs/remotes/origin/main"), new);
    ours.git(["fsck", "--strict"]);
}
