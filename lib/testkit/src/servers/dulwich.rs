//! Starts a server that is not git's: dulwich, an implementation of git in Python.
//!
//! Code that works with git's own servers may depend on their habits. This one advertises other capabilities, in
//! another order, does not speak version 2, and writes its status reports differently.

use camino::Utf8PathBuf;

use super::process::{self, Server};
use crate::{Repo, World};

/// A server of every repository of a world, over HTTP and over git's own protocol.
#[derive(Debug)]
pub struct Dulwich {
    _server: Server,
    base: Utf8PathBuf,
    tcp: u16,
    http: u16,
}

impl Dulwich {
    /// Starts a server for the repositories of `world`.
    pub fn start(world: &World) -> Self {
        let (tcp, http) = (process::free_port(), process::free_port());
        let base = world.path().to_owned();
        let script = base.join("dulwich-server.py");
        std::fs::write(&script, include_str!("dulwich.py")).expect("the server's script");
        let log = base.join("dulwich.log");
        let mut command = process::command("python3");
        command.args([script.as_str(), base.as_str(), &tcp.to_string(), &http.to_string()]);
        if let Some(folder) = packages() {
            command.env("PYTHONPATH", folder);
        }
        let server = Server::start(command, log.as_std_path());
        for port in [tcp, http] {
            process::wait_for(port, log.as_std_path());
        }
        Self { _server: server, base, tcp, http }
    }

    /// Returns the URL of `repo` over git's own protocol.
    pub fn git_url(&self, repo: &Repo) -> String {
        format!("git://127.0.0.1:{}/{}", self.tcp, self.below(repo))
    }

    /// Returns the URL of `repo` over HTTP.
    pub fn http_url(&self, repo: &Repo) -> String {
        format!("http://127.0.0.1:{}/{}", self.http, self.below(repo))
    }

    fn below(&self, repo: &Repo) -> String {
        repo.path().strip_prefix(&self.base).expect("a repository of the world").to_string()
    }
}

/// Returns where `pip install --target target/python dulwich` puts it, relative to the test binary; without such a
/// directory, Python may still find it in its own path.
fn packages() -> Option<std::path::PathBuf> {
    let test = std::env::current_exe().ok()?;
    test.ancestors().skip(1).take(4).map(|folder| folder.join("python")).find(|folder| folder.is_dir())
}
