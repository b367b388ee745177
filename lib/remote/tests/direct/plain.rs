//! Tests that no server is started if nothing is configured that affects one.

use remote::{Fetch, Unwatched, UpdateStatus};
use testkit::World;

use crate::{
    common::{Servers, id, name, open, origin},
    story::{ALL, NONE, commit, push, sound_talk, talk, update, world},
};

#[test]
fn a_plain_remote_is_listed_fetched_and_pushed_without_a_server() {
    let (_world, remote, ours) = world();
    assert_eq!(sound_talk(&ours, &remote), NONE);
    assert_eq!(sound_talk(&ours, &remote), NONE, "also where nothing is to be fetched");
}

#[test]
fn a_step_that_is_called_a_connection_is_a_server_program() {
    let (_world, remote, ours) = world();
    let log = ours.git_dir().join("servers");
    for (key, program) in [("uploadpack", "git-upload-pack"), ("receivepack", "git-receive-pack")] {
        ours.git([
            "config",
            &format!("remote.origin.{key}"),
            &format!("echo {program} >>'{log}'; {program}"),
        ]);
    }
    assert_eq!(sound_talk(&ours, &remote), ALL);
    let programs = std::fs::read_to_string(&log).unwrap();
    let programs: Vec<&str> = programs.lines().collect();
    assert_eq!(programs, ["git-upload-pack", "git-upload-pack", "git-receive-pack"]);
}

#[test]
fn the_programs_of_one_direction_are_the_servers_of_that_direction() {
    let (_world, remote, ours) = world();
    ours.git(["config", "remote.origin.uploadpack", "git-upload-pack"]);
    assert_eq!(talk(&ours, &remote), crate::story::Started { push: 0, ..ALL });
    ours.git(["config", "--unset", "remote.origin.uploadpack"]);
    ours.git(["config", "remote.origin.receivepack", "git-receive-pack"]);
    assert_eq!(sound_talk(&ours, &remote), crate::story::TO_PUSH);
}

#[test]
fn few_objects_become_files_and_many_one_pack_as_with_a_server() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let kept = |repo: &testkit::Repo| {
        let counted = repo.git(["count-objects", "-v"]);
        let count = |key: &str| -> usize {
            let line = counted.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap().trim().parse().unwrap()
        };
        (count("count:"), count("packs:"), count("in-pack:"))
    };
    assert_eq!(kept(&remote), (3, 0, 0));
    let (first, old) = (commit(&ours, "first"), ours.head());
    let (pushed, servers) = push(&ours, vec![update("refs/heads/few", None, Some(&first))]);
    assert_eq!((pushed.answers, pushed.objects, servers), (vec![UpdateStatus::Done], 3, 0));
    assert_eq!(kept(&remote), (6, 0, 0));

    // A commit, its tree, a folder and 97 files; and once more one of them less.
    for (branch, files, packed) in [("more", 96, false), ("most", 97, true)] {
        ours.git(["checkout", "-q", "-B", branch, &old]);
        for file in 0..files {
            ours.write(&format!("{branch}/{file}.md"), format!("{file} of {branch}\n"));
        }
        let new = ours.commit_all(branch);
        let before = kept(&remote);
        let (pushed, servers) = push(&ours, vec![update(&format!("refs/heads/{branch}"), None, Some(&new))]);
        let objects = files + 3;
        assert_eq!((pushed.answers, pushed.objects, servers), (vec![UpdateStatus::Done], objects as u64, 0));
        let (loose, packs, in_packs) = before;
        let after =
            if packed { (loose, packs + 1, in_packs + objects) } else { (loose + objects, packs, in_packs) };
        assert_eq!(kept(&remote), after);
    }
    remote.assert_sound();
}

#[test]
fn notes_and_tags_go_both_ways_without_a_server() {
    let (_world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    ours.git(["notes", "--ref=mem/x", "add", "-m", "a note"]);
    ours.git(["tag", "-a", "-m", "one", "v1"]);
    ours.git(["tag", "light"]);
    let [note, tag, light] =
        ["refs/notes/mem/x", "refs/tags/v1", "refs/tags/light"].map(|name| (name, ours.rev(name)));
    let updates = [&note, &tag, &light].map(|(name, id)| update(name, None, Some(id)));
    let (pushed, servers) = push(&ours, updates.to_vec());
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done; 3], 0));

    let seen = Servers::default();
    let what = Fetch::configured().and("+refs/notes/mem/*:refs/notes/origin/mem/*").unwrap();
    let fetched = origin(&open(&theirs)).fetch(&what, &seen).unwrap();
    assert_eq!((fetched.moved.len(), seen.started()), (3, 0));
    for (at, id) in [("refs/notes/origin/mem/x", &note.1), (tag.0, &tag.1), (light.0, &light.1)] {
        assert_eq!(theirs.rev(at), *id);
    }
    assert_eq!(theirs.git(["notes", "--ref=refs/notes/origin/mem/x", "show"]), "a note");
    theirs.assert_sound();
    remote.assert_sound();
}

#[test]
fn an_empty_remote_gets_its_first_branch_without_a_server() {
    let world = World::new();
    let remote = world.bare("origin.git");
    let ours = world.clone_of(&remote, "ours");
    let seen = Servers::default();
    let repo = open(&ours);
    let listing = origin(&repo).list(&[], &seen).unwrap();
    assert_eq!((listing.refs.len(), listing.head), (0, Some(name("refs/heads/main"))));
    let new = commit(&ours, "first");
    let (pushed, servers) = push(&ours, vec![update("refs/heads/main", None, Some(&new))]);
    assert_eq!((pushed.answers, servers + seen.started()), (vec![UpdateStatus::Done], 0));
    assert_eq!(remote.head(), new);
    remote.assert_sound();
}

#[test]
fn a_remote_is_found_where_git_finds_it() {
    let (world, remote, ours) = world();
    for url in [world.path().join("origin").as_str(), "../origin", &format!("file://{}", remote.path())] {
        ours.git(["remote", "set-url", "origin", url]);
        assert_eq!(talk(&ours, &remote), NONE, "{url}");
    }
    // A folder of that name comes first, and is no repository; then one with a work tree is.
    let beside = world.repo(world.path().join("origin"));
    std::fs::create_dir(beside.path()).unwrap();
    assert_eq!(talk(&ours, &remote), NONE, "an empty folder beside it");
    world.git(["clone", "-q", remote.path().as_str(), beside.path().as_str()]);
    beside.write("beside.md", "beside\n");
    beside.belongs_to("beside");
    let there = beside.commit_all("beside");
    let seen = Servers::default();
    ours.git(["remote", "set-url", "origin", beside.path().as_str()]);
    let listing = origin(&open(&ours)).list(&["refs/heads/main"], &seen).unwrap();
    assert_eq!((listing.refs[0].id, seen.started()), (id(&there), 1));
}

#[test]
fn reflogs_of_the_remote_are_written_as_a_server_writes_them() {
    let (world, remote, ours) = world();
    remote.git(["config", "core.logAllRefUpdates", "true"]);
    remote.belongs_to("keeper");
    let by_server = world.repo(world.path().join("by-server.git"));
    world.program("cp").args(["-a", remote.path().as_str(), by_server.path().as_str()]).success();
    let main = remote.rev("main");
    origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap();
    ours.git(["reset", "-q", "--hard", "origin/main"]);
    let new = commit(&ours, "ours");
    let updates = || {
        vec![update("refs/heads/main", Some(&main), Some(&new)), update("refs/heads/new", None, Some(&new))]
    };
    assert_eq!(push(&ours, updates()).1, 0);
    ours.git(["remote", "set-url", "origin", by_server.path().as_str()]);
    ours.git(["config", "remote.origin.receivepack", "git-receive-pack"]);
    assert_eq!(push(&ours, updates()).1, 1);
    let log = |repo: &testkit::Repo, name: &str| -> Vec<String> {
        let log = std::fs::read_to_string(repo.join(&format!("logs/{name}"))).unwrap_or_default();
        // Who it was, and when, is another matter.
        log.lines()
            .map(|line| format!("{} {}", &line[..81], line.split('\t').nth(1).unwrap_or("none")))
            .collect()
    };
    for name in ["refs/heads/main", "refs/heads/new", "HEAD"] {
        assert_eq!(log(&remote, name), log(&by_server, name), "{name}");
        assert_eq!(log(&remote, name).len(), 1, "{name}");
        assert!(log(&remote, name)[0].ends_with(" push"), "{name}");
    }
}

#[test]
fn a_tree_whose_modes_are_written_in_another_way_than_before_arrives_as_it_is() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let old = ours.head();
    // As many objects as go into a pack.
    for file in 0..120 {
        ours.write(&format!("pages/{file}.md"), format!("{file}\n"));
    }
    let mut new = ours.commit_all("pages");
    let commit = |mode: &str, parent: &str| {
        let id = id(&ours.rev(&format!("{new}:pages/7.md")));
        let entry = |file: u32| {
            let mode = if file == 7 { mode } else { "100644" };
            [format!("{mode} {file:02}\0").as_bytes(), id.as_slice()].concat()
        };
        let tree: Vec<u8> = (0..40).flat_map(entry).collect();
        let tree = ours
            .git_invocation()
            .args(["hash-object", "-t", "tree", "--literally", "-w", "--stdin"])
            .stdin(tree)
            .success();
        ours.git(["commit-tree", "-m", mode, "-p", parent, tree.stdout.trim()])
    };
    let first = commit("00644", &new);
    new = commit("000644", &first);
    let (pushed, servers) = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0));
    remote.git(["fsck", "--full"]);
}
