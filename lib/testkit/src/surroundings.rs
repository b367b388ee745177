//! Defines the environment of a world's programs, and a clock that only git's fixtures follow.
//!
//! Git's commits get fixed dates, so that their ids are the same in every run of a test. The project's own binaries
//! follow the machine's clock, as they do for users: leases and waiting are about real time.

use std::{
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use camino::Utf8PathBuf;

/// 2026-06-05, noon, seven hours behind UTC.
const BEGINNING: u64 = 1_780_686_000;

/// How many seconds the clock advances with each call of git.
const TICK: u64 = 60;

/// The environment that all programs of a world share.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) root: Utf8PathBuf,
    now: AtomicU64,
}

impl Surroundings {
    pub(crate) fn new(root: Utf8PathBuf) -> Self {
        Self { root, now: AtomicU64::new(BEGINNING) }
    }

    pub(crate) fn home(&self) -> Utf8PathBuf {
        self.root.join("home")
    }

    pub(crate) fn temporary(&self) -> Utf8PathBuf {
        self.root.join("tmp")
    }

    pub(crate) fn git_config(&self) -> Utf8PathBuf {
        self.home().join(".gitconfig")
    }

    /// Returns a command with a cleared environment, except for `PATH` and a few variables that do not affect git.
    #[allow(clippy::disallowed_methods, reason = "tests start programs: git as judge, and the project's own")]
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        // Coverage, sanitizers and the Windows loader need these; git has no variables with these names.
        for name in ["PATH", "SystemRoot", "LLVM_PROFILE_FILE", "ASAN_OPTIONS"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let home = self.home();
        command
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("XDG_CACHE_HOME", home.join(".cache"))
            .env("XDG_DATA_HOME", home.join(".local/share"))
            .env("XDG_STATE_HOME", home.join(".local/state"))
            .env("TMPDIR", self.temporary())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.git_config())
            .env("GIT_CEILING_DIRECTORIES", &self.root)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "MST7")
            .current_dir(&self.root);
        command
    }

    /// Returns a git command, dated a minute later than the last one.
    pub(crate) fn git(&self) -> Command {
        let date = format!("@{} -0700", self.now.fetch_add(TICK, Ordering::Relaxed));
        let mut command = self.command("git");
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date).env("GIT_EDITOR", "true");
        command
    }
}
