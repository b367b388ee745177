//! Represents a repository of a world: a bare one, a clone, or a linked worktree.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Invocation, Output, binaries, surroundings::Surroundings};

/// A repository, identified by its working tree or, if it is bare, by its git directory.
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

    /// Returns its path.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Returns the path of a file in it.
    pub fn join(&self, path: &str) -> Utf8PathBuf {
        self.path.join(path)
    }

    /// Returns the git directory that all its worktrees share, according to git.
    pub fn common_dir(&self) -> Utf8PathBuf {
        self.git(["rev-parse", "--path-format=absolute", "--git-common-dir"]).into()
    }

    /// Returns the git directory of this worktree, according to git.
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

    /// Creates a linked worktree of this repository in the world's directory, on a new branch of the same name.
    pub fn linked_work_tree(&self, name: &str) -> Repo {
        let path = self.surroundings.root.join(name);
        self.git(["worktree", "add", "--quiet", "-b", name, path.as_str()]);
        Self::new(path, self.surroundings.clone())
    }

    /// Runs git here, which must succeed, and returns its stdout without the last line feed.
    pub fn git<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> String {
        let output = self.try_git(args);
        output.assert_success();
        output.stdout.strip_suffix('\n').unwrap_or(&output.stdout).to_owned()
    }

    /// Runs git here, whether it succeeds or not.
    pub fn try_git<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        self.git_invocation().args(args).output()
    }

    /// Returns a git invocation in this repository, for tests that need more, such as environment variables or stdin.
    pub fn git_invocation(&self) -> Invocation {
        Invocation::new(self.surroundings.git(), "git").in_dir(&self.path)
    }

    /// Returns an invocation, in this repository, of a program by its path, such as `env!("CARGO_BIN_EXE_gitsync")`.
    pub fn program(&self, program: &str) -> Invocation {
        Invocation::new(self.surroundings.command(program), program).in_dir(&self.path)
    }

    /// Returns an invocation, in this repository, of one of the project's binaries, of any package.
    pub fn binary(&self, name: &str) -> Invocation {
        self.program(binaries::binary(name).as_str())
    }

    /// Writes a file, and creates its parent directories.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.join(path);
        let folder = path.parent().expect("a file has a folder");
        std::fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Appends to a file, which need not exist yet.
    pub fn append(&self, path: &str, content: impl AsRef<[u8]>) {
        let mut whole = std::fs::read(self.join(path)).unwrap_or_default();
        whole.extend_from_slice(content.as_ref());
        self.write(path, whole);
    }

    /// Returns a file's content.
    pub fn read(&self, path: &str) -> String {
        let path = self.join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) {
        let path = self.join(path);
        std::fs::remove_file(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Renames a file, and creates the target's parent directories.
    pub fn rename(&self, from: &str, to: &str) {
        let target = self.join(to);
        std::fs::create_dir_all(target.parent().expect("a file has a folder")).expect("the target's folder");
        std::fs::rename(self.join(from), &target).unwrap_or_else(|error| panic!("{from} to {to}: {error}"));
    }

    /// Sets or clears a file's executable bit.
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

    /// Commits all changes with git, even if there are none, and returns the commit's id.
    pub fn commit_all(&self, message: &str) -> String {
        self.git(["add", "--all"]);
        self.git(["commit", "--quiet", "--no-verify", "--allow-empty", "--message", message]);
        self.head()
    }

    /// Pushes the branch with git to a branch of the same name.
    pub fn push(&self) {
        self.git(["push", "--quiet", "origin", "HEAD"]);
    }

    /// Pulls with git, as `git pull --rebase` does.
    pub fn pull(&self) {
        self.git(["pull", "--quiet", "--rebase"]);
    }

    /// Returns the id of the commit at `HEAD`.
    pub fn head(&self) -> String {
        self.rev("HEAD")
    }

    /// Returns the id that a revision names.
    pub fn rev(&self, revision: &str) -> String {
        self.git(["rev-parse", "--verify", revision])
    }

    /// Returns the id that a revision names, if it names one.
    pub fn try_rev(&self, revision: &str) -> Option<String> {
        let output = self.try_git(["rev-parse", "--verify", "--quiet", revision]);
        (output.code == 0).then(|| output.stdout.trim_end().to_owned())
    }

    /// Returns `git status --porcelain`, which lists each file of an untracked directory.
    pub fn status(&self) -> String {
        self.git(["status", "--porcelain", "--untracked-files=all"])
    }

    /// Returns the subjects of a revision's history, newest first.
    pub fn log(&self, revision: &str) -> Vec<String> {
        self.git(["log", "--format=%s", revision]).lines().map(str::to_owned).collect()
    }

    /// Returns the paths of the files in a revision's tree.
    pub fn files(&self, revision: &str) -> Vec<String> {
        let list = self.git(["ls-tree", "-r", "-z", "--name-only", revision]);
        list.split_terminator('\0').map(str::to_owned).collect()
    }
}
