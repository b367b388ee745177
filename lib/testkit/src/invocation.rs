//! Runs a program with given arguments, environment and stdin.

use std::{
    ffi::OsStr,
    io::Write as _,
    process::{Child, Command, Stdio},
};

use camino::Utf8Path;

use crate::{Output, Recorder};

/// A program to be run in a world. By default its stdin is `/dev/null`.
#[derive(Debug)]
#[must_use = "it runs with `output` or `spawn`"]
pub struct Invocation {
    pub(crate) command: Command,
    pub(crate) name: String,
    stdin: Stdin,
}

#[derive(Debug)]
enum Stdin {
    Null,
    /// A pipe with this text; an empty one is like the pipe of a phase that died.
    Pipe(Vec<u8>),
    Closed,
}

impl Invocation {
    pub(crate) fn new(command: Command, program: &str) -> Self {
        let name = Utf8Path::new(program).file_stem().unwrap_or(program).to_owned();
        Self { command, name, stdin: Stdin::Null }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Removes a variable from its environment.
    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Sets its current directory.
    pub fn in_dir(mut self, directory: impl AsRef<std::path::Path>) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Passes a text to its stdin through a pipe. An empty text is what a dead predecessor leaves.
    pub fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = Stdin::Pipe(text.as_ref().to_vec());
        self
    }

    /// Starts it from a shell that closes its stdin, as some daemons do.
    #[cfg(unix)]
    pub fn with_closed_stdin(mut self) -> Self {
        self.stdin = Stdin::Closed;
        self
    }

    /// Puts the recorder's programs first on its `PATH`.
    pub fn recorded_by(self, recorder: &Recorder) -> Self {
        self.env("PATH", recorder.path_variable())
    }

    /// Runs it to its end.
    pub fn output(self) -> Output {
        self.spawn().wait()
    }

    /// Runs it to its end and panics unless it succeeds.
    pub fn success(self) -> Output {
        let output = self.output();
        output.assert_success();
        output
    }

    /// Starts it; its stdout and stderr are collected by [`Running::wait`].
    pub fn spawn(self) -> Running {
        let Self { command, name, stdin } = self;
        let (mut command, text) = match stdin {
            Stdin::Null => (with(command, Stdio::null()), None),
            Stdin::Pipe(text) => (with(command, Stdio::piped()), Some(text)),
            Stdin::Closed => (with(closing_stdin(command), Stdio::null()), None),
        };
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{name} could not be started: {error}"));
        if let (Some(text), Some(mut pipe)) = (text, child.stdin.take()) {
            // The program may exit without having read everything.
            std::thread::spawn(move || pipe.write_all(&text));
        }
        Running { child, name }
    }
}

fn with(mut command: Command, stdin: Stdio) -> Command {
    command.stdin(stdin);
    command
}

/// Runs the program by a shell that closes stdin, since std always opens one.
#[allow(clippy::disallowed_methods, reason = "tests start programs")]
fn closing_stdin(inner: Command) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$@\" <&-", "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = inner.get_current_dir() {
        command.current_dir(directory);
    }
    command
}

/// A program that was started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    name: String,
}

impl Running {
    /// Returns its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is still running.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("the state of a child is known").is_none()
    }

    /// Sends it a signal by name, such as `TERM`.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        send(name, &self.child.id().to_string());
    }

    /// Kills it as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
    }

    /// Waits for its end.
    pub fn wait(self) -> Output {
        let output = self.child.wait_with_output().expect("a child can be waited for");
        Output::new(self.name, output)
    }
}

/// Sends a signal to a process, or to a process group if `to` begins with `-`.
#[cfg(unix)]
#[allow(clippy::disallowed_methods, reason = "tests start programs")]
fn send(signal: &str, to: &str) {
    let sent = Command::new("kill").args(["-s", signal, "--", to]).status().expect("kill is there");
    assert!(sent.success(), "signal {signal} could not be sent to {to}");
}
