//! Processes that feed each other through pipes, from the first start to the last end.

use std::{
    ffi::OsString,
    io::Read as _,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    time::Duration,
};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use contract::Envelope;

use super::{
    ended::{End, Ended, Signal, StepEnd},
    relay::Relay,
    signals::{Force, Group, Watch},
};

/// How long steps that were asked to end may take before they are made to.
const GRACE: Duration = Duration::from_secs(10);

/// One process of the pipeline.
#[derive(Debug)]
pub struct Step {
    /// The binary's name.
    pub name: &'static str,
    /// The binary.
    pub program: Utf8PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// What differs from the environment of this process.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// Variables that are set.
    pub set: Vec<(&'static str, OsString)>,
    /// Whether variables whose names begin with `GIT_` are taken away.
    pub without_git: bool,
}

impl Surroundings {
    /// Puts a program into these surroundings.
    pub fn apply(&self, command: &mut Command) {
        if self.without_git {
            for (name, _) in std::env::vars_os() {
                if name.to_string_lossy().starts_with("GIT_") {
                    command.env_remove(&name);
                }
            }
        }
        for (name, value) in &self.set {
            command.env(name, value);
        }
    }
}

/// Runs the pipeline to its end. The first step takes the lock and the last one gives it back; should the last one not get
/// there, the lock is given back all the same.
pub fn run(steps: &[Step], surroundings: &Surroundings) -> anyhow::Result<Ended> {
    let (events, happened) = channel();
    let watch = Watch::start(events.clone()).context("signals cannot be caught")?;
    let mut team = Team::start(steps, surroundings, events)?;

    let mut signal = None;
    let mut force = Force::Ask;
    let output = loop {
        let event = match signal {
            None => happened.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => happened.recv_timeout(GRACE),
        };
        match event {
            Ok(Event::LastWords(output)) => break output,
            Ok(Event::Signal(new)) => {
                team.end(force);
                signal.get_or_insert(new);
                force = Force::Make;
            }
            Err(RecvTimeoutError::Timeout) => team.end(Force::Make),
            // Whoever reads the last step's words always sends them.
            Err(RecvTimeoutError::Disconnected) => break String::new(),
        }
    };
    let (ends, acquired) = team.wait()?;
    let envelope = Envelope::parse(output.trim_end()).ok();
    if !envelope.as_ref().is_some_and(is_released)
        && let (Some(release), Ok(acquired)) = (steps.last(), Envelope::parse(acquired.trim_end()))
        && holds_the_lock(&acquired)
    {
        give_back(release, surroundings, &acquired)?;
    }
    drop(watch);
    Ok(Ended { envelope, steps: ends, signal })
}

/// What a run waits for.
enum Event {
    /// The last step has closed its stdout, which said this.
    LastWords(String),
    /// Somebody wants the run to end.
    Signal(Signal),
}

impl From<Signal> for Event {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

/// The steps that were started.
struct Team {
    names: Vec<&'static str>,
    children: Vec<Child>,
    group: Group,
    relay: Relay,
}

impl Team {
    fn start(steps: &[Step], surroundings: &Surroundings, events: Sender<Event>) -> anyhow::Result<Self> {
        let mut group = Group::choose();
        let mut children: Vec<Child> = Vec::new();
        let mut relay = None;
        let mut next = Stdio::null();
        for (index, step) in steps.iter().enumerate() {
            let mut command = step.command(surroundings);
            group.admit(&mut command);
            let stdin = std::mem::replace(&mut next, Stdio::null());
            let started = command.stdin(if index == 1 { Stdio::piped() } else { stdin }).spawn();
            let child = match started {
                Ok(child) => child,
                Err(error) => {
                    group.end(&mut children, Force::Make);
                    return Err(error).with_context(|| format!("{} could not be started", step.program));
                }
            };
            group.joined(&child);
            children.push(child);
            match (index, children.as_mut_slice()) {
                (0, _) => {}
                (1, [first, second]) => {
                    relay =
                        first.stdout.take().zip(second.stdin.take()).map(|(from, to)| Relay::start(from, to));
                    next = stdout(second);
                }
                (_, [.., last]) if index + 1 < steps.len() => next = stdout(last),
                _ => {}
            }
        }
        let last =
            children.last_mut().and_then(|last| last.stdout.take()).context("a pipeline has a last step")?;
        let relay = relay.context("a pipeline has a second step")?;
        std::thread::spawn(move || events.send(Event::LastWords(all_of(last))));
        Ok(Self { names: steps.iter().map(|step| step.name).collect(), children, group, relay })
    }

    fn end(&mut self, force: Force) {
        self.group.end(&mut self.children, force);
    }

    /// How each step ended, and the document that the first one wrote.
    fn wait(mut self) -> anyhow::Result<(Vec<StepEnd>, String)> {
        let mut ends = Vec::new();
        for (name, child) in self.names.iter().zip(&mut self.children) {
            let status = child.wait().with_context(|| format!("{name} cannot be waited for"))?;
            ends.push(StepEnd { name, end: end_of(status) });
        }
        Ok((ends, self.relay.document()))
    }
}

impl Step {
    fn command(&self, surroundings: &Surroundings) -> Command {
        let mut command = phase::programs::program(&self.program);
        command.args(&self.args).stdout(Stdio::piped());
        surroundings.apply(&mut command);
        command
    }
}

fn stdout(child: &mut Child) -> Stdio {
    child.stdout.take().map_or_else(Stdio::null, Stdio::from)
}

fn all_of(mut stream: ChildStdout) -> String {
    let mut bytes = Vec::new();
    // What cannot be read is no document, and is told as such.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_released(envelope: &Envelope) -> bool {
    envelope.document().phases.lock.as_ref().is_some_and(|lock| lock.released || lock.token.is_empty())
}

fn holds_the_lock(envelope: &Envelope) -> bool {
    envelope.document().phases.lock.as_ref().is_some_and(|lock| !lock.released && !lock.token.is_empty())
}

/// Runs the last step once more, out of reach of a second Ctrl-C, on the document that the first step wrote.
fn give_back(release: &Step, surroundings: &Surroundings, acquired: &Envelope) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut command = release.command(surroundings);
    apart(&mut command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("{} could not be started", release.program))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(acquired.to_line().as_bytes()).context("the lock could not be given back")?;
    }
    child.wait().context("the lock could not be given back").map(|_| ())
}

#[cfg(unix)]
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn apart(_: &mut Command) {}

#[cfg(unix)]
fn end_of(status: ExitStatus) -> End {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (_, Some(signal)) => End::Killed(signal),
        (code, None) => End::Exited(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
    }
}

#[cfg(not(unix))]
fn end_of(status: ExitStatus) -> End {
    End::Exited(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
