//! Runs server processes, and finds ports for them.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A server that is ended when this is dropped.
#[derive(Debug)]
pub(super) struct Server(Child);

impl Server {
    /// Starts a program that stays in the foreground.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let log = std::fs::File::create(log).expect("a server's log");
        let errors = log.try_clone().expect("a server's log");
        let program = command.get_program().to_owned();
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        Self(child.unwrap_or_else(|error| panic!("cannot start {}: {error}", program.to_string_lossy())))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx's master ends its workers only if it is asked to end, not if it is killed.
        let _ = command("kill").arg(self.0.id().to_string()).status();
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end {
            if matches!(self.0.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns a port that is currently unused.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its number").port()
}

/// Waits until a server accepts connections at `port`; the contents of `log` are part of the panic message if none
/// does.
pub(super) fn wait_for(port: u16, log: &Path) {
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let said = || std::fs::read_to_string(log).unwrap_or_default();
        assert!(Instant::now() < end, "no server came up at port {port}:\n{}", said());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Returns the full path of a server's program; `package` is the Debian package that contains it.
pub(super) fn program(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers are often not on a user's `PATH`.
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from));
    folders
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("{name} is needed for this test: apt-get install {package}"))
}

/// Returns a command for a server or its set-up.
#[allow(clippy::disallowed_methods, reason = "tests start servers")]
pub(super) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// Runs a command of a server's set-up, which must succeed.
pub(super) fn run(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Whether the tests run as root, which some servers need to be told.
pub(super) fn is_root() -> bool {
    let mut id = command("id");
    id.arg("-u");
    run(id) == "0"
}
