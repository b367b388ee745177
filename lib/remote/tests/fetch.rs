//! Tests fetching from a repository on this machine, judged by git.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use common::{Stopping, id, name, open, origin};
use remote::{Change, Fetch, RemoteError, Step, Unwatched, Watcher, Why};
use testkit::{
    Repo, World,
    servers::{Daemon, Mishap, Relay, Sender},
};

const NOTES: &str = "+refs/notes/mem/*:refs/notes/origin/mem/*";

#[test]
fn branches_and_notes_come_over_one_connection_as_one_pack() {
    let (_world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    theirs.write("new.md", "new\n");
    theirs.commit_all("new");
    theirs.git(["notes", "--ref=mem/x", "add", "-m", "a note"]);
    theirs.git(["push", "-q", "origin", "HEAD", "refs/notes/mem/x"]);

    let repo = open(&ours);
    let what = Fetch::configured().and(NOTES).unwrap();
    let fetched = origin(&repo).fetch(&what, &Unwatched).unwrap();

    let moved: Vec<_> = fetched.moved.iter().map(|moved| moved.local.as_bstr().to_string()).collect();
    assert_eq!(moved, ["refs/notes/origin/mem/x", "refs/remotes/origin/main"]);
    assert_eq!(ours.rev("refs/remotes/origin/main"), remote.rev("refs/heads/main"));
    assert_eq!(ours.rev("refs/notes/origin/mem/x"), remote.rev("refs/notes/mem/x"));
    assert_eq!(fetched.objects, 6, "two commits, two trees, two blobs");
    assert!(ours.git(["count-objects", "-v"]).contains("in-pack: 6"));
    assert!(ours.git(["reflog", "show", "refs/remotes/origin/main"]).contains("fetch: fast-forward"));
    ours.git(["fsck", "--strict"]);

    let again = origin(&repo).fetch(&what, &Unwatched).unwrap();
    assert_eq!((again.moved.len(), again.objects), (0, 0));
    assert_eq!(
        again.listing.id_of(name("refs/heads/main").as_ref()),
        Some(id(&remote.rev("refs/heads/main")))
    );
}

#[test]
fn a_pack_that_is_damaged_on_its_way_is_no_failure_of_this_repository() {
    let (world, remote, [ours, theirs, first]) = World::with_clones(["ours", "theirs", "first"]);
    theirs.write("new.md", (0..200).map(|n| format!("{}\n", n * 7919 % 10007)).collect::<String>());
    theirs.commit_all("new");
    theirs.push();
    let daemon = Daemon::start(&world);
    let relay = Relay::to(daemon.port());
    for repo in [&ours, &first] {
        repo.git(["remote", "set-url", "origin", &relay.url(&daemon.url(&remote))]);
    }
    origin(&open(&first)).fetch(&Fetch::configured(), &Unwatched).unwrap();
    let said = relay.passed().server;
    // Within what is packed last, before the checksum and the end of the talk.
    for after in (said - 400..said - 40).step_by(40) {
        relay.spoil(Sender::Server, after, Mishap::Flipped);
        let trouble = origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap_err();
        assert!(matches!(&trouble, RemoteError::Unreachable(_)), "after {after} of {said}: {trouble:?}");
    }
    relay.mend();
    assert_eq!(origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap().moved.len(), 1);
}

#[test]
fn a_listing_has_the_refs_asked_for_and_the_default_branch() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    remote.git(["tag", "-a", "-m", "one", "v1", "main"]);
    let repo = open(&ours);
    let listing = origin(&repo).list(&["refs/tags/"], &Unwatched).unwrap();
    assert_eq!(listing.head, Some(name("refs/heads/main")));
    assert_eq!(listing.refs.len(), 1);
    assert_eq!(listing.refs[0].id, id(&remote.rev("refs/tags/v1")));
    assert_eq!(listing.refs[0].peeled, Some(id(&remote.rev("main"))));
    assert_eq!(origin(&repo).list(&[], &Unwatched).unwrap().refs.len(), 2);
}

#[test]
fn tags_come_along_with_what_they_are_of_as_with_git() {
    let (_world, remote, [ours, twin, theirs]) = World::with_clones(["ours", "twin", "theirs"]);
    remote.git(["tag", "-a", "-m", "late", "on-old", "main"]);
    theirs.write("new.md", "new\n");
    theirs.commit_all("new");
    theirs.git(["tag", "-a", "-m", "one", "on-new"]);
    theirs.git(["tag", "light"]);
    theirs.git(["push", "-q", "origin", "HEAD", "on-new", "light"]);
    theirs.git(["checkout", "-q", "--detach"]);
    theirs.write("unreachable.md", "x\n");
    theirs.commit_all("on no branch");
    theirs.git(["tag", "-a", "-m", "none", "elsewhere"]);
    theirs.git(["push", "-q", "origin", "elsewhere"]);

    origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap();
    twin.git(["fetch", "-q"]);
    assert_eq!(ours.git(["for-each-ref"]), twin.git(["for-each-ref"]));
}

#[test]
fn a_refspec_for_all_refs_brings_them_all_and_prunes_none_that_is_there() {
    for spec in ["+refs/*:refs/remotes/origin/*", "+refs/*/main:refs/remotes/origin/of/*"] {
        for address in ["", "file://"] {
            let (_world, remote, [ours, twin]) = World::with_clones(["ours", "twin"]);
            remote.git(["tag", "v1", "main"]);
            remote.git(["branch", "side", "main"]);
            for repo in [&ours, &twin] {
                repo.git(["config", "remote.origin.url", &format!("{address}{}", remote.path())]);
                repo.git(["config", "remote.origin.fetch", spec]);
                repo.git(["config", "fetch.prune", "true"]);
                repo.git(["remote", "set-head", "origin", "--delete"]);
            }
            origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap();
            twin.git(["fetch", "-q"]);
            assert!(twin.git(["for-each-ref"]).contains("refs/remotes/origin/"), "{spec}");
            assert_eq!(ours.git(["for-each-ref"]), twin.git(["for-each-ref"]), "{spec} of {address}");
        }
    }
}

#[test]
fn no_tags_come_along_with_what_is_kept_in_no_ref() {
    let (_world, remote, [ours, twin]) = World::with_clones(["ours", "twin"]);
    remote.git(["tag", "v1", "main"]);
    for repo in [&ours, &twin] {
        repo.git(["config", "remote.origin.fetch", "refs/heads/main"]);
    }
    origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap();
    twin.git(["fetch", "-q"]);
    assert_eq!(ours.git(["for-each-ref"]), twin.git(["for-each-ref"]));
}

#[test]
fn refs_that_are_gone_are_pruned_where_that_is_configured() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    remote.git(["branch", "gone", "main"]);
    let all = || origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap();
    all();
    remote.git(["branch", "-D", "gone"]);
    assert!(all().moved.is_empty());
    assert!(ours.try_rev("refs/remotes/origin/gone").is_some());
    ours.git(["config", "fetch.prune", "true"]);
    let pruned = all().moved;
    assert_eq!(pruned.len(), 1);
    assert_eq!((pruned[0].local.clone(), pruned[0].new), (name("refs/remotes/origin/gone"), None));
    assert_eq!(ours.try_rev("refs/remotes/origin/gone"), None);
    assert!(ours.try_rev("refs/remotes/origin/main").is_some());
}

#[test]
fn local_notes_are_not_pruned_whatever_fetches_into_them() {
    let (_world, _remote, [ours]) = World::with_clones(["ours"]);
    ours.git(["config", "fetch.prune", "true"]);
    ours.git(["config", "--add", "remote.origin.fetch", "refs/notes/*:refs/notes/*"]);
    ours.git(["config", "--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/origin/*"]);
    ours.git(["notes", "--ref=mem/x", "add", "-m", "never pushed"]);
    ours.git(["update-ref", "refs/notes/origin/mem/x", "refs/notes/mem/x"]);
    let pruned = origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap().moved;
    assert_eq!(pruned.len(), 1);
    assert_eq!((pruned[0].local.clone(), pruned[0].new), (name("refs/notes/origin/mem/x"), None));
    assert!(ours.try_rev("refs/notes/mem/x").is_some());
}

#[test]
fn what_git_gc_moves_into_a_pack_meanwhile_is_found() {
    struct Collecting<'a>(&'a Repo);
    impl Watcher for Collecting<'_> {
        fn progress(&self, step: Step) {
            if let Step::Listed { .. } = step {
                self.0.git(["gc", "-q"]);
            }
        }
        fn may_change(&self, _: Change<'_>) -> anyhow::Result<()> {
            Ok(())
        }
    }
    let (_world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    theirs.write("new.md", "new\n");
    theirs.commit_all("new");
    theirs.git(["push", "-q"]);
    ours.write("mine.md", "mine\n");
    ours.commit_all("mine");
    ours.git(["config", "remote.origin.uploadpack", "git-upload-pack"]);
    let repo = open(&ours);
    assert!(!repo.has_object(id("1234567890123456789012345678901234567890")), "all packs are known by now");
    origin(&repo).fetch(&Fetch::configured(), &Collecting(&ours)).unwrap();
    assert_eq!(ours.rev("refs/remotes/origin/main"), remote.rev("refs/heads/main"));
}

#[test]
fn without_a_plus_nothing_of_ours_is_lost() {
    let (_world, _remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    theirs.git(["notes", "--ref=mem/x", "add", "-m", "theirs"]);
    theirs.git(["push", "-q", "origin", "refs/notes/mem/x"]);
    ours.git(["notes", "--ref=mem/x", "add", "-m", "ours"]);
    let before = ours.rev("refs/notes/mem/x");
    let what = Fetch::only().and("refs/notes/mem/*:refs/notes/mem/*").unwrap();
    let fetched = origin(&open(&ours)).fetch(&what, &Unwatched).unwrap();
    assert_eq!(fetched.rejected.len(), 1);
    assert_eq!(fetched.rejected[0].why, Why::NotFastForward);
    assert_eq!(ours.rev("refs/notes/mem/x"), before);
}

#[test]
fn a_branch_in_the_way_of_a_folder_of_branches_is_left_alone() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    remote.git(["branch", "a", "main"]);
    origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap();
    ours.git(["pack-refs", "--all"]);
    remote.git(["branch", "-D", "a"]);
    remote.git(["branch", "a/b", "main"]);
    let fetched = origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap();
    assert_eq!(fetched.rejected[0].why, Why::NameTaken);
    ours.git(["fsck", "--strict"]);
}

#[test]
fn a_ref_that_cannot_be_read_is_no_failure_of_the_remote() {
    let (_world, _remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    theirs.write("theirs.md", "x\n");
    theirs.commit_all("theirs");
    theirs.push();
    std::fs::write(ours.git_dir().join("refs/heads/broken"), "garbage\n").unwrap();
    let trouble = origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap_err();
    assert!(matches!(&trouble, RemoteError::Local(_)), "{trouble:?}");
    let notice = trouble.notice().unwrap();
    assert!(notice.message.contains("refs/heads/broken"), "{notice:?}");
    assert!(notice.code == 1 && notice.help.is_some(), "{notice:?}");
}

#[test]
fn whoever_says_stop_finds_nothing_changed() {
    let (_world, _remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    theirs.write("new.md", "new\n");
    theirs.commit_all("new");
    theirs.push();
    let before = ours.git(["for-each-ref"]);
    for watcher in [
        Stopping { at_objects: true, ..Stopping::default() },
        Stopping { at_local_refs: true, ..Stopping::default() },
    ] {
        let stopped = origin(&open(&ours)).fetch(&Fetch::configured(), &watcher).unwrap_err();
        assert!(matches!(&stopped, RemoteError::Stopped(why) if why.to_string().contains("somebody else's")));
        assert_eq!(ours.git(["for-each-ref"]), before);
    }
    assert_eq!(leftovers(&ours), Vec::<String>::new());
}

#[test]
fn whoever_says_stop_before_refs_are_pruned_keeps_them() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    ours.git(["push", "-q", "origin", "HEAD:refs/heads/gone"]);
    remote.git(["update-ref", "-d", "refs/heads/gone"]);
    ours.git(["config", "fetch.prune", "true"]);
    let before = ours.git(["for-each-ref"]);
    let watcher = Stopping { at_local_refs: true, ..Stopping::default() };
    let stopped = origin(&open(&ours)).fetch(&Fetch::configured(), &watcher).unwrap_err();
    assert!(matches!(stopped, RemoteError::Stopped(_)), "{stopped}");
    assert_eq!(ours.git(["for-each-ref"]), before);
    assert!(before.contains("refs/remotes/origin/gone"));
}

#[test]
fn an_empty_remote_has_no_refs_and_that_is_fine() {
    let world = World::new();
    let remote = world.bare("empty");
    let ours = world.clone_of(&remote, "ours");
    let repo = open(&ours);
    let fetched = origin(&repo).fetch(&Fetch::configured().and(NOTES).unwrap(), &Unwatched).unwrap();
    assert!(fetched.moved.is_empty() && fetched.listing.refs.is_empty());
}

/// What a fetch should not leave behind.
fn leftovers(repo: &testkit::Repo) -> Vec<String> {
    let objects = repo.common_dir().join("objects");
    [objects.clone(), objects.join("pack")]
        .iter()
        .flat_map(|dir| std::fs::read_dir(dir).unwrap())
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("tmp_") || name.starts_with(".tmp") || name.ends_with(".keep"))
        .collect()
}

#[test]
fn a_thousand_refs_come_and_go_as_with_git() {
    let (_world, remote, [ours, twin]) = World::with_clones(["ours", "twin"]);
    let update = |lines: Vec<String>| {
        remote.git_invocation().args(["update-ref", "--stdin"]).stdin(lines.concat()).success();
    };
    update((0..1000).map(|number| format!("create refs/heads/topic/{number} main\n")).collect());
    let both = |what: &str| {
        for repo in [&ours, &twin] {
            repo.git(["config", "fetch.prune", "true"]);
        }
        twin.git(["fetch", "-q"]);
        let fetched = origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap();
        assert_eq!(ours.git(["for-each-ref"]), twin.git(["for-each-ref"]), "{what}");
        fetched.moved.len()
    };
    assert_eq!(both("new"), 1000);
    ours.git(["pack-refs", "--all"]);
    update((0..900).map(|number| format!("delete refs/heads/topic/{number}\n")).collect());
    // The name of a folder of refs becomes a ref, in the same fetch in which those go.
    update((900..1000).map(|number| format!("delete refs/heads/topic/{number}\n")).collect());
    update(vec!["create refs/heads/topic main\n".into()]);
    assert_eq!(both("gone"), 1001);
    ours.git(["fsck", "--strict"]);
}

/// What `git fast-import` makes commits of: each writes these files, at a time on its maker's clock.
fn commits(name: &str, from: bool, all: impl IntoIterator<Item = (u64, Vec<String>)>) -> String {
    let mut stream = String::new();
    for (number, (time, files)) in all.into_iter().enumerate() {
        let from = if from && number == 0 { format!("from {name}^0\n") } else { String::new() };
        stream
            .push_str(&format!("commit {name}\ncommitter M <m@example.com> {time} +0000\ndata 1\nx\n{from}"));
        for file in files {
            stream.push_str(&format!("M 100644 inline {file}\ndata {}\n{file}\n", file.len()));
        }
        stream.push('\n');
    }
    stream
}

#[test]
fn what_both_have_is_not_fetched_again_however_many_commits_one_has_of_ones_own() {
    const X: &str = "refs/notes/mem/x";
    let (_world, _, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    let import = |repo: &testkit::Repo, stream: String| {
        repo.write(".git/stream", stream);
        repo.program("sh").args(["-c", "git fast-import --quiet <.git/stream"]).success();
    };
    // The clock of whoever began was far ahead: that commit is the first that is talked about.
    import(&theirs, commits(X, false, [(2_000_000_000, vec!["first".into()])]));
    theirs.git(["push", "-q", "origin", X]);
    ours.git(["fetch", "-q", "origin", NOTES]);
    let many = (0..300).map(|number| format!("many/{number}")).collect();
    import(&theirs, commits(X, true, [(1_700_000_000, many)]));
    theirs.git(["push", "-q", "origin", X]);
    ours.git(["fetch", "-q", "origin", &format!("{X}:{X}")]);
    import(&ours, commits(X, true, (0..600).map(|at| (1_700_000_001 + at, vec![format!("own/{at}")]))));
    import(&theirs, commits(X, true, [(1_700_000_001, vec!["new".into()])]));
    theirs.git(["push", "-q", "origin", X]);

    let repo = open(&ours);
    let fetched = origin(&repo).fetch(&Fetch::only().and(NOTES).unwrap(), &Unwatched).unwrap();
    assert_eq!(fetched.objects, 3, "a commit, a tree, a blob");
}

#[test]
fn what_the_remote_had_last_is_named_first_and_then_nothing_else_need_be() {
    const X: &str = "refs/notes/mem/x";
    let (world, _, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    let import = |repo: &testkit::Repo, from, times: std::ops::Range<u64>, whose: &str| {
        repo.write(".git/stream", commits(X, from, times.map(|at| (at, vec![format!("{whose}/{at}")]))));
        repo.program("sh").args(["-c", "git fast-import --quiet <.git/stream"]).success();
    };
    import(&theirs, false, 1_700_000_000..1_700_000_001, "both");
    theirs.git(["push", "-q", "origin", X]);
    ours.git(["fetch", "-q", "origin", NOTES, &format!("{X}:{X}")]);
    import(&ours, true, 1_700_000_001..1_700_000_101, "ours");
    import(&theirs, true, 1_700_000_001..1_700_000_003, "theirs");
    theirs.git(["push", "-q", "origin", X]);
    // A server whose words with us are written down.
    let heard = world.path().join("heard");
    let server = world.path().join("server");
    std::fs::write(&server, format!("#!/bin/sh\ntee {heard} | git-upload-pack \"$@\"\n")).unwrap();
    ours.program("chmod").args(["+x", server.as_str()]).success();
    ours.git(["config", "remote.origin.uploadpack", server.as_str()]);

    let repo = open(&ours);
    let fetched = origin(&repo).fetch(&Fetch::only().and(NOTES).unwrap(), &Unwatched).unwrap();
    assert_eq!(fetched.objects, 2 * 4, "two commits, two trees of each, a file of each");
    let heard = String::from_utf8_lossy(&std::fs::read(heard).unwrap()).into_owned();
    let haves: Vec<&str> = heard.split("have ").skip(1).map(|have| &have[..40]).collect();
    assert_eq!(haves[0], ours.rev(&format!("{X}~100")));
    assert!(haves.len() < 20, "{} commits were named", haves.len());
}

#[test]
fn what_a_server_left_out_once_is_missed_again_the_next_time() {
    let (world, _remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    theirs.write("deep/new.md", "new\n");
    theirs.commit_all("new");
    theirs.push();
    let hook = world.path().join("without-files");
    std::fs::write(&hook, "#!/bin/sh\nexec \"$@\" --filter=blob:none\n").unwrap();
    world.program("chmod").args(["+x", hook.as_str()]).success();
    let server = format!("git -c uploadpack.packObjectsHook={hook} upload-pack");
    ours.git(["config", "remote.origin.uploadpack", &server]);
    let before = ours.snapshot();
    for _ in 0..2 {
        let refused = origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap_err();
        assert!(refused.to_string().contains("did not send all that belongs to its refs"), "{refused}");
        assert_eq!(ours.snapshot(), before);
    }
    ours.git(["config", "--unset", "remote.origin.uploadpack"]);
    origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap();
    assert_eq!(ours.rev("refs/remotes/origin/main"), theirs.head());
    ours.git(["fsck", "--strict"]);
}

#[test]
fn of_a_commit_that_is_here_in_parts_the_rest_is_fetched() {
    for server in ["", "git-upload-pack"] {
        for part in ["new", "new^{tree}", "new:deep"] {
            let (_world, _remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
            theirs.write("deep/new.md", "new\n");
            theirs.commit_all("new");
            theirs.git(["tag", "new"]);
            theirs.write("newer.md", "newer\n");
            theirs.commit_all("newer");
            theirs.git(["push", "-q", "origin", "main", "new:refs/heads/old"]);
            // As `git gc` leaves it of something that no ref leads to.
            for object in ["main", "main^{tree}", "new", part] {
                let at = theirs.rev(object);
                let file = format!("objects/{}/{}", &at[..2], &at[2..]);
                std::fs::create_dir_all(ours.git_dir().join(&file).parent().unwrap()).unwrap();
                std::fs::copy(theirs.git_dir().join(&file), ours.git_dir().join(&file)).unwrap();
            }
            if !server.is_empty() {
                ours.git(["config", "remote.origin.uploadpack", server]);
            }
            origin(&open(&ours)).fetch(&Fetch::configured(), &Unwatched).unwrap();
            assert_eq!(ours.rev("refs/remotes/origin/main"), theirs.head());
            ours.git(["fsck", "--strict"]);
        }
    }
}
