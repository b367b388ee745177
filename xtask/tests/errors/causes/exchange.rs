//! Causes the errors that keep commits from being pulled or pushed.

use testkit::{Output, Repo, World};

use super::{Cause, cause, gitsync, mike, mike_and_howard};

/// The causes.
pub const CAUSES: &[Cause] = &[
    cause("both sides changed the same lines", || {
        let (_world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
        howard.write("README.md", "theirs\n");
        howard.commit_all("theirs");
        howard.push();
        mike.write("README.md", "mine\n");
        gitsync(&mike).output()
    }),
    cause(
        "the same, where a merge here has resolved it, or holds a part of it that no other commit has",
        || {
            let (_world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
            howard.write("README.md", "theirs\n");
            howard.commit_all("theirs");
            howard.push();
            mike.write("README.md", "mine\n");
            mike.commit_all("mine");
            mike.git(["fetch", "--quiet"]);
            mike.git(["merge", "--quiet", "-s", "ours", "-m", "resolved", "origin/main"]);
            howard.write("other.md", "theirs\n");
            howard.commit_all("theirs again");
            howard.push();
            gitsync(&mike).output()
        },
    ),
    cause("a submodule has to be pushed first", || {
        let (_world, origin, mike) = mike();
        mike.git(["clone", "--quiet", origin.path().as_str(), "library"]);
        mike.git(["-C", "library", "commit", "--quiet", "--allow-empty", "-m", "new"]);
        mike.git(["config", "push.recurseSubmodules", "check"]);
        gitsync(&mike).output()
    }),
    cause("the same, where it is on no branch", || {
        let (_world, origin, mike) = mike();
        mike.git(["clone", "--quiet", origin.path().as_str(), "library"]);
        mike.git(["-C", "library", "switch", "--quiet", "--detach"]);
        mike.git(["-C", "library", "commit", "--quiet", "--allow-empty", "-m", "new"]);
        mike.git(["config", "push.recurseSubmodules", "check"]);
        gitsync(&mike).output()
    }),
    cause("one side made a file of a folder that the other changed", || {
        let (_world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
        howard.write("wiki/old.md", "old\n");
        howard.commit_all("a folder");
        howard.push();
        mike.pull();
        std::fs::remove_dir_all(howard.join("wiki")).unwrap();
        howard.write("wiki", "a file\n");
        howard.commit_all("a file");
        howard.push();
        mike.write("wiki/new.md", "new\n");
        gitsync(&mike).output()
    }),
    cause("a merge driver breaks down", || {
        let (_world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
        mike.git(["config", "merge.frail.driver", "echo 'out of memory' >&2; kill -9 $$"]);
        mike.write(".gitattributes", "*.md merge=frail\n");
        mike.write("README.md", "mine\n");
        howard.write("README.md", "theirs\n");
        howard.commit_all("theirs");
        howard.push();
        howard.write(".gitattributes", "*.md merge=frail\n");
        howard.commit_all("attributes");
        howard.push();
        gitsync(&mike).output()
    }),
    cause("the histories have nothing in common", || {
        let (world, origin, _mike) = mike();
        let other = world.init("other");
        other.git(["remote", "add", "origin", origin.path().as_str()]);
        other.write("b", "1\n");
        gitsync(&other).output()
    }),
    cause("the histories have nothing in common in a shallow clone", || {
        let (world, origin, _mike, howard) = mike_and_howard();
        howard.commit_all("the last");
        howard.push();
        let url = format!("file://{}", origin.path());
        let path = world.path().join("shallow");
        world.git(["clone", "--quiet", "--depth=1", &url, path.as_str()]);
        howard.git(["reset", "--quiet", "--hard", "HEAD~2"]);
        howard.commit_all("rewritten");
        howard.git(["push", "--quiet", "--force", "origin", "main"]);
        gitsync(&world.repo(path)).output()
    }),
    cause("the remote's branch was deleted", || {
        let (_world, origin, mike) = mike();
        mike.git(["push", "--quiet", "origin", "main:other"]);
        origin.git(["symbolic-ref", "HEAD", "refs/heads/other"]);
        origin.git(["update-ref", "-d", "refs/heads/main"]);
        gitsync(&mike).output()
    }),
    cause("a file that comes in was edited, and nothing is to be committed", || {
        let (_world, _origin, mike, _howard) = mike_and_howard();
        mike.write("theirs.md", "mine\n");
        gitsync(&mike).arg("--no-commit").output()
    }),
    cause("what comes in takes the current directory away", || {
        let (_world, _origin, mike, howard) = mike_and_howard();
        howard.write("place/file.md", "a folder\n");
        howard.commit_all("a folder");
        howard.push();
        gitsync(&mike).success();
        howard.git(["rm", "--quiet", "-r", "place"]);
        howard.write("place", "a file\n");
        howard.commit_all("a file");
        howard.push();
        gitsync(&mike).in_dir(mike.join("place")).output()
    }),
    cause("a name that comes in does harm", || {
        let (_world, origin, mike) = mike();
        let hash = |kind: &str, data: &[u8]| {
            let git = origin.git_invocation();
            let made = git.args(["hash-object", "-t", kind, "--literally", "-w", "--stdin"]).stdin(data);
            made.success().stdout.trim().to_owned()
        };
        let blob = hash("blob", b"evil\n");
        let mut entry = b"100644 .git\0".to_vec();
        entry.extend((0..blob.len()).step_by(2).map(|at| u8::from_str_radix(&blob[at..at + 2], 16).unwrap()));
        let tree = hash("tree", &entry);
        let commit = origin.git(["commit-tree", "-m", "evil", "-p", "main", &tree]);
        origin.git(["update-ref", "refs/heads/main", &commit]);
        gitsync(&mike).output()
    }),
    cause("the encoding of a file that comes in is not known", || encoded("CP437", "1\n")),
    cause("a file that comes in has a character that is not written alike everywhere", || {
        encoded("cp932", "〜\n")
    }),
    cause("`--no-pull`, and the remote has more", || {
        let (_world, _origin, mike, _howard) = mike_and_howard();
        mike.git(["fetch", "--quiet"]);
        mike.write("mine.md", "mine\n");
        gitsync(&mike).arg("--no-pull").output()
    }),
    cause("`--no-pull`, and the remote moves during the push", || {
        let (_world, _origin, mike) = with_a_faster_colleague("true");
        gitsync(&mike).arg("--no-pull").output()
    }),
    cause("the remote moves at each attempt", || {
        let (_world, _origin, mike) = with_a_faster_colleague("true");
        gitsync(&mike).args(["--attempts", "2"]).output()
    }),
    cause("the branch here moves at each attempt", || {
        let (_world, _origin, mike) = mike();
        let script = "#!/bin/sh\ngit update-ref HEAD \"$(git commit-tree -p HEAD -m other 'HEAD^{tree}')\"\n";
        mike.hook("pre-commit", script);
        gitsync(&mike).args(["--attempts", "2"]).output()
    }),
    cause("a file that comes in is written here at each attempt", || {
        let (_world, _origin, mike, howard) = mike_and_howard();
        mike.pull();
        howard.append("theirs.md", "more\n");
        howard.commit_all("more");
        howard.push();
        mike.write("mine.md", "mine\n");
        mike.hook("pre-rebase", "#!/bin/sh\necho here >>theirs.md\n");
        gitsync(&mike).args(["--attempts", "1"]).output()
    }),
    cause("somebody switches branches during the run", || {
        let (_world, _origin, mike) = with_a_faster_colleague("git symbolic-ref HEAD refs/heads/other");
        mike.git(["branch", "other"]);
        gitsync(&mike).output()
    }),
    cause("the remote turns the push down", || {
        let (_world, origin, mike) = mike();
        origin.hook("pre-receive", "#!/bin/sh\necho 'no pushes on a Friday' >&2\nexit 1\n");
        gitsync(&mike).output()
    }),
    cause("a later version left an unfinished update", || {
        let (_world, _origin, mike) = mike();
        let folder = mike.git_dir().join("lockstep-update");
        std::fs::create_dir(&folder).unwrap();
        let id = mike.head();
        let journal =
            serde_json::json!({"version": 99, "token": "t", "from": id, "to": id, "entries": []}).to_string();
        std::fs::write(folder.join("journal.json"), journal).unwrap();
        gitsync(&mike).output()
    }),
];

/// A colleague has pushed `content` as UTF-8, and then that it is to be in another encoding here.
fn encoded(encoding: &str, content: &str) -> Output {
    let (_world, _origin, mike, howard) = mike_and_howard();
    howard.write("theirs.md", content);
    howard.commit_all("the content");
    howard.write(".gitattributes", format!("theirs.md working-tree-encoding={encoding}\n"));
    howard.git(["add", ".gitattributes"]);
    howard.git(["commit", "--quiet", "-m", "the attributes"]);
    howard.push();
    gitsync(&mike).output()
}

/// A clone whose colleague pushes something whenever it is about to push; and what else happens then.
fn with_a_faster_colleague(besides: &str) -> (World, Repo, Repo) {
    let (world, origin, mike) = mike();
    let howard = world.clone_of(&origin, "howard");
    mike.hook(
        "pre-push",
        &format!(
            "#!/bin/sh\ncat >/dev/null\n{besides}\nunset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE GIT_PREFIX\n\
             cd '{}' && git pull -q --rebase && git commit -q --allow-empty -m faster && git push -q\n",
            howard.path()
        ),
    );
    (world, origin, mike)
}
