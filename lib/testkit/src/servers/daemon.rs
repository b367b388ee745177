//! Starts `git daemon`: git's protocol without authentication or encryption.

use super::process::{self, Server};
use crate::{Repo, World};

/// A daemon that serves every repository of a world, for fetching and for pushing.
#[derive(Debug)]
pub struct Daemon {
    _server: Server,
    port: u16,
    base: camino::Utf8PathBuf,
}

impl Daemon {
    /// Starts a daemon for the repositories of `world`.
    pub fn start(world: &World) -> Self {
        Self::start_with(world, &[])
    }

    /// Starts a daemon that says why it refuses a request, which `git daemon` does only if told to.
    pub fn start_explaining(world: &World) -> Self {
        Self::start_with(world, &["--informative-errors"])
    }

    fn start_with(world: &World, options: &[&str]) -> Self {
        let port = process::free_port();
        let base = world.path().to_owned();
        let log = base.join("daemon.log");
        let mut command = process::command("git");
        command
            .args(["daemon", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1", "--reuseaddr"])
            .args([format!("--port={port}"), format!("--base-path={base}")])
            .args(options)
            .env("GIT_CONFIG_GLOBAL", world.git_config())
            .env("GIT_CONFIG_NOSYSTEM", "1");
        let server = Server::start(command, log.as_std_path());
        process::wait_for(port, log.as_std_path());
        Self { _server: server, port, base }
    }

    /// Returns its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the URL of `repo`.
    pub fn url(&self, repo: &Repo) -> String {
        let below = repo.path().strip_prefix(&self.base).expect("a repository of the world");
        format!("git://127.0.0.1:{}/{below}", self.port)
    }
}
