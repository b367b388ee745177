//! Starts real servers on this machine that count connections: sshd, and nginx in front of git's http-backend.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};

use super::{fixture::Fixture, sandbox::Sandbox};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server for one remote.
pub trait Server {
    /// Returns the protocol's name.
    fn name(&self) -> &'static str;

    /// Makes this server the clone's remote.
    fn connect(&self, site: &Fixture<'_>) -> anyhow::Result<()>;

    /// Returns how many connections there have been.
    fn connections(&self) -> anyhow::Result<usize>;
}

/// Returns a program that the servers need and that is missing here.
pub fn missing() -> Option<&'static str> {
    ["sshd", "ssh-keygen", "nginx", "fcgiwrap"].into_iter().find(|name| find(name).is_err())
}

/// An ssh server that accepts one key.
#[derive(Debug)]
pub struct Sshd {
    _process: Process,
    folder: Utf8PathBuf,
    port: u16,
    user: String,
}

impl Sshd {
    /// Starts it.
    pub fn start(lab: &Sandbox) -> anyhow::Result<Self> {
        let folder = lab.root().join("sshd");
        make(&folder)?;
        for key in ["host", "user"] {
            run(lab.command("ssh-keygen", &folder).args(["-q", "-t", "ed25519", "-N", "", "-f", key]))?;
        }
        let user = run(lab.command("id", &folder).arg("-un"))?;
        if user == "root" {
            // Debian's sshd needs this directory for privilege separation; its service would have created it.
            std::fs::create_dir_all("/run/sshd").context("/run/sshd could not be made")?;
        }
        let port = free_port()?;
        let path = std::env::var("PATH").unwrap_or_default();
        let home = lab.home();
        write(
            &folder.join("config"),
            &format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n\
                 PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n\
                 KbdInteractiveAuthentication no\nAcceptEnv GIT_PROTOCOL\nMaxStartups 100\n\
                 SetEnv PATH={path} HOME={home} GIT_CONFIG_GLOBAL={home}/.gitconfig GIT_CONFIG_NOSYSTEM=1\n"
            ),
        )?;
        let host = std::fs::read_to_string(folder.join("host.pub")).context("a key was not made")?;
        write(&folder.join("known_hosts"), &format!("[127.0.0.1]:{port} {host}"))?;
        write(
            &folder.join("ssh"),
            &format!(
                "#!/bin/sh\necho >>'{folder}/connections'\n\
                 exec ssh -F none -i '{folder}/user' -o IdentitiesOnly=yes -o IdentityAgent=none \
                 -o UserKnownHostsFile='{folder}/known_hosts' -o GlobalKnownHostsFile=none \"$@\"\n"
            ),
        )?;
        write(&folder.join("connections"), "")?;
        // It must be started by its full path.
        let program = find("sshd")?;
        let mut command = lab.command(program, &folder);
        command.args(["-D", "-e", "-f", "config"]);
        let process = Process::start(&mut command, &folder.join("log"))?;
        wait_for(port, &folder.join("log"))?;
        Ok(Self { _process: process, folder, port, user })
    }
}

impl Server for Sshd {
    fn name(&self) -> &'static str {
        "ssh"
    }

    fn connect(&self, site: &Fixture<'_>) -> anyhow::Result<()> {
        let url = format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, site.remote);
        site.git(&["remote", "set-url", "origin", &url])?;
        site.git(&["config", "core.sshCommand", &format!("sh '{}/ssh'", self.folder)])?;
        // Otherwise each side would run the command once more per connection, to find out which ssh it is.
        site.git(&["config", "ssh.variant", "ssh"])?;
        Ok(())
    }

    fn connections(&self) -> anyhow::Result<usize> {
        let log = std::fs::read_to_string(self.folder.join("connections"));
        Ok(log.context("the connections were not counted")?.lines().count())
    }
}

/// A web server that serves everything in the lab.
#[derive(Debug)]
pub struct Web {
    _nginx: Process,
    _fcgiwrap: Process,
    folder: Utf8PathBuf,
    root: Utf8PathBuf,
    port: u16,
}

impl Web {
    /// Starts it.
    pub fn start(lab: &Sandbox) -> anyhow::Result<Self> {
        let folder = lab.root().join("web");
        make(&folder)?;
        let port = free_port()?;
        let exec_path = lab.git(&folder, &["--exec-path"])?;
        let user = if run(lab.command("id", &folder).arg("-un"))? == "root" { "user root;" } else { "" };
        let (root, home) = (lab.root(), lab.home());
        write(
            &folder.join("nginx.conf"),
            &format!(
                "{user} worker_processes 1; pid {folder}/pid; events {{ worker_connections 256; }}
                 http {{
                   log_format seen '$connection';
                   client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxied;
                   fastcgi_temp_path {folder}/answers; uwsgi_temp_path {folder}/unused;
                   scgi_temp_path {folder}/unused2; client_max_body_size 0;
                   server {{
                     listen 127.0.0.1:{port};
                     access_log {folder}/connections seen;
                     location / {{
                       fastcgi_pass unix:{folder}/socket;
                       include /etc/nginx/fastcgi_params;
                       fastcgi_param SCRIPT_FILENAME {exec_path}/git-http-backend;
                       fastcgi_param GIT_PROJECT_ROOT {root};
                       fastcgi_param GIT_HTTP_EXPORT_ALL 1;
                       fastcgi_param GIT_CONFIG_GLOBAL {home}/.gitconfig;
                       fastcgi_param GIT_CONFIG_NOSYSTEM 1;
                       fastcgi_param GIT_PROTOCOL $http_git_protocol;
                       fastcgi_param PATH_INFO $uri;
                     }}
                   }}
                 }}"
            ),
        )?;
        let mut command = lab.command(find("fcgiwrap")?, &folder);
        command.args(["-c", "4", "-s", &format!("unix:{folder}/socket")]);
        let fcgiwrap = Process::start(&mut command, &folder.join("fcgiwrap.log"))?;
        let log = folder.join("nginx.log");
        let mut command = lab.command(find("nginx")?, &folder);
        command.args(["-p", folder.as_str(), "-c", "nginx.conf", "-e", log.as_str(), "-g", "daemon off;"]);
        let nginx = Process::start(&mut command, &log)?;
        wait_for(port, &log)?;
        Ok(Self { _nginx: nginx, _fcgiwrap: fcgiwrap, folder, root: root.to_owned(), port })
    }
}

impl Server for Web {
    fn name(&self) -> &'static str {
        "http"
    }

    fn connect(&self, site: &Fixture<'_>) -> anyhow::Result<()> {
        let path = site.remote.strip_prefix(&self.root).context("the remote is not in the lab")?;
        let url = format!("http://127.0.0.1:{}/{path}", self.port);
        // By default, git's http-backend lets unauthenticated users only read.
        site.lab.git(&site.remote, &["config", "http.receivepack", "true"])?;
        site.git(&["remote", "set-url", "origin", &url])?;
        Ok(())
    }

    fn connections(&self) -> anyhow::Result<usize> {
        let log = std::fs::read_to_string(self.folder.join("connections"));
        let log = log.context("the connections were not counted")?;
        // A connection may carry several requests, each of which is a line with the connection's number.
        Ok(log.lines().collect::<std::collections::BTreeSet<_>>().len())
    }
}

/// A process that is ended when this is dropped.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn start(command: &mut Command, log: &Utf8Path) -> anyhow::Result<Self> {
        let log = std::fs::File::create(log).with_context(|| format!("{log} could not be made"))?;
        let errors = log.try_clone().context("a log could not be shared")?;
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        Ok(Self(child.with_context(|| format!("{name} could not be started"))?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // nginx ends its workers only if it is asked to end, not if it is killed.
        let id = self.0.id().to_string();
        let asked = phase::programs::program("kill").arg(id).status().is_ok_and(|status| status.success());
        let end = Instant::now() + Duration::from_secs(2);
        while asked && Instant::now() < end {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // It fails if the process has ended by now, which is what was wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(port: u16, log: &Utf8Path) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > end {
            bail!("no server came up: {}", std::fs::read_to_string(log).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("there is no free port")?;
    Ok(listener.local_addr()?.port())
}

/// Returns the full path of a server's program, which is often not on a user's `PATH`.
fn find(name: &str) -> anyhow::Result<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut programs = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name));
    programs.find(|program| program.is_file()).with_context(|| format!("{name} is not installed"))
}

fn run(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn make(folder: &Utf8Path) -> anyhow::Result<()> {
    std::fs::create_dir(folder).with_context(|| format!("{folder} could not be made"))
}

fn write(path: &Utf8Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("{path} could not be written"))
}
