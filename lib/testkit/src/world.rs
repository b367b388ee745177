//! A temporary folder in which a story happens: a home, remotes, clones.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::{Invocation, Recorder, Repo, binaries, surroundings::Surroundings};

/// What the users of a world have in their git configuration.
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

/// A temporary folder with a home of its own; it goes when the world does.
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
    /// An empty world: a home with a git configuration, and nothing else.
    pub fn new() -> Self {
        Self::in_folder(
            tempfile::Builder::new().prefix("lockstep-test-").tempdir().expect("a temporary folder"),
        )
    }

    /// An empty world whose path has a space and letters outside ASCII in it.
    pub fn with_an_odd_path() -> Self {
        Self::in_folder(
            tempfile::Builder::new().prefix("lockstep tést ").tempdir().expect("a temporary folder"),
        )
    }

    /// An empty world in memory, for what not every file system can do that a folder for temporary files may be in.
    pub fn in_memory() -> Self {
        let folder = tempfile::Builder::new().prefix("lockstep-test-").tempdir_in("/dev/shm");
        Self::in_folder(folder.expect("a folder in memory"))
    }

    fn in_folder(folder: TempDir) -> Self {
        // The real path, so that what programs print can be compared with it.
        let root = folder.path().canonicalize().expect("the temporary folder's real path");
        let root = Utf8PathBuf::try_from(root).expect("a temporary folder with a UTF-8 path");
        let surroundings = Arc::new(Surroundings::new(root));
        for directory in [surroundings.home(), surroundings.temporary()] {
            std::fs::create_dir(directory).expect("a folder of the world");
        }
        std::fs::write(surroundings.git_config(), GIT_CONFIG).expect("the world's git configuration");
        Self { surroundings, _folder: folder }
    }

    /// The world's folder.
    pub fn path(&self) -> &Utf8Path {
        &self.surroundings.root
    }

    /// The users' home.
    pub fn home(&self) -> Utf8PathBuf {
        self.surroundings.home()
    }

    /// What `TMPDIR` says to the world's programs; empty at first.
    pub fn temporary(&self) -> Utf8PathBuf {
        self.surroundings.temporary()
    }

    /// The git configuration of the world's user, to be added to.
    pub fn git_config(&self) -> Utf8PathBuf {
        self.surroundings.git_config()
    }

    /// An empty bare repository: a remote.
    pub fn bare(&self, name: &str) -> Repo {
        let path = self.path().join(name);
        self.git(["init", "--quiet", "--bare", path.as_str()]);
        self.repo(path)
    }

    /// A repository with a work tree and no commit.
    pub fn init(&self, name: &str) -> Repo {
        let path = self.path().join(name);
        self.git(["init", "--quiet", path.as_str()]);
        let repo = self.repo(path);
        repo.belongs_to(name);
        repo
    }

    /// A clone of `remote` in a folder called `name`, whose user is called the same: `howard` commits as `Howard`.
    pub fn clone_of(&self, remote: &Repo, name: &str) -> Repo {
        self.clone_url(remote.path().as_str(), name)
    }

    /// A clone of whatever `url` names, else as [`World::clone_of`].
    pub fn clone_url(&self, url: &str, name: &str) -> Repo {
        let path = self.path().join(name);
        self.git(["clone", "--quiet", url, path.as_str()]);
        let repo = self.repo(path);
        repo.belongs_to(name);
        repo
    }

    /// A remote with one commit of `README.md`, and a clone of it for each name: how most stories begin.
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

    /// The repository at `path`, made by other means.
    pub fn repo(&self, path: impl Into<Utf8PathBuf>) -> Repo {
        Repo::new(path.into(), self.surroundings.clone())
    }

    /// Runs git in the world's folder, which must succeed, and gives its stdout.
    pub fn git<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> String {
        self.repo(self.path()).git(args)
    }

    /// A program by its path, such as `env!("CARGO_BIN_EXE_lock")`, to be run in the world's folder.
    pub fn program(&self, program: &str) -> Invocation {
        Invocation::new(self.surroundings.command(program), program)
    }

    /// One of the project's binaries, also of another package than the test's: `world.binary("lock")`.
    pub fn binary(&self, name: &str) -> Invocation {
        self.program(binaries::binary(name).as_str())
    }

    /// A program called `git` that writes down how it is called before it hands over to the real one. It does so for
    /// invocations that are told with [`Invocation::recorded_by`].
    pub fn recorder(&self) -> Recorder {
        Recorder::new(&self.path().join("recorder"), &["git"])
    }

    /// The server programs of git, each of which writes down that it was started.
    pub fn recorder_of_servers(&self) -> Recorder {
        Recorder::new(&self.path().join("recorder-of-servers"), &["git-upload-pack", "git-receive-pack"])
    }
}
