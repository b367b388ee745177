//! Starts Debian's sshd with its own keys.

use camino::Utf8PathBuf;

use super::process::{self, Server};
use crate::{Repo, World};

/// An ssh server that accepts the tests' user with one key.
#[derive(Debug)]
pub struct Sshd {
    _server: Server,
    folder: Utf8PathBuf,
    port: u16,
    user: String,
}

impl Sshd {
    /// Starts a server in `world`.
    pub fn start(world: &World) -> Self {
        let sshd = process::program("sshd", "openssh-server");
        let folder = world.path().join("sshd");
        std::fs::create_dir(&folder).expect("the server's folder");
        for key in ["host", "user", "stranger"] {
            let mut keygen = process::command("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", folder.join(key).as_str()]);
            process::run(keygen);
        }
        if process::is_root() {
            std::fs::create_dir_all("/run/sshd").expect("the folder that sshd locks itself into");
        }
        let port = process::free_port();
        let path = std::env::var("PATH").unwrap_or_default();
        // With the world's home directory, the login shell does not read the tester's start-up files.
        let home = world.home();
        let config = folder.join("sshd_config");
        let text = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n\
             PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nAcceptEnv GIT_PROTOCOL\n\
             SetEnv PATH={path} HOME={home} GIT_CONFIG_GLOBAL={} GIT_CONFIG_NOSYSTEM=1\n",
            world.git_config()
        );
        std::fs::write(&config, text).expect("the server's configuration");
        let known = format!(
            "[127.0.0.1]:{port} {}",
            std::fs::read_to_string(folder.join("host.pub")).expect("a key")
        );
        std::fs::write(folder.join("known_hosts"), known).expect("the known hosts");
        std::fs::write(folder.join("nobody_known"), "").expect("an empty list");
        let log = folder.join("log");
        let mut command = process::command(sshd);
        command.args(["-D", "-e", "-f", config.as_str()]);
        let server = Server::start(command, log.as_std_path());
        process::wait_for(port, log.as_std_path());
        let mut name = process::command("id");
        name.arg("-un");
        Self { _server: server, folder, port, user: process::run(name) }
    }

    /// Returns the URL of `repo` on this server.
    pub fn url(&self, repo: &Repo) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, repo.path())
    }

    /// Returns a value for `core.sshCommand` that this server accepts.
    pub fn command(&self) -> String {
        self.command_with("user", "known_hosts")
    }

    /// Returns one with a key that the server does not know.
    pub fn command_of_a_stranger(&self) -> String {
        self.command_with("stranger", "known_hosts")
    }

    /// Returns one that does not know the server's host key.
    pub fn command_to_a_stranger(&self) -> String {
        self.command_with("user", "nobody_known")
    }

    fn command_with(&self, key: &str, known: &str) -> String {
        let folder = &self.folder;
        format!(
            "ssh -F none -i '{folder}/{key}' -o IdentitiesOnly=yes -o IdentityAgent=none \
             -o UserKnownHostsFile='{folder}/{known}' -o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes"
        )
    }
}
