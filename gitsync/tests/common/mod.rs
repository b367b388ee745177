//! Helpers for the tests of staging and updating: the engine in process on one side, real git in a twin on the other.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeMap;

use gitsync::index::{self, Acquire, Looked};
use gitsync::stage::sink::{Loose, Sink as _};
use gitsync::stage::{self, Policy, Refusal, Scope};
use gitsync::tree::Counts;
use gitsync::worktree::{self, Applied, Done, Refused, Why};
use gix::ObjectId;
use testkit::{Repo, World};

/// A repository with these files, committed.
pub fn repo_with(world: &World, files: &[(&str, &str)]) -> Repo {
    let repo = world.init("mike");
    for (path, content) in files {
        repo.write(path, content);
    }
    repo.commit_all("the beginning");
    repo
}

/// The repository as the engine opens it: its own configuration, nothing of the tester's.
pub fn open(repo: &Repo) -> gix::Repository {
    gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap()
}

/// What staging came to.
pub struct StagedTree {
    pub tree: String,
    pub counts: Counts,
    pub index_changed: bool,
}

/// Stage everything and write the index, as a run does but for the commit.
pub fn stage_all(repo: &Repo) -> Result<StagedTree, Vec<Refusal>> {
    stage(repo, Scope::Everything)
}

pub fn stage(repo: &Repo, scope: Scope) -> Result<StagedTree, Vec<Refusal>> {
    let policy = Policy { scope };
    let repo = open(repo);
    let Acquire::Ours(lock) = index::lock(&repo).unwrap() else { panic!("index.lock is somebody else's") };
    let since = lock.taken_at().unwrap();
    let index = index::open(&repo).unwrap();
    let changes = stage::scan(&repo, &index, &policy, &()).unwrap();
    let mut sink = Loose::new(&repo);
    let staged = stage::prepare(&repo, index, head_tree(&repo), changes, &policy, &mut sink, &()).unwrap()?;
    sink.sync().unwrap();
    let looked = if policy.scope == Scope::Everything { Looked::AtAll } else { Looked::AtSome };
    lock.write(&repo, staged.index, staged.index_tree.as_ref(), looked, since).unwrap();
    Ok(StagedTree {
        tree: staged.tree.id.to_string(),
        counts: staged.counts,
        index_changed: staged.index_changed,
    })
}

pub fn head_tree(repo: &gix::Repository) -> ObjectId {
    repo.head_tree_id_or_empty().unwrap().detach()
}

/// A copy of the repository, times and all, in which git does what the engine does here.
pub fn twin(world: &World, repo: &Repo) -> Repo {
    let mut number = 0;
    let path = loop {
        let path = world.path().join(format!("{}-twin-{number}", repo.path().file_name().unwrap()));
        if !path.exists() {
            break path;
        }
        number += 1;
    };
    repo.program("cp").args(["-a", repo.path().as_str(), path.as_str()]).output().assert_success();
    world.repo(path)
}

/// Hold what the engine stages against what `git add -A` stages in a twin.
#[track_caller]
pub fn assert_stages_as_git(world: &World, repo: &Repo) -> StagedTree {
    let twin = twin(world, repo);
    twin.try_git(["-c", "advice.addEmbeddedRepo=false", "add", "--all"]);
    let staged = stage_all(repo).unwrap_or_else(|refused| {
        panic!("refused: {}", refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    });
    assert_same_index(repo, &twin);
    assert_eq!(staged.tree, twin.git(["write-tree"]), "the tree");
    assert_eq!(repo.git(["write-tree"]), staged.tree, "the tree as git builds it from our index");
    let fsck = repo.try_git(["fsck", "--strict", "--no-dangling", "--no-progress"]);
    assert!(fsck.code == 0, "{fsck}");
    twin.try_git(["-c", "advice.addEmbeddedRepo=false", "add", "--all"]);
    let again = stage_all(repo).ok().unwrap();
    assert_eq!(again.tree, twin.git(["write-tree"]), "the tree when staged again");
    staged
}

/// Panics unless git says the same of both indexes and work trees.
#[track_caller]
pub fn assert_same_index(ours: &Repo, theirs: &Repo) {
    for args in [
        ["ls-files", "--stage", "-z"].as_slice(),
        ["ls-files", "-t", "-v", "-z"].as_slice(),
        ["status", "--porcelain=v1", "-z", "--untracked-files=all"].as_slice(),
        ["diff", "--cached", "--raw", "-z"].as_slice(),
    ] {
        let show = |text: String| text.replace('\0', "\n");
        let (a, b) = (ours.git(args.iter().copied()), theirs.git(args.iter().copied()));
        assert!(a == b, "git {}\n--- ours\n{}\n--- git's\n{}", args.join(" "), show(a), show(b));
    }
}

/// Move the time of a file back, so that nothing about it is young.
pub fn age(repo: &Repo, path: &str) {
    let time = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    let file = std::fs::File::options().write(true).open(repo.join(path)).unwrap();
    file.set_modified(time).unwrap();
}

/// Take the work tree and the index from the tree of `from` to that of `to`, as a run does, and move the branch.
pub fn update(repo: &Repo, from: &str, to: &str) -> Result<Done, Vec<Refused>> {
    let gix = open(repo);
    let (from, to) = (tree_of(repo, from), tree_of(repo, to));
    let Acquire::Ours(lock) = index::lock(&gix).unwrap() else { panic!("index.lock is somebody else's") };
    let index = index::open(&gix).unwrap();
    let facts = worktree::look(&gix, &index, from, to, &()).unwrap();
    let plan = worktree::plan(&facts)?;
    match worktree::apply(&gix, lock, index, &plan, &()).unwrap() {
        Applied::Done(done) => Ok(*done),
        Applied::Refused(refused) => Err(refused),
    }
}

pub fn tree_of(repo: &Repo, revision: &str) -> ObjectId {
    ObjectId::from_hex(repo.rev(&format!("{revision}^{{tree}}")).as_bytes()).unwrap()
}

/// Every file and link of the work tree with its content, its kind and executable bit; and every folder.
pub fn snapshot(repo: &Repo) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut open = vec![repo.path().as_std_path().to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap() == ".git" {
                continue;
            }
            let meta = std::fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(repo.path()).unwrap().to_string_lossy().into_owned();
            let what = if meta.is_symlink() {
                format!("link to {}", std::fs::read_link(&path).unwrap().display())
            } else if meta.is_dir() {
                open.push(path);
                "folder".to_owned()
            } else {
                use std::os::unix::fs::PermissionsExt as _;
                let content = std::fs::read(&path).unwrap();
                format!("{:o} {}", meta.permissions().mode() & 0o111, content.escape_ascii())
            };
            all.insert(name, what);
        }
    }
    all
}

/// Hold the engine's update of the work tree from `HEAD` to `to` against git's in a twin.
#[track_caller]
pub fn assert_updates_as_git(world: &World, repo: &Repo, to: &str) -> Done {
    let twin = twin(world, repo);
    // Copied files have other inodes.
    twin.try_git(["update-index", "-q", "--refresh"]);
    twin.git(["read-tree", "-m", "-u", "HEAD", to]);
    let done = update(repo, "HEAD", to).unwrap_or_else(|refused| {
        panic!("refused: {}", refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    });
    assert_eq!(snapshot(repo), snapshot(&twin), "the work tree");
    for each in [repo, &twin] {
        each.git(["update-ref", "HEAD", to]);
    }
    assert_same_index(repo, &twin);
    done
}

/// A repository whose `HEAD` is the commit `old`, with another commit `new`, made by these two.
pub fn two_commits(world: &World, old: impl Fn(&Repo), new: impl Fn(&Repo)) -> Repo {
    let repo = world.init("mike");
    old(&repo);
    repo.commit_all("old");
    repo.git(["tag", "old"]);
    new(&repo);
    repo.commit_all("new");
    repo.git(["tag", "new"]);
    repo.git(["reset", "--quiet", "--hard", "old"]);
    repo.git(["clean", "-ffdqx"]);
    repo
}

/// Writes all of these.
pub fn write_all(repo: &Repo, files: &[(&str, &str)]) {
    files.iter().for_each(|(path, content)| repo.write(path, content));
}

/// An update to `new` is refused for `path`, and nothing is changed.
#[track_caller]
pub fn assert_refused(repo: &Repo, path: &str, is_right: impl Fn(&Why) -> bool) {
    let (before, index) = (snapshot(repo), std::fs::read(repo.git_dir().join("index")).unwrap());
    let refused = update(repo, "HEAD", "new").expect_err("it was not refused");
    assert!(refused.iter().any(|refused| refused.path == path && is_right(&refused.why)), "{refused:?}");
    assert_eq!(snapshot(repo), before, "the work tree");
    assert_eq!(std::fs::read(repo.git_dir().join("index")).unwrap(), index, "the index");
    assert!(!repo.git_dir().join("lockstep-update").exists());
    repo.assert_unlocked();
}
