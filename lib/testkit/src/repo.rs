//! A repository of a world: a bare one, a clone, or a linked work tree.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Invocation, Output, binaries, surroundings::Surroundings};

/// A repository, by its work tree, or by itself where it is bare.
#[derive(Debug, Clone)]
pub struct Repo {
    path: Utf8PathBuf,
    surroundings: Arc<Surroundings>,
}

impl Repo {
    pub(crate) fn new(path: Utf8PathBuf, surroundings: Arc<Surroundings>) -> Self {
        Self { path, surroundings }
    }

    #[cfg(unix)]
    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Where it is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn join(&self, path: &str) -> Utf8PathBuf {
        self.path.join(path)
    }

    /// The git directory that all its work trees share, as git says.
    pub fn common_dir(&self) -> Utf8PathBuf {
        self.git(["rev-parse", "--path-format=absolute", "--git-common-dir"]).into()
    }

    /// The git directory of this work tree, as git says.
    pub fn git_dir(&self) -> Utf8PathBuf {
        self.git(["rev-parse", "--absolute-git-dir"]).into()
    }

    /// Makes `name` the user who commits here: `howard` is `Howard <howard@example.com>`.
    pub fn belongs_to(&self, name: &str) {
        let mut letters = name.chars();
        let capital: String =
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        self.git(["config", "user.name", &capital]);
        self.git(["config", "user.email", &format!("{name}@example.com")]);
    }

    /// A linked work tree of this repository beside it, on a new branch of the same name.
    pub fn linked_work_tree(&self, name: &str) -> Repo {
        let path = self.surroundings.root.join(name);
        self.git(["worktree", "add", "--quiet", "-b", name, path.as_str()]);
        Self::new(path, self.surroundings.clone())
    }

    /// Runs git here, which must succeed, and gives its stdout less the last line feed.
    pub fn git<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> String {
        let output = self.try_git(args);
        output.assert_success();
        output.stdout.strip_suffix('\n').unwrap_or(&output.stdout).to_owned()
    }

    /// Runs git here, whether it succeeds or not.
    pub fn try_git<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        self.git_invocation().args(args).output()
    }

    /// Git, to be run here with whatever else it needs: an environment, a text on stdin.
    pub fn git_invocation(&self) -> Invocation {
        Invocation::new(self.surroundings.git(), "git").in_dir(&self.path)
    }

    /// A program by its path, such as `env!("CARGO_BIN_EXE_gitsync")`, to be run here.
    pub fn program(&self, program: &str) -> Invocation {
        Invocation::new(self.surroundings.command(program), program).in_dir(&self.path)
    }

    /// One of the project's binaries, also of another package than the test's, to be run here.
    pub fn binary(&self, name: &str) -> Invocation {
        self.program(binaries::binary(name).as_str())
    }

    /// Writes a file, and makes the folders that it needs.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.join(path);
        let folder = path.parent().expect("a file has a folder");
        std::fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Adds to the end of a file, which need not be there yet.
    pub fn append(&self, path: &str, content: impl AsRef<[u8]>) {
        let mut whole = std::fs::read(self.join(path)).unwrap_or_default();
        whole.extend_from_slice(content.as_ref());
        self.write(path, whole);
    }

    /// What a file holds.
    pub fn read(&self, path: &str) -> String {
        let path = self.join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) {
        let path = self.join(path);
        std::fs::remove_file(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Moves a file, and makes the folders that it needs.
    pub fn rename(&self, from: &str, to: &str) {
        let target = self.join(to);
        std::fs::create_dir_all(target.parent().expect("a file has a folder")).expect("the target's folder");
        std::fs::rename(self.join(from), &target).unwrap_or_else(|error| panic!("{from} to {to}: {error}"));
    }

    /// Sets or takes away a file's executable bit.
    #[cfg(unix)]
    pub fn set_executable(&self, path: &str, executable: bool) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if executable { 0o755 } else { 0o644 };
        std::fs::set_permissions(self.join(path), std::fs::Permissions::from_mode(mode))
            .expect("a mode is set");
    }

    /// Writes a hook of the repository and makes it executable.
    #[cfg(unix)]
    pub fn hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.common_dir().join("hooks").join(name);
        std::fs::create_dir_all(path.parent().expect("a hook has a folder")).expect("the hooks' folder");
        std::fs::write(&path, script).expect("a hook");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a hook's mode");
    }

    /// Commits all there is with git, also nothing, and gives the commit's id.
    pub fn commit_all(&self, message: &str) -> String {
        self.git(["add", "--all"]);
        self.git(["commit", "--quiet", "--no-verify", "--allow-empty", "--message", message]);
        self.head()
    }

    /// Pushes the branch with git to a branch of the same name.
    pub fn push(&self) {
        self.git(["push", "--quiet", "origin", "HEAD"]);
    }

    /// Brings in what the remote has with git, as `git pull --rebase` does.
    pub fn pull(&self) {
        self.git(["pull", "--quiet", "--rebase"]);
    }

    /// The id of the commit that is checked out.
    pub fn head(&self) -> String {
        self.rev("HEAD")
    }

    /// The id that a revision names.
    pub fn rev(&self, revision: &str) -> String {
        self.git(["rev-parse", "--verify", revision])
    }

    /// The id that a revision names, where it names one.
    pub fn try_rev(&self, revision: &str) -> Option<String> {
        let output = self.try_git(["rev-parse", "--verify", "--quiet", revision]);
        (output.code == 0).then(|| output.stdout.trim_end().to_owned())
    }

    /// `git status --porcelain`, with each file of an untracked folder.
    pub fn status(&self) -> String {
        self.git(["status", "--porcelain", "--untracked-files=all"])
    }

    /// The messages of a revision's history, newest first, a line each.
    pub fn log(&self, revision: &str) -> Vec<String> {
        self.git(["log", "--format=%s", revision]).lines().map(str::to_owned).collect()
    }

    /// The paths of a revision's tree.
    pub fn files(&self, revision: &str) -> Vec<String> {
        let list = self.git(["ls-tree", "-r", "-z", "--name-only", revision]);
        list.split_terminator('\0').map(str::to_owned).collect()
    }
}
