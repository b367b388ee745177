//! Processes that feed each other through pipes, from the first start to the last end.
//!
//! Two of the pipes are read by the run as the document passes. That of `lock acquire` says which lock is held: should
//! the rest of the pipeline die, it is what the lock can be given back with. That of `notesurface` holds the messages.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{self, PipeReader, PipeWriter, Read as _, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    time::Duration,
};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use contract::Envelope;

use super::{
    ended::{End, Ended, Signal, StepEnd},
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
        if !self.without_git {
            // Each step sees for itself that they mean the repository that it works in.
            command.envs(phase::taken_from_environment());
        } else {
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

/// What a run consists of.
#[derive(Debug)]
pub struct Plan {
    /// The steps: the first one takes the lock, the last one gives it back.
    pub steps: Vec<Step>,
    /// Whose business it is to show the messages from other people.
    pub messages: Messages,
    /// Where the steps' own reports go.
    pub reports: Reports,
}

/// Where the steps' own reports go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    /// To the run's stderr.
    OnStderr,
    /// To the run's stdout.
    OnStdout,
}

/// Whose business it is to show the messages from other people.
#[derive(Debug)]
pub enum Messages {
    /// That of a later run, or nobody's.
    NotShown,
    /// Whoever reads the document; once that is written, this step notes that they were shown.
    WrittenThen(Step),
    /// The run's own, as soon as they are known; then this step notes that they were shown.
    ShownThen(Step),
}

/// The step whose document holds the messages from other people.
const MESSAGES: &str = "notesurface";
/// The step that has most to do while it waits for the others.
const LONGEST: &str = "gitsync";

/// Runs the pipeline to its end. Should the last step not get to give the lock back, it is given back all the same.
///
/// Messages are shown with `show` as soon as they are known, while the lock is held, and only then count as shown: a
/// run that dies before leaves them to the next one. `show` says whether there was anything to be noted.
pub fn run(
    plan: &Plan,
    surroundings: &Surroundings,
    show: &mut dyn FnMut(&Envelope) -> anyhow::Result<bool>,
) -> anyhow::Result<Ended> {
    let (events, happened) = channel();
    let watch = Watch::start(events.clone()).context("signals cannot be caught")?;
    let team = Team::start(plan, surroundings, &events)?;
    let mut course =
        Course { plan, surroundings, show, team, acquired: None, trouble: None, signal: None, output: None };
    while !course.is_over() {
        let event = match course.signal {
            None => happened.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => happened.recv_timeout(GRACE),
        };
        match event {
            Ok(event) => course.happened(event),
            Err(RecvTimeoutError::Timeout) => course.team.end(Force::Make),
            // Whoever reads a pipe always sends what it held.
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let ended = course.finish();
    drop(watch);
    ended
}

/// Notes that the messages in a document were shown, now that it is written. What the last step wrote before may never have
/// come out: this process may have been killed meanwhile, or its stdout have no room.
///
/// # Errors
/// The step that notes so cannot be started.
pub fn written(plan: &Plan, surroundings: &Surroundings, envelope: &Envelope) -> anyhow::Result<()> {
    match &plan.messages {
        Messages::WrittenThen(next) => feed(next, surroundings, envelope).context(SHOWN_AGAIN),
        Messages::NotShown | Messages::ShownThen(_) => Ok(()),
    }
}

/// What it means that this could not be noted.
const SHOWN_AGAIN: &str = "messages were shown, and may be again";

/// A pipeline on its way.
struct Course<'a> {
    plan: &'a Plan,
    surroundings: &'a Surroundings,
    show: &'a mut dyn FnMut(&Envelope) -> anyhow::Result<bool>,
    team: Team,
    /// The document of the first step.
    acquired: Option<Envelope>,
    /// What went wrong with showing messages.
    trouble: Option<anyhow::Error>,
    signal: Option<Signal>,
    /// What the last step wrote.
    output: Option<String>,
}

impl Course<'_> {
    /// A step that dies early lets the last one speak before the first: all are waited for.
    fn is_over(&self) -> bool {
        self.output.is_some() && self.team.passing == 0
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::LastWords(words) => self.output = Some(words),
            Event::Acquired(document) => {
                self.team.passing -= 1;
                self.acquired = Envelope::parse(document.trim_end()).ok();
            }
            Event::Messages { document, to } => {
                self.team.passing -= 1;
                if let Ok(envelope) = Envelope::parse(document.trim_end()) {
                    // Whatever goes wrong with them, the run goes on, and gives its lock back.
                    self.trouble = self.show(&envelope).err();
                }
                pass_on(&document, to);
            }
            Event::Signal(signal) => {
                self.team.end(if self.signal.is_none() { Force::Ask } else { Force::Make });
                self.signal.get_or_insert(signal);
            }
        }
    }

    fn show(&mut self, envelope: &Envelope) -> anyhow::Result<()> {
        match (&self.plan.messages, (self.show)(envelope)?) {
            (Messages::ShownThen(next), true) => feed(next, self.surroundings, envelope).context(SHOWN_AGAIN),
            _ => Ok(()),
        }
    }

    /// Waits for the steps, and gives the lock back where they did not.
    fn finish(self) -> anyhow::Result<Ended> {
        let steps = self.team.wait()?;
        let envelope = self.output.and_then(|output| Envelope::parse(output.trim_end()).ok());
        if let (Some(release), Some(acquired)) =
            (self.plan.steps.last(), self.acquired.filter(holds_the_lock))
            && !envelope.as_ref().is_some_and(|envelope| released(envelope, &acquired))
        {
            feed(release, self.surroundings, &acquired).context("the lock could not be given back")?;
        }
        match self.trouble {
            Some(trouble) => Err(trouble),
            None => {
                // Ctrl-C at a terminal goes to all: a step may be gone before this process is told of it.
                let signal = self.signal.or_else(|| interrupted(&steps));
                Ok(Ended { envelope, steps, signal })
            }
        }
    }
}

/// The signal by which somebody asked a step to end.
fn interrupted(steps: &[StepEnd]) -> Option<Signal> {
    const SIGHUP: i32 = 1;
    const SIGINT: i32 = 2;
    const SIGTERM: i32 = 15;
    steps.iter().find_map(|step| match step.end {
        End::Killed(number @ (SIGHUP | SIGINT | SIGTERM)) => Some(Signal(number)),
        End::Killed(_) | End::Exited(_) => None,
    })
}

/// What a run waits for.
enum Event {
    /// The first step's document went on to the next one: it says which lock is held.
    Acquired(String),
    /// The document with the messages, which goes on once they were shown.
    Messages { document: String, to: PipeWriter },
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

/// The ends of pipes that a step reads from and writes to.
#[derive(Default)]
struct Ends {
    stdin: Option<PipeReader>,
    stdout: Option<PipeWriter>,
}

/// The steps that were started.
struct Team {
    names: Vec<&'static str>,
    children: Vec<Child>,
    group: Group,
    /// How many documents are still to pass through the run's own hands.
    passing: usize,
}

impl Team {
    fn start(plan: &Plan, surroundings: &Surroundings, events: &Sender<Event>) -> anyhow::Result<Self> {
        let names: Vec<_> = plan.steps.iter().map(|step| step.name).collect();
        let mut team = Self { names, children: Vec::new(), group: Group::choose(), passing: 0 };
        let (mut ends, mut listeners) = team.connect(plan).context("pipes cannot be made")?;
        // What looks ahead for longest begins first.
        let mut order: Vec<usize> = (0..plan.steps.len()).collect();
        order.sort_by_key(|index| plan.steps[*index].name != LONGEST);
        let mut children = BTreeMap::new();
        for index in order {
            let (step, Ends { stdin, stdout }) = (&plan.steps[index], std::mem::take(&mut ends[index]));
            let mut command = step.command(surroundings);
            if plan.reports == Reports::OnStdout {
                command.stderr(std::io::stdout());
            }
            team.group.admit(&mut command);
            command.stdin(stdin.map_or_else(Stdio::null, Stdio::from));
            command.stdout(stdout.map_or_else(Stdio::null, Stdio::from));
            match command.spawn() {
                Ok(child) => {
                    team.group.joined(&child);
                    children.insert(index, child);
                    // Only now: what takes longest has been started, and what it waits for.
                    if index == 0 {
                        listen(std::mem::take(&mut listeners), events.clone());
                    }
                }
                Err(error) => {
                    team.children = children.into_values().collect();
                    team.end(Force::Make);
                    return Err(error).with_context(|| format!("{} could not be started", step.program));
                }
            }
        }
        team.children = children.into_values().collect();
        Ok(team)
    }

    /// The ends of the pipes between the steps, by step, and who is to listen to what passes through the run's own hands.
    fn connect(&mut self, plan: &Plan) -> io::Result<(Vec<Ends>, Vec<Listener>)> {
        let mut ends: Vec<Ends> = plan.steps.iter().map(|_| Ends::default()).collect();
        let mut listeners = Vec::new();
        for index in 1..ends.len() {
            let (from_before, into_this) = io::pipe()?;
            ends[index - 1].stdout = Some(into_this);
            let follows_messages = follows_messages(plan, index);
            if index > 1 && !follows_messages {
                ends[index].stdin = Some(from_before);
                continue;
            }
            let (stdin, to) = io::pipe()?;
            ends[index].stdin = Some(stdin);
            self.passing += 1;
            let tell = Box::new(move |document: String| {
                if follows_messages {
                    return Event::Messages { document, to };
                }
                // At once: the run is still busy starting the other steps.
                pass_on(&document, to);
                Event::Acquired(document)
            });
            listeners.push(Listener { stream: from_before, tell });
        }
        if let Some(step) = ends.last_mut() {
            let (last, into_last) = io::pipe()?;
            step.stdout = Some(into_last);
            listeners.push(Listener { stream: last, tell: Box::new(Event::LastWords) });
        }
        Ok((ends, listeners))
    }

    fn end(&mut self, force: Force) {
        self.group.end(&mut self.children, force);
    }

    /// How each step ended.
    fn wait(mut self) -> anyhow::Result<Vec<StepEnd>> {
        let mut ends = Vec::new();
        for (name, child) in self.names.iter().zip(&mut self.children) {
            let status = child.wait().with_context(|| format!("{name} cannot be waited for"))?;
            ends.push(StepEnd { name, end: end_of(status) });
        }
        Ok(ends)
    }
}

/// Whether the step reads the messages that the run shows.
fn follows_messages(plan: &Plan, index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| plan.steps.get(before));
    matches!(plan.messages, Messages::ShownThen(_)) && before.is_some_and(|step| step.name == MESSAGES)
}

/// A pipe that passes through the run's own hands, and what it tells the run at its end.
struct Listener {
    stream: PipeReader,
    tell: Box<dyn FnOnce(String) -> Event + Send>,
}

/// Reads streams to their ends, in the order in which documents come by, and tells the run. What speaks out of turn,
/// as a step before it has died, can wait: the run goes on until all have ended.
fn listen(listeners: Vec<Listener>, events: Sender<Event>) {
    std::thread::spawn(move || {
        for Listener { mut stream, tell } in listeners {
            let mut bytes = Vec::new();
            // What cannot be read is no document, and whoever gets it says so.
            let _ = stream.read_to_end(&mut bytes);
            // A run that is over needs to be told nothing.
            let _ = events.send(tell(String::from_utf8_lossy(&bytes).into_owned()));
        }
    });
}

/// Hands a document to the next step; an empty one as an empty pipe.
fn pass_on(document: &str, mut to: impl Write) {
    // A step that died cannot be told anything, and the one after it says so.
    let _ = to.write_all(document.as_bytes());
}

impl Step {
    fn command(&self, surroundings: &Surroundings) -> Command {
        let mut command = phase::programs::program(&self.program);
        command.args(&self.args);
        surroundings.apply(&mut command);
        command.env(phase::PIPELINE_VARIABLE, std::process::id().to_string());
        command
    }
}

/// Whether the last step has given back the very lock that the first one took.
fn released(envelope: &Envelope, acquired: &Envelope) -> bool {
    let lock = |envelope: &Envelope| envelope.document().phases.lock.clone().unwrap_or_default();
    let (last, first) = (lock(envelope), lock(acquired));
    last.released && last.token == first.token
}

fn holds_the_lock(envelope: &Envelope) -> bool {
    envelope.document().held_lock().is_some()
}

/// Runs a step by itself on a document, out of reach of Ctrl-C.
fn feed(step: &Step, surroundings: &Surroundings, envelope: &Envelope) -> anyhow::Result<()> {
    let mut command = step.command(surroundings);
    apart(&mut command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("{} could not be started", step.program))?;
    if let Some(stdin) = child.stdin.take() {
        pass_on(&envelope.to_line(), stdin);
    }
    child.wait()?;
    Ok(())
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
