//! Rebases a local branch onto an upstream in two twins: with git and with our code.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]
#![allow(dead_code, reason = "each test file uses its part")]

use gitsync::ident::People;
use gitsync::rebase::{self, Outcome, Replay, Replayer};
use gitsync::signing::Signing;
use gitsync::watch::Watch;
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use store::History;
use testkit::{Repo, World};

/// Ten lines, far enough from each other for changes of several to be merged.
pub const LINES: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

/// What came of a rebase, as far as git and we must agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Result {
    /// The new history, oldest first: each commit's bytes, less its parents and its committer.
    History(Vec<String>),
    /// The paths in conflict.
    Conflict(Vec<String>),
}

/// A repository whose `main` is to be rebased onto its branch `upstream`.
pub struct Twin {
    pub world: World,
    pub repo: Repo,
}

impl Twin {
    /// One commit that both branches have, made by `base`.
    pub fn new(base: impl FnOnce(&Repo)) -> Self {
        let world = World::new();
        let repo = world.init("mike");
        repo.write("README.md", "# Tools\n");
        base(&repo);
        repo.commit_all("the beginning");
        repo.git(["branch", "upstream"]);
        Self { world, repo }
    }

    /// Adds to the upstream.
    pub fn theirs(&self, make: impl FnOnce(&Repo)) {
        self.repo.git(["switch", "--quiet", "upstream"]);
        make(&self.repo);
        self.repo.git(["switch", "--quiet", "main"]);
    }

    /// Adds to the local branch.
    pub fn ours(&self, make: impl FnOnce(&Repo)) {
        make(&self.repo);
    }

    /// Rebases in both ways, which must agree.
    pub fn assert_same(&self) -> Result {
        let ours = self.rebase();
        let gits = self.git_rebase();
        assert_eq!(ours, gits, "left is ours, right is git's");
        ours
    }

    /// Rebases in memory.
    pub fn rebase(&self) -> Result {
        self.rebase_watched(&())
    }

    /// Rebases in memory, while somebody watches.
    pub fn rebase_watched(&self, watch: &dyn Watch) -> Result {
        let repo = open(&self.repo);
        let id = |name: &str| ObjectId::from_hex(self.repo.rev(name).as_bytes()).unwrap();
        let onto = id("upstream");
        let what = Replay { onto, upstream: onto, head: id("main") };
        let people = People::of(&repo);
        let by = Replayer { committer: people.committer().unwrap(), signing: &Signing::Off };
        match rebase::rebase(&repo, &History::of(&repo), what, &by, watch).unwrap() {
            Outcome::Nothing => self.history(&what.head.to_string()),
            Outcome::Replayed(mut replayed) => {
                drop(replayed.keep(&repo).unwrap());
                self.history(&replayed.head.to_string())
            }
            Outcome::Conflict(conflict) => {
                Result::Conflict(conflict.disputed.paths.iter().map(ToString::to_string).collect())
            }
        }
    }

    /// Rebases with git, and takes it back.
    pub fn git_rebase(&self) -> Result {
        let before = self.repo.head();
        let output = self.repo.try_git(["rebase", "--quiet", "upstream"]);
        let result = if output.code == 0 {
            self.history("HEAD")
        } else {
            let paths = self.repo.git(["diff", "--name-only", "--diff-filter=U", "-z"]);
            assert!(!paths.is_empty(), "git stopped without a conflict: {}", output.stderr);
            self.repo.git(["rebase", "--abort"]);
            Result::Conflict(paths.split_terminator('\0').map(str::to_owned).collect())
        };
        self.repo.git(["reset", "--quiet", "--hard", &before]);
        result
    }

    /// What git says to a rebase that it does not finish, which is taken back.
    pub fn git_complains(&self) -> String {
        let before = self.repo.head();
        let output = self.repo.try_git(["rebase", "--quiet", "upstream"]);
        assert_ne!(output.code, 0, "git rebased it");
        self.repo.git(["rebase", "--abort"]);
        self.repo.git(["reset", "--quiet", "--hard", &before]);
        output.stdout + &output.stderr
    }

    fn history(&self, head: &str) -> Result {
        let range = format!("upstream..{head}");
        let ids = self.repo.git(["rev-list", "--reverse", "--topo-order", &range]);
        let fsck = self.repo.try_git(["fsck", "--strict", "--no-dangling", "--no-reflogs", head]);
        assert_eq!(fsck.code, 0, "{}", fsck.stderr);
        let repo = open(&self.repo);
        let commit = |id: &str| {
            let id = ObjectId::from_hex(id.as_bytes()).unwrap();
            let data = repo.find_commit(id).unwrap().data.clone();
            let (headers, message) = data.split_once_str("\n\n").unwrap();
            let kept: Vec<&BStr> = headers
                .lines()
                .filter(|line| !line.starts_with(b"parent ") && !line.starts_with(b"committer "))
                .map(ByteSlice::as_bstr)
                .collect();
            format!("{kept:?} {:?}", message.as_bstr())
        };
        Result::History(ids.lines().map(commit).collect())
    }
}

/// Opens a repository with nothing of the tester's own configuration.
pub fn open(repo: &Repo) -> gix::Repository {
    gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap()
}

/// Writes a file and commits it.
pub fn commit(repo: &Repo, path: &str, content: &str, message: &str) {
    repo.write(path, content);
    repo.commit_all(message);
}

/// How many commits a rebase gave, which met no conflict.
#[track_caller]
pub fn count(result: &Result) -> usize {
    match result {
        Result::History(commits) => commits.len(),
        Result::Conflict(paths) => panic!("a conflict in {paths:?}"),
    }
}
