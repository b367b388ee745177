//! Tests configuration of a remote that affects a server, whatever the request.

use remote::{Fetch, UpdateStatus};
use testkit::{Repo, World};

use crate::{
    common::{Servers, name, open, origin},
    story::{ALL, NONE, TO_PUSH, commit, push, push_seen, sound_talk, talk, update, world},
};

#[test]
fn whatever_a_server_is_told_it_is_told() {
    let (_world, remote, ours) = world();
    for key in [
        "receive.denyDeletes",
        "receive.autogc",
        "RECEIVE.certNonceSeed",
        "transfer.unpackLimit",
        "uploadpack.allowFilter",
        "uploadpackfilter.allow",
        "lsrefs.unborn",
        "hook.mine.event",
        "maintenance.gc.enabled",
        "maintenance.strategy",
        "extensions.worktreeConfig",
    ] {
        let value = match key {
            "transfer.unpackLimit" => "1",
            "lsrefs.unborn" => "ignore",
            _ => "false",
        };
        remote.git(["config", key, value]);
        assert_eq!(talk(&ours, &remote), ALL, "{key}");
        remote.git(["config", "--unset", key]);
    }
    remote.git(["config", "core.repositoryFormatVersion", "1"]);
    for (key, value) in
        [("extensions.objectFormat", "sha1"), ("maintenance.auto", "true"), ("pack.threads", "1")]
    {
        remote.git(["config", key, value]);
        assert_eq!(talk(&ours, &remote), NONE, "{key} says nothing new");
        remote.git(["config", "--unset", key]);
    }
    assert_eq!(sound_talk(&ours, &remote), NONE);
}

#[test]
fn what_is_hidden_is_neither_listed_nor_fetched() {
    for key in ["transfer.hideRefs", "uploadpack.hideRefs"] {
        let (_world, remote, ours) = world();
        remote.git(["branch", "secret/one", "main"]);
        remote.git(["config", key, "refs/heads/secret"]);
        assert_eq!(talk(&ours, &remote), ALL, "{key}");
        let listing = origin(&open(&ours)).list(&[], &Servers::default()).unwrap();
        assert_eq!(listing.id_of(name("refs/heads/secret/one").as_ref()), None, "{key}");
        assert_eq!(ours.try_rev("refs/remotes/origin/secret/one"), None, "{key}");
    }
}

#[test]
fn a_push_that_the_remote_does_not_allow_is_refused_in_its_words() {
    let (_world, remote, ours) = world();
    remote.git(["config", "receive.denyNonFastForwards", "true"]);
    let main = remote.rev("main");
    let new = commit(&ours, "beside");
    let (pushed, servers) = push(&ours, vec![update("refs/heads/main", Some(&main), Some(&new))]);
    assert_eq!(pushed.answers, [UpdateStatus::Rejected { words: "non-fast-forward".into() }]);
    assert_eq!((remote.rev("main"), servers), (main.clone(), 2), "the second is asked what it is now");

    remote.git(["config", "--unset", "receive.denyNonFastForwards"]);
    let (pushed, servers) = push(&ours, vec![update("refs/heads/main", Some(&main), Some(&new))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0), "else it is as the pusher says");
}

#[test]
fn objects_that_the_remote_wants_to_have_checked_are_checked() {
    let (_world, remote, ours) = world();
    // Sound as far as objects go, and still nothing that `git fsck` likes.
    let tree = ours.rev("HEAD^{tree}");
    let text = format!(
        "tree {tree}\nauthor A <a@example.com> 0123 +0000\ncommitter A <a@example.com> 0123 +0000\n\nx\n"
    );
    let odd = ours
        .git_invocation()
        .args(["hash-object", "-t", "commit", "-w", "--stdin", "--literally"])
        .stdin(text);
    let odd = odd.success().stdout.trim().to_owned();
    for key in ["receive.fsckObjects", "transfer.fsckObjects"] {
        remote.git(["config", key, "true"]);
        let servers = Servers::default();
        let trouble =
            push_seen(&ours, vec![update("refs/heads/odd", None, Some(&odd))], &servers).unwrap_err();
        assert!(
            trouble.to_string().contains("unpack") || trouble.to_string().contains("zero-padded"),
            "{trouble}"
        );
        assert_eq!((remote.try_rev("refs/heads/odd"), servers.started()), (None, 1), "{key}");
        remote.git(["config", "--unset", key]);
    }
    let (pushed, servers) = push(&ours, vec![update("refs/heads/odd", None, Some(&odd))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0), "git's server does not look either");
}

#[test]
fn a_remote_with_a_work_tree_has_a_server() {
    let (world, remote, ours) = world();
    let with_work_tree = world.clone_of(&remote, "with-work-tree");
    ours.git(["remote", "set-url", "origin", with_work_tree.path().as_str()]);
    assert_eq!(sound_talk(&ours, &with_work_tree), ALL);
    let main = with_work_tree.head();
    let new = commit(&ours, "new");
    for url in [with_work_tree.path().to_owned(), with_work_tree.git_dir()] {
        ours.git(["remote", "set-url", "origin", url.as_str()]);
        let (pushed, servers) = push(&ours, vec![update("refs/heads/main", Some(&main), Some(&new))]);
        assert!(
            matches!(&pushed.answers[..], [UpdateStatus::Rejected { words }] if words.contains("checked out"))
        );
        assert_eq!((with_work_tree.head(), servers), (main.clone(), 2));
    }
}

#[test]
fn a_name_that_leaves_the_end_out_is_that_of_a_repository_unless_something_is_in_its_place() {
    let (_world, remote, ours) = world();
    let short = remote.path().with_extension("");
    assert_ne!(short, remote.path());
    ours.git(["remote", "set-url", "origin", short.as_str()]);
    assert_eq!(sound_talk(&ours, &remote), NONE);
    // Half a repository: git says which of the two it takes.
    std::fs::create_dir_all(short.join("objects")).unwrap();
    assert_eq!(sound_talk(&ours, &remote), ALL);
}

#[test]
fn a_linked_work_tree_of_the_remote_is_not_pushed_from_under_its_feet() {
    let (world, remote, ours) = world();
    remote.git(["branch", "checked-out", "main"]);
    remote.git(["worktree", "add", "-q", world.path().join("linked").as_str(), "checked-out"]);
    assert_eq!(sound_talk(&ours, &remote), TO_PUSH);
    let old = remote.rev("checked-out");
    let new = commit(&ours, "new");
    let (pushed, servers) = push(&ours, vec![update("refs/heads/checked-out", Some(&old), Some(&new))]);
    assert!(
        matches!(&pushed.answers[..], [UpdateStatus::Rejected { words }] if words.contains("checked out"))
    );
    assert_eq!((remote.rev("checked-out"), servers), (old, 1));
    // As a remote it is one with a work tree.
    ours.git(["remote", "set-url", "origin", world.path().join("linked").as_str()]);
    assert_eq!(talk(&ours, &remote), ALL);
}

#[test]
fn a_remote_of_somebody_else_is_git_s_to_judge() {
    if !rustix::process::getuid().is_root() {
        // Only root can give something away.
        return;
    }
    let (_world, remote, ours) = world();
    let main = remote.rev("main");
    remote.program("chown").args(["-R", "4242", "."]).success();
    let repo = open(&ours);
    let (listed, fetched) = (Servers::default(), Servers::default());
    for trouble in [
        origin(&repo).list(&[], &listed).unwrap_err(),
        origin(&repo).fetch(&Fetch::configured(), &fetched).unwrap_err(),
    ] {
        assert!(trouble.to_string().contains("dubious ownership"), "{trouble}");
    }
    let new = commit(&ours, "new");
    let pushed = Servers::default();
    let updates = vec![update("refs/heads/main", Some(&main), Some(&new))];
    assert!(push_seen(&ours, updates, &pushed).unwrap_err().to_string().contains("dubious ownership"));
    assert_eq!([listed, fetched, pushed].map(|one| one.started()), [1, 1, 1]);
    remote.program("chown").args(["-R", "0", "."]).success();
    assert_eq!(remote.rev("main"), main);
    assert_eq!(sound_talk(&ours, &remote), NONE);
}

/// A bare clone with these options in the place of the remote.
fn bare_clone(world: &World, remote: &Repo, ours: &Repo, options: &[&str]) -> Repo {
    let clone = world.repo(world.path().join("clone.git"));
    let url = format!("file://{}", remote.path());
    let args = ["clone", "-q", "--bare"].iter().chain(options).copied();
    world.git(args.chain([url.as_str(), clone.path().as_str()]));
    ours.git(["remote", "set-url", "origin", clone.path().as_str()]);
    clone
}

#[test]
fn a_remote_that_does_not_have_all_has_a_server() {
    let (world, remote, ours) = world();
    remote.git(["config", "uploadpack.allowFilter", "true"]);
    let shallow = bare_clone(&world, &remote, &ours, &["--depth=1"]);
    assert!(shallow.join("shallow").exists());
    let whole = remote.path().as_str();
    ours.git(["pull", "-q", "--rebase", whole, "main"]);
    assert_eq!(talk(&ours, &shallow), ALL);
    std::fs::remove_dir_all(shallow.path()).unwrap();
    let partial = bare_clone(&world, &remote, &ours, &["--filter=blob:none"]);
    assert_eq!(partial.git(["config", "remote.origin.promisor"]), "true");
    assert_eq!(talk(&ours, &partial), ALL);
}

#[test]
fn whoever_does_not_have_all_asks_a_server() {
    let (world, remote, _ours) = world();
    remote.git(["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", remote.path());
    for option in ["--depth=1", "--filter=blob:none"] {
        let ours = world.repo(world.path().join(option));
        world.git(["clone", "-q", "--no-single-branch", option, &url, ours.path().as_str()]);
        ours.belongs_to("ours");
        remote.git(["config", "--unset-all", "uploadpack.allowFilter"]);
        assert_eq!(talk(&ours, &remote), ALL, "{option}");
        remote.git(["config", "uploadpack.allowFilter", "true"]);
    }
}

#[test]
fn a_history_that_is_not_what_its_commits_say_has_a_server() {
    let (_world, remote, ours) = world();
    let first = remote.rev("main~1");
    std::fs::write(remote.join("info/grafts"), format!("{}\n", remote.rev("main"))).unwrap();
    assert_eq!(talk(&ours, &remote), ALL);
    std::fs::remove_file(remote.join("info/grafts")).unwrap();

    remote.git(["replace", "--graft", "main"]);
    assert_eq!(remote.git(["rev-list", "--count", "main"]), "1");
    assert_eq!(talk(&ours, &remote), ALL);
    remote.git(["pack-refs", "--all"]);
    assert_eq!(talk(&ours, &remote), ALL);
    assert_eq!(ours.rev("refs/remotes/origin/main~1"), first, "what is sent is what there really is");
}

#[test]
fn a_remote_that_keeps_its_refs_elsewhere_has_a_server() {
    let world = World::new();
    let path = world.path().join("origin.git");
    // Older ones know no other place.
    if world.repo(world.path()).try_git(["init", "-q", "--bare", "--ref-format=reftable", path.as_str()]).code
        != 0
    {
        return;
    }
    let remote = world.repo(path);
    let ours = world.clone_of(&remote, "ours");
    let first = commit(&ours, "first");
    let (pushed, servers) = push(&ours, vec![update("refs/heads/main", None, Some(&first))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 1));
    assert_eq!(talk(&ours, &remote), ALL);
}

#[test]
fn a_remote_of_a_version_to_come_is_refused_by_git() {
    let (_world, remote, ours) = world();
    let main = remote.rev("main");
    remote.git(["config", "core.repositoryFormatVersion", "99"]);
    let servers = Servers::default();
    let trouble = origin(&open(&ours)).list(&[], &servers).unwrap_err();
    assert!(trouble.to_string().contains("99"), "{trouble}");
    let new = commit(&ours, "new");
    push_seen(&ours, vec![update("refs/heads/main", Some(&main), Some(&new))], &servers).unwrap_err();
    assert_eq!(servers.started(), 2);
}

#[test]
fn another_namespace_is_shown_by_a_server() {
    // A process cannot change what others of its threads may be reading, so another one is started with this variable.
    if std::env::var_os("GIT_NAMESPACE").is_none() {
        let this = std::env::current_exe().unwrap();
        let world = World::new();
        let this = world.program(this.to_str().unwrap()).env("GIT_NAMESPACE", "elsewhere");
        let name = "rules_of_servers::another_namespace_is_shown_by_a_server";
        let output = this.args(["--exact", name, "--nocapture"]).success();
        assert!(output.stdout.contains("1 passed"), "{output}");
        return;
    }
    let (_world, remote, ours) = world();
    let first = remote.rev("main~1");
    remote.git(["update-ref", "refs/namespaces/elsewhere/refs/heads/main", &first]);
    let (listed, fetched) = (Servers::default(), Servers::default());
    let repo = open(&ours);
    let listing = origin(&repo).list(&[], &listed).unwrap();
    assert_eq!(listing.id_of(name("refs/heads/main").as_ref()).unwrap().to_string(), first);
    origin(&repo).fetch(&Fetch::configured(), &fetched).unwrap();
    assert_eq!(ours.rev("refs/remotes/origin/main"), first);
    let new = commit(&ours, "new");
    let (pushed, servers) = push(&ours, vec![update("refs/heads/topic", None, Some(&new))]);
    assert_eq!(pushed.answers, [UpdateStatus::Done]);
    assert_eq!([listed.started(), fetched.started(), servers], [1, 1, 1]);
    assert_eq!(remote.rev("refs/namespaces/elsewhere/refs/heads/topic"), new);
    assert_eq!(remote.try_rev("refs/heads/topic"), None);
}
