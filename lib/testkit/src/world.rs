//! Creates a temporary directory with a home directory, remotes and clones: the world of one test.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::{Invocation, Recorder, Repo, binaries, surroundings::Surroundings};

/// The git configuration of a world's users.
const GIT_CONFIG: &str = "\
[user]
	name = Nobody
	email = nobody@example.com
[init]
	defaultBranch = main
[protocol \"file\"]
	allow = always
[gc]
	auto = 0
[maintenance]
	auto = false
[core]
	fsync = none
[advice]
	detachedHead = false
";

/// A temporary directory with its own home directory; it is removed when this is dropped.
#[derive(Debug)]
pub struct World {
    surroundings: Arc<Surroundings>,
    _folder: TempDir,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Creates an empty world: a home directory with a git configuration.
    pub fn new() -> Self {
        Self::in_folder(
            tempfile::Builder::new().prefix("lockstep-test-").tempdir().expect("a temporary folder"),
        )
    }

    /// Creates an empty world whose path contains a space and non-ASCII letters.
    pub fn with_an_odd_path() -> Self {
        Self::in_folder(
            tempfile::Builder::new().prefix("lockstep tést ").tempdir().expect("a temporary folder"),
        )
    }

    /// Creates an empty world in memory, for tests that need more than every file system of a temporary directory can
    /// do.
    pub fn in_memory() -> Self {
        let folder = tempfile::Builder::new().prefix("lockstep-test-").tempdir_in("/dev/shm");
        Self::in_folder(folder.expect("a folder in memory"))
    }

    fn in_folder(folder: TempDir) -> Self {
        // The real path, so that the paths that programs print can be compared with it.
        let root = folder.path().canonicalize().expect("the temporary folder's real path");
        let root = Utf8PathBuf::try_from(root).expect("a temporary folder with a UTF-8 path");
        let surroundings = Arc::new(Surroundings::new(root));
        for directory in [surroundings.home(), surroundings.temporary()] {
            std::fs::create_dir(directory).expect("a folder of the world");
        }
        std::fs::write(surroundings.git_config(), GIT_CONFIG).expect("the world's git configuration");
        Self { surroundings, _folder: folder }
    }

    /// Returns the world's directory.
    pub fn path(&self) -> &Utf8Path {
        &self.surroundings.root
    }

    /// Returns the users' home directory.
    pub fn home(&self) -> Utf8PathBuf {
        self.surroundings.home()
    }

    /// Returns the directory that `TMPDIR` names for the world's programs; empty at first.
    pub fn temporary(&self) -> Utf8PathBuf {
        self.surroundings.temporary()
    }

    /// Returns the git configuration file of the world's users, which tests may extend.
    pub fn git_config(&self) -> Utf8PathBuf {
        self.surroundings.git_config()
    }

    /// Creates an empty bare repository, for use as a remote.
    pub fn bare(&self, name: &str) -> Repo {
        let path = self.path().join(name);
        self.git(["init", "--quiet", "--bare", path.as_str()]);
        self.repo(path)
    }

    /// Creates a repository with a working tree and no commit.
    pub fn init(&self, name: &str) -> Repo {
        let path = self.path().join(name);
        self.git(["init", "--quiet", path.as_str()]);
        let repo = self.repo(path);
        repo.belongs_to(name);
        repo
    }

    /// Clones `remote` into a directory called `name`, with a user of the same name: `howard` commits as `Howard`.
    pub fn clone_of(&self, remote: &Repo, name: &str) -> Repo {
        self.clone_url(remote.path().as_str(), name)
    }

    /// Clones `url`, otherwise like [`World::clone_of`].
    pub fn clone_url(&self, url: &str, name: &str) -> Repo {
        let path = self.path().join(name);
        self.git(["clone", "--quiet", url, path.as_str()]);
        let repo = self.repo(path);
        repo.belongs_to(name);
        repo
    }

    /// Creates a remote with one commit of `README.md`, and a clone of it for each name: the start of most tests.
    pub fn with_clones<const N: usize>(names: [&str; N]) -> (Self, Repo, [Repo; N]) {
        let world = Self::new();
        let origin = world.bare("origin.git");
        let seed = world.clone_of(&origin, "seed");
        seed.write("README.md", "# Tools\n");
        seed.commit_all("the beginning");
        seed.git(["push", "--quiet", "--set-upstream", "origin", "main"]);
        let clones = names.map(|name| world.clone_of(&origin, name));
        (world, origin, clones)
    }

    /// Returns the repository at `path`, which was created by other means.
    pub fn repo(&self, path: impl Into<Utf8PathBuf>) -> Repo {
        Repo::new(path.into(), self.surroundings.clone())
    }

    /// Runs git in the world's directory, which must succeed, and returns its stdout.
    pub fn git<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> String {
        self.repo(self.path()).git(args)
    }

    /// Returns an invocation, in the world's directory, of a program by its path, such as
    /// `env!("CARGO_BIN_EXE_lock")`.
    pub fn program(&self, program: &str) -> Invocation {
        Invocation::new(self.surroundings.command(program), program)
    }

    /// Returns an invocation of one of the project's binaries, of any package: `world.binary("lock")`.
    pub fn binary(&self, name: &str) -> Invocation {
        self.program(binaries::binary(name).as_str())
    }

    /// Creates a program called `git` that records how it is called before it runs the real one. It is used by
    /// invocations with [`Invocation::recorded_by`].
    pub fn recorder(&self) -> Recorder {
        Recorder::new(&self.path().join("recorder"), &["git"])
    }

    /// Creates recorders for git's server programs, each of which records that it was started.
    pub fn recorder_of_servers(&self) -> Recorder {
        Recorder::new(&self.path().join("recorder-of-servers"), &["git-upload-pack", "git-receive-pack"])
    }
}
