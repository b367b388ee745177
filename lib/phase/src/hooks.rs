//! Runs the hooks that git would run, the way git runs them: in the working tree, or in the git directory of a bare
//! repository, with the same arguments and stdin.
//!
//! A hook is the user's last line of defence (a secret scanner, a linter) and sometimes part of storage (git-lfs
//! uploads in `pre-push`). A sync that bypassed them would defeat their purpose. See
//! <https://git-scm.com/docs/githooks>.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use gix::{ObjectId, refs::FullNameRef};
use signals::Program;

use crate::{Fault, Guard, Progress, child, programs};

/// The hooks of a repository.
pub struct Hooks<'a> {
    directory: PathBuf,
    root: PathBuf,
    guard: &'a dyn Guard,
    progress: &'a Progress,
}

/// How a hook is to be called.
#[derive(Debug, Default)]
pub struct Call {
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What it reads on stdin.
    pub stdin: Vec<u8>,
    /// The index that it uses, if not the repository's.
    pub index: Option<PathBuf>,
    /// Additional environment variables.
    pub env: Vec<(&'static str, OsString)>,
}

impl Call {
    /// Returns a call with these arguments.
    pub fn with<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Self {
        Self { args: args.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// A ref that is about to be pushed.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingRef<'a> {
    /// The local ref.
    pub here: &'a FullNameRef,
    /// The object that it points to.
    pub id: ObjectId,
    /// The ref at the remote.
    pub at_remote: &'a FullNameRef,
    /// The object that the remote's ref is expected to point to; `None` if it is not expected to exist.
    pub expected: Option<ObjectId>,
}

/// The result of running a hook.
#[derive(Debug, PartialEq, Eq)]
pub enum Ran {
    /// There is no such hook.
    Absent,
    /// It succeeded.
    Well,
    /// It failed, with this output.
    Badly(String),
}

impl<'a> Hooks<'a> {
    /// Returns the hooks of a repository: those in `core.hooksPath`, or in the hooks directory that all its worktrees
    /// share.
    ///
    /// # Errors
    /// `core.hooksPath` is not a valid path.
    pub fn of(repo: &gix::Repository, guard: &'a dyn Guard, progress: &'a Progress) -> anyhow::Result<Self> {
        let root = std::path::absolute(repo.workdir().unwrap_or(repo.git_dir()))?;
        let configured = repo.config_snapshot().trusted_path("core.hooksPath").context("core.hooksPath")?;
        let directory = match configured {
            Some(path) => root.join(path),
            None => std::path::absolute(repo.common_dir())?.join("hooks"),
        };
        Ok(Self { directory, root, guard, progress })
    }

    /// Whether there is a hook called `name`.
    pub fn has(&self, name: &str) -> bool {
        is_executable(&self.directory.join(name))
    }

    /// Runs a hook whose failure stops the operation.
    ///
    /// # Errors
    /// A fault with exit 1 if the hook fails, with its output; or it cannot be started.
    pub fn ask(&self, name: &str, call: Call) -> anyhow::Result<()> {
        match self.run(name, call)? {
            Ran::Absent | Ran::Well => Ok(()),
            Ran::Badly(words) => {
                let words = if words.is_empty() { String::new() } else { format!(": {words}") };
                Err(Fault::failed(format!("the {name} hook said no{words}"))
                    .help(format!(
                        "see to what it complains about; it is {}",
                        self.directory.join(name).display()
                    ))
                    .into())
            }
        }
    }

    /// Runs a hook whose result is ignored, as in git.
    ///
    /// # Errors
    /// The lock is lost.
    pub fn tell(&self, name: &str, call: Call) -> anyhow::Result<()> {
        self.guard.check()?;
        // The hook cannot stop what has happened already, and neither can a failure to start it.
        let _ = self.run(name, call);
        Ok(())
    }

    /// Runs the `pre-push` hook for a push of `refs` to the remote `name` at `url`.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn ask_before_push(&self, name: &str, url: &str, refs: &[OutgoingRef<'_>]) -> anyhow::Result<()> {
        let line = |going: &OutgoingRef<'_>| {
            let OutgoingRef { here, id, at_remote, expected } = going;
            let expected = expected.unwrap_or_else(|| id.kind().null());
            format!("{} {id} {} {expected}\n", here.as_bstr(), at_remote.as_bstr())
        };
        let stdin = refs.iter().map(line).collect::<String>().into_bytes();
        self.ask("pre-push", Call { stdin, ..Call::with([name, url]) })
    }

    fn run(&self, name: &str, call: Call) -> anyhow::Result<Ran> {
        let path = self.directory.join(name);
        if !is_executable(&path) {
            return Ok(Ran::Absent);
        }
        self.guard.check()?;
        // The hook may interact with the user.
        let _held = self.progress.held(&format!("the {name} hook is at work"));
        let (output, writer) = io::pipe()?;
        let child = self
            .start(&path, &call, &writer)
            .with_context(|| format!("the {name} hook, {}, cannot be started", path.display()))?;
        drop(writer);
        let ended = child::wait(child, call.stdin, output, &|| self.guard.alive())
            .with_context(|| format!("the {name} hook"))?;
        Ok(if ended.status.success() { Ran::Well } else { Ran::Badly(ended.said) })
    }

    fn start(&self, path: &Path, call: &Call, output: &io::PipeWriter) -> io::Result<Program> {
        let spawn = |mut command: Command| {
            command.args(&call.args).current_dir(&self.root);
            command.env("GIT_EDITOR", ":").env("GIT_PREFIX", "");
            if let Some(token) = self.guard.token() {
                command.env("LOCKSTEP_TOKEN", token);
            }
            if let Some(index) = &call.index {
                command.env("GIT_INDEX_FILE", index);
            }
            command.envs(call.env.iter().map(|(name, value)| (name, value)));
            command.stdin(if call.stdin.is_empty() { Stdio::null() } else { Stdio::piped() });
            // Stdout belongs to the run document.
            command.stdout(output.try_clone()?).stderr(output.try_clone()?);
            Program::start(&mut command)
        };
        if cfg!(windows) {
            let mut command = programs::program("sh.exe");
            command.arg(path);
            return spawn(command);
        }
        match spawn(programs::program(path)) {
            // There is no `#!` line: like git, leave it to the shell.
            Err(error) if error.raw_os_error() == Some(NOT_A_PROGRAM) => {
                let mut command = programs::program("sh");
                command.arg(path);
                spawn(command)
            }
            result => result,
        }
    }
}

/// `ENOEXEC`: the file is executable, but neither a binary nor a script with a `#!` line.
const NOT_A_PROGRAM: i32 = 8;

/// Whether the hook is executable. Git ignores a hook that is not: it is a sample, or was disabled that way.
#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
