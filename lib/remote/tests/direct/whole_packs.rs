//! Tests commits in packs that can be copied as they are.
//!
//! Everything that the new commits need is copied, wherever it is stored, and nothing else becomes visible.

use std::collections::BTreeSet;

use remote::{Fetch, Fetched, UpdateStatus};
use testkit::{Repo, World};

use crate::{
    common::{Servers, open, origin},
    generated::Packing,
    story::{push, update},
};

/// Where new objects are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Packed,
    Loose,
}
use Kept::{Loose, Packed};

/// Adds commits to a branch; each changes `pages/N.md` and what `more` says.
fn grow(repo: &Repo, branch: &str, commits: u32, kept: Kept, more: &dyn Fn(u32) -> String) {
    let before =
        repo.try_rev(branch).map_or(0, |_| repo.git(["rev-list", "--count", branch]).parse().unwrap());
    let mut stream = String::new();
    for commit in before..before + commits {
        let text: String = (0..30)
            .map(|line| format!("{line} {}\n", if line == commit % 30 { commit } else { 0 }))
            .collect();
        let from = if commit == before && before > 0 { format!("from {branch}^0\n") } else { String::new() };
        stream += &format!(
            "commit {branch}\ncommitter A <a@example.com> {} +0000\ndata 1\nx\n{from}M 100644 inline pages/{}.md\ndata {}\n{text}\n{}\n",
            1_780_000_000 + commit,
            commit % 7,
            text.len(),
            more(commit)
        );
    }
    let limit = format!("fastimport.unpackLimit={}", if kept == Packed { 1 } else { 100_000 });
    let import = repo.git_invocation().args(["-c", &limit, "fast-import", "--quiet", "--force"]);
    import.stdin(stream).success();
}

fn nothing(_: u32) -> String {
    String::new()
}

/// The packs by their names.
fn packs(repo: &Repo) -> BTreeSet<String> {
    let folder = repo.git_dir().join("objects/pack");
    let names = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned());
    names.filter(|name| name.ends_with(".pack")).collect()
}

/// How many packs of the one are packs of the other.
fn in_common(one: &Repo, other: &Repo) -> usize {
    packs(one).intersection(&packs(other)).count()
}

fn fetch(ours: &Repo) -> (Fetched, usize) {
    let seen = Servers::default();
    (origin(&open(ours)).fetch(&Fetch::configured(), &seen).unwrap(), seen.started())
}

#[track_caller]
fn assert_has_all_of(ours: &Repo, remote: &Repo, branch: &str) {
    let objects = |repo: &Repo, rev: &str| {
        let list = repo.git(["rev-list", "--objects", rev]);
        list.lines().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let id = remote.rev(branch);
    assert_eq!(objects(ours, &id), objects(remote, &id));
    ours.assert_sound();
    remote.assert_sound();
}

/// Puts new commits of `main` into a repository, in parts that are kept like this.
fn arrange(repo: &Repo, parts: &[(u32, Kept)]) {
    for (commits, kept) in parts {
        grow(repo, "refs/heads/main", *commits, *kept, &nothing);
    }
}

/// Each way to keep new commits, and how many packs at least are taken as they are.
const WAYS: [(&[(u32, Kept)], usize); 6] = [
    (&[(40, Packed)], 1),
    (&[(15, Packed), (15, Packed), (15, Packed)], 3),
    (&[(3, Loose), (40, Packed)], 1),
    (&[(40, Packed), (3, Loose)], 0),
    (&[(2, Loose), (30, Packed), (2, Loose), (30, Packed), (2, Loose)], 0),
    (&[(30, Loose), (5, Packed)], 0),
];

#[test]
fn however_the_new_commits_are_kept_they_are_fetched_whole() {
    for (parts, copied) in WAYS {
        let (_world, remote, [ours]) = World::with_clones(["ours"]);
        arrange(&remote, parts);
        let (fetched, servers) = fetch(&ours);
        assert_eq!((fetched.moved.len(), servers), (1, 0), "{parts:?}");
        assert!(in_common(&ours, &remote) >= copied, "{parts:?}");
        assert_has_all_of(&ours, &remote, "main");
    }
}

#[test]
fn however_the_new_commits_are_kept_they_are_pushed_whole() {
    for (parts, _) in WAYS {
        let (_world, remote, [ours]) = World::with_clones(["ours"]);
        let old = ours.head();
        arrange(&ours, parts);
        let new = ours.rev("main");
        let (pushed, servers) = push(&ours, vec![update("refs/heads/main", Some(&old), Some(&new))]);
        assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0), "{parts:?}");
        assert_has_all_of(&remote, &ours, "main");
    }
}

#[test]
fn a_pack_that_is_mostly_known_is_not_copied_again() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    arrange(&remote, &[(30, Packed)]);
    fetch(&ours);
    let known = packs(&remote);
    for (commits, copied) in [(5, 0), (60, 1)] {
        arrange(&remote, &[(commits, Loose)]);
        Packing::Gc.apply(&remote);
        assert!(packs(&remote).is_disjoint(&known));
        let (fetched, servers) = fetch(&ours);
        assert_eq!((fetched.moved.len(), servers), (1, 0), "{commits}");
        assert_eq!(in_common(&ours, &remote), copied, "{commits}");
        assert_has_all_of(&ours, &remote, "main");
    }
}

#[test]
fn more_than_fits_into_memory_is_left_to_a_server() {
    let (_world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    // Nothing that could be compressed.
    let large = |commit: u32| {
        let mut dice = u64::from(commit) + 1;
        let letters: String = (0..300_000)
            .map(|_| {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(b' ' + ((dice >> 33) % 90) as u8)
            })
            .collect();
        format!("M 100644 inline large/{commit}\ndata {}\n{letters}\n", letters.len())
    };
    let old = theirs.head();
    grow(&theirs, "refs/heads/main", 26, Packed, &large);
    let pack = packs(&theirs).into_iter().next().unwrap();
    assert!(theirs.git_dir().join("objects/pack").join(pack).metadata().unwrap().len() > 4 * 1024 * 1024);
    let new = theirs.rev("main");
    let (pushed, servers) = push(&theirs, vec![update("refs/heads/main", Some(&old), Some(&new))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 1));
    let (fetched, servers) = fetch(&ours);
    assert_eq!((fetched.moved.len(), servers), (1, 1));
    assert_has_all_of(&ours, &remote, "main");
}

#[test]
fn tags_of_the_new_commits_come_along() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    arrange(&remote, &[(40, Packed)]);
    remote.git(["tag", "-a", "-m", "x", "annotated", "main~3"]);
    remote.git(["tag", "-a", "-m", "x", "nested", "annotated"]);
    remote.git(["tag", "light", "main~5"]);
    remote.git(["tag", "-a", "-m", "x", "of-a-tree", "main^{tree}"]);
    let (fetched, servers) = fetch(&ours);
    assert_eq!(servers, 0);
    let moved: Vec<_> = fetched.moved.iter().map(|moved| moved.local.shorten().to_string()).collect();
    assert_eq!(moved, ["origin/main", "annotated", "light", "nested"]);
    assert_has_all_of(&ours, &remote, "main");
    assert_has_all_of(&ours, &remote, "nested");
}

#[test]
fn a_file_of_the_new_commits_that_lies_elsewhere_comes_too() {
    for kept in [Loose, Packed] {
        let (_world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
        let old = theirs.head();
        let blob = |repo: &Repo| {
            let hash = repo.git_invocation().args(["hash-object", "-w", "--stdin"]).stdin("lies elsewhere\n");
            let blob = hash.success().stdout.trim().to_owned();
            if kept == Packed {
                let pack = repo.git_dir().join("objects/pack/pack");
                let pack = repo.git_invocation().args(["pack-objects", "-q", pack.as_str()]);
                pack.stdin(format!("{blob}\n")).success();
                repo.git(["prune-packed", "-q"]);
            }
            blob
        };
        for repo in [&remote, &theirs] {
            let blob = blob(repo);
            let with_blob = |commit: u32| match commit {
                20 => format!("M 100644 {blob} elsewhere.md\n"),
                _ => String::new(),
            };
            grow(repo, "refs/heads/new", 40, Packed, &with_blob);
        }
        let (fetched, servers) = fetch(&ours);
        assert_eq!((fetched.moved.len(), servers), (1, 0), "{kept:?}");
        assert_has_all_of(&ours, &remote, "new");

        remote.git(["update-ref", "-d", "refs/heads/new"]);
        remote.git(["gc", "-q", "--prune=now"]);
        let new = theirs.rev("new");
        let (pushed, servers) = push(&theirs, vec![update("refs/heads/pushed", None, Some(&new))]);
        assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0), "{kept:?}");
        assert_has_all_of(&remote, &theirs, "new");
        assert_eq!(remote.rev("main"), old);
    }
}

/// Two branches in one pack.
fn two_branches_in_one_pack(repo: &Repo) {
    grow(repo, "refs/heads/wanted", 40, Loose, &nothing);
    let mine = |commit: u32| format!("M 100644 inline mine.md\ndata 5\n{commit:05}\n");
    grow(repo, "refs/heads/mine", 20, Loose, &mine);
    repo.git(["repack", "-adq"]);
    assert_eq!(packs(repo).len(), 1);
}

#[test]
fn what_is_not_pushed_stays_at_home() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    two_branches_in_one_pack(&ours);
    let (wanted, mine) = (ours.rev("wanted"), ours.rev("mine"));
    let (pushed, servers) = push(&ours, vec![update("refs/heads/wanted", None, Some(&wanted))]);
    assert_eq!((pushed.answers, servers), (vec![UpdateStatus::Done], 0));
    for private in [mine.as_str(), &format!("{mine}~19"), &format!("{mine}:mine.md")] {
        let private = ours.rev(private);
        assert_ne!(remote.try_git(["cat-file", "-e", &private]).code, 0, "{private} was pushed by nobody");
    }
    assert_has_all_of(&remote, &ours, "wanted");
}

#[test]
fn what_once_came_along_by_chance_is_not_taken_for_whole() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    // Its last file is not in the pack with the others.
    two_branches_in_one_pack(&remote);
    let mine = remote.rev("mine");
    let other_worktree_on = remote.git(["rev-parse", "mine:mine.md"]);
    let list = remote.git(["rev-list", "--objects", "--all"]);
    let others: String = list
        .lines()
        .map(|line| &line[..40])
        .filter(|id| *id != other_worktree_on)
        .map(|id| format!("{id}\n"))
        .collect();
    Packing::Loose.apply(&remote);
    let pack = remote.git_dir().join("objects/pack/pack");
    remote
        .git_invocation()
        .args(["pack-objects", "-q", "--delta-base-offset", pack.as_str()])
        .stdin(others)
        .success();
    remote.git(["prune-packed", "-q"]);
    remote.git(["update-ref", "-d", "refs/heads/mine"]);
    assert_eq!(fetch(&ours).1, 0);
    assert_has_all_of(&ours, &remote, "wanted");
    assert_ne!(ours.try_git(["cat-file", "-e", &mine]).code, 0, "it was not asked for");

    remote.git(["update-ref", "refs/heads/mine", &mine]);
    let (fetched, _) = fetch(&ours);
    assert_eq!(fetched.moved.len(), 1);
    assert_eq!(ours.rev("refs/remotes/origin/mine"), mine);
    assert_has_all_of(&ours, &remote, "mine");
}

#[test]
fn tags_of_what_is_on_no_branch_stay_where_they_are() {
    let (_world, remote, [ours]) = World::with_clones(["ours"]);
    two_branches_in_one_pack(&remote);
    remote.git(["tag", "light", "mine"]);
    remote.git(["tag", "-a", "-m", "x", "annotated", "mine~3"]);
    remote.git(["update-ref", "-d", "refs/heads/mine"]);
    remote.git(["repack", "-adq"]);
    let (fetched, servers) = fetch(&ours);
    let moved: Vec<_> = fetched.moved.iter().map(|moved| moved.local.shorten().to_string()).collect();
    assert_eq!((moved, servers), (vec!["origin/wanted".to_owned()], 0));
    assert_eq!(fetch(&ours).0.moved, []);
    assert_has_all_of(&ours, &remote, "wanted");
}
