//! Tests what a server does with a push besides storing it.

use remote::{Atomicity, Push, UpdateStatus};
use testkit::{Repo, World};

use crate::{
    common::{Servers, open, origin},
    story::{NONE, TO_PUSH, commit, push, sound_talk, talk, update, world},
};

/// The hooks that run when this is pushed, where each of them only notes that it ran.
const HOOKS: [&str; 5] = ["pre-receive", "update", "post-receive", "post-update", "reference-transaction"];

/// A hook below `folder` that notes in the remote that it ran.
fn noting(folder: impl AsRef<std::path::Path>, hook: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.as_ref().join(hook);
    std::fs::write(&path, format!("#!/bin/sh\necho ran >>'ran-{hook}'\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Whether a hook ran since the last time.
fn ran(remote: &Repo, hook: &str) -> bool {
    std::fs::remove_file(remote.join(&format!("ran-{hook}"))).is_ok()
}

#[test]
fn each_hook_of_a_server_runs() {
    let (_world, remote, ours) = world();
    for hook in HOOKS {
        noting(remote.join("hooks"), hook);
        assert_eq!(talk(&ours, &remote), TO_PUSH, "{hook}");
        assert!(ran(&remote, hook), "{hook}");
        std::fs::remove_file(remote.join("hooks").join(hook)).unwrap();
    }
    noting(remote.join("hooks"), "post-commit");
    noting(remote.join("hooks"), "pre-receive.sample");
    assert_eq!(sound_talk(&ours, &remote), NONE, "others are nobody's that serves");
}

#[test]
fn hooks_are_looked_for_where_they_are_configured_to_be() {
    let (world, remote, ours) = world();
    let other_worktree_on = world.path().join("hooks-of-the-house");
    for (path, folder) in [
        (other_worktree_on.as_str(), other_worktree_on.clone()),
        ("my/hooks", remote.join("my/hooks")),
        ("../hooks-beside", world.path().join("hooks-beside")),
    ] {
        remote.git(["config", "core.hooksPath", path]);
        assert_eq!(talk(&ours, &remote), NONE, "{path}: there are none");
        noting(folder, "update");
        assert_eq!(talk(&ours, &remote), TO_PUSH, "{path}");
        assert!(ran(&remote, "update"), "{path}");
    }
    let none = world.path().join("no-hooks");
    remote.git(["config", "core.hooksPath", none.as_str()]);
    noting(remote.join("hooks"), "update");
    assert_eq!(sound_talk(&ours, &remote), NONE, "those at the usual place are not meant");
    assert!(!ran(&remote, "update"));
    for hook in ["/dev/null", ""] {
        remote.git(["config", "core.hooksPath", hook]);
        talk(&ours, &remote);
        assert!(!ran(&remote, "update"), "{hook:?}");
    }
}

#[test]
fn a_hook_that_refuses_is_heard() {
    let (_world, remote, ours) = world();
    remote.hook("pre-receive", "#!/bin/sh\necho 'closed today' >&2\nexit 1\n");
    let new = commit(&ours, "new");
    let (pushed, servers) = push(&ours, vec![update("refs/heads/topic", None, Some(&new))]);
    assert_eq!(pushed.answers, [UpdateStatus::Rejected { words: "pre-receive hook declined".into() }]);
    assert!(pushed.remote_lines.contains(&"closed today".to_owned()), "{:?}", pushed.remote_lines);
    assert_eq!((remote.try_rev("refs/heads/topic"), servers), (None, 1));
    assert_ne!(remote.try_git(["cat-file", "-e", &new]).code, 0, "what was refused is not kept");
}

/// How many loose objects and packs there are.
fn stored(repo: &Repo) -> (usize, usize) {
    let counted = repo.git(["count-objects", "-v"]);
    let count =
        |key: &str| counted.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().parse().unwrap();
    (count("count:"), count("packs:"))
}

/// A remote that clears up at once, and as configured.
fn clearing(remote: &Repo, key: &str, limit: &str) {
    for (key, value) in [(key, limit), ("gc.autoDetach", "false"), ("maintenance.auto", "true")] {
        remote.git(["config", key, value]);
    }
}

#[test]
fn where_there_are_many_files_git_clears_up_after_the_push() {
    let (_world, remote, ours) = world();
    // Git goes by the objects whose names begin with 17.
    let hash = |number: u32| {
        gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, number.to_string().as_bytes())
            .unwrap()
    };
    let mut of_17 = (0..).filter(|number| hash(*number).as_slice()[0] == 0x17);
    clearing(&remote, "gc.auto", "512");
    for count in 0..3 {
        assert_eq!(talk(&ours, &remote), if count < 2 { NONE } else { TO_PUSH }, "{count} objects");
        let blob = of_17.next().unwrap().to_string();
        remote.git_invocation().args(["hash-object", "-w", "--stdin"]).stdin(blob).success();
    }
    assert!(stored(&remote).0 > 0);
    assert_eq!(talk(&ours, &remote), TO_PUSH);
    let (loose, packs) = stored(&remote);
    assert!(loose <= 3 && packs == 1, "only what no ref leads to stays apart: {loose}, {packs}");
    remote.git(["config", "gc.auto", "0"]);
    assert_eq!(sound_talk(&ours, &remote), NONE);
}

#[test]
fn where_there_are_many_packs_git_clears_up_after_the_push() {
    let (_world, remote, ours) = world();
    clearing(&remote, "gc.autoPackLimit", "3");
    for packs in 0..3 {
        assert_eq!(stored(&remote).1, packs);
        assert_eq!(talk(&ours, &remote), NONE, "{packs} packs");
        remote.git(["repack", "-dq"]);
    }
    // As many as may be, and the one that is pushed.
    for file in 0..120 {
        ours.write(&format!("many/{file}.md"), format!("{file}\n"));
    }
    assert_eq!(talk(&ours, &remote), TO_PUSH);
    assert_eq!(stored(&remote).1, 1);
    remote.git(["config", "gc.autoPackLimit", "0"]);
    for _ in 0..4 {
        assert_eq!(talk(&ours, &remote), NONE, "nobody wants that");
        remote.git(["repack", "-dq"]);
    }
    remote.assert_sound();
}

#[test]
fn a_name_that_stands_for_another_branch_moves_that_branch() {
    let (_world, remote, ours) = world();
    remote.git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    let main = remote.rev("main");
    let new = commit(&ours, "new");
    let (pushed, servers) = push(&ours, vec![update("refs/heads/alias", Some(&main), Some(&new))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 1));
    assert_eq!(remote.rev("main"), new);
    assert_eq!(remote.git(["symbolic-ref", "refs/heads/alias"]), "refs/heads/main");

    // One that stands for nothing so far.
    remote.git(["symbolic-ref", "refs/heads/ahead", "refs/heads/unborn"]);
    let (_, servers) = push(&ours, vec![update("refs/heads/ahead", None, Some(&new))]);
    assert_eq!(servers, 1);
    assert_eq!(remote.git(["symbolic-ref", "refs/heads/ahead"]), "refs/heads/unborn");
}

#[test]
fn what_is_deleted_is_deleted_by_a_server() {
    let (_world, remote, ours) = world();
    let old = remote.rev("main");
    remote.git(["branch", "gone", "main"]);
    let new = commit(&ours, "new");
    let updates =
        vec![update("refs/heads/gone", Some(&old), None), update("refs/heads/new", None, Some(&new))];
    let (pushed, servers) = push(&ours, updates);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done; 2], 1));
    assert_eq!((remote.try_rev("refs/heads/gone"), remote.rev("refs/heads/new")), (None, new));
}

#[test]
fn a_branch_is_of_commits() {
    let (_world, remote, ours) = world();
    ours.git(["tag", "-a", "-m", "one", "v1"]);
    for what in ["refs/tags/v1", "HEAD^{tree}", "HEAD:README.md"] {
        let new = ours.rev(what);
        let (pushed, servers) = push(&ours, vec![update("refs/heads/odd", None, Some(&new))]);
        assert!(
            matches!(pushed.answers[..], [UpdateStatus::Rejected { .. }]),
            "{what}: {:?}",
            pushed.answers
        );
        assert_eq!((remote.try_rev("refs/heads/odd"), servers), (None, 1), "{what}");
        let (pushed, servers) = push(&ours, vec![update(&format!("refs/odd/{servers}"), None, Some(&new))]);
        assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0), "{what} elsewhere");
        assert_eq!(remote.rev("refs/odd/1"), new);
        remote.git(["update-ref", "-d", "refs/odd/1"]);
    }
    remote.assert_sound();
}

#[test]
fn a_name_that_git_finds_odd_is_refused_by_git() {
    let (_world, remote, ours) = world();
    let new = commit(&ours, "new");
    let (pushed, servers) = push(&ours, vec![update("refs/stash", None, Some(&new))]);
    assert_eq!(pushed.answers, [UpdateStatus::Rejected { words: "funny refname".into() }]);
    assert_eq!((remote.try_rev("refs/stash"), servers), (None, 1));
}

#[test]
fn several_refs_all_or_none_are_a_servers_promise() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    let new = commit(&ours, "new");
    let updates =
        vec![update("refs/heads/one", None, Some(&new)), update("refs/heads/two", None, Some(&new))];
    let servers = Servers::default();
    let what = Push { updates, together: Atomicity::Atomic };
    let pushed = origin(&open(&ours)).push(&what, &servers).unwrap();
    assert_eq!((pushed.answers, servers.started()), (vec![UpdateStatus::Done; 2], 1));

    let updates = vec![update("refs/heads/three", None, Some(&new))];
    let what = Push { updates, together: Atomicity::Atomic };
    let pushed = origin(&open(&ours)).push(&what, &servers).unwrap();
    assert_eq!((pushed.answers, servers.started()), (vec![UpdateStatus::Done], 1), "of one there is no part");
    assert_eq!(remote.rev("refs/heads/three"), new);
}

#[test]
fn a_shared_remote_stays_open_to_its_group() {
    use std::os::unix::fs::MetadataExt as _;
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    remote.git(["config", "core.sharedRepository", "group"]);
    ours.write("many/file.md", "file\n");
    assert_eq!(talk(&ours, &remote), TO_PUSH);
    let of_objects = format!("objects/{}", &ours.head()[..2]);
    for path in [of_objects.as_str(), "refs/heads/topic"] {
        let mode = remote.join(path).metadata().unwrap().mode();
        assert_eq!(mode & 0o020, 0o020, "{path} {mode:o}");
    }
}
