//! Starts the steps of a run, connected by pipes, and waits for them.
//!
//! Two of the pipes lead through the run itself: it reads them to their ends, which become events, and passes the
//! documents on.

use std::{
    collections::BTreeMap,
    io::{self, PipeReader, PipeWriter, Read as _, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::Sender,
};

use anyhow::Context as _;
use contract::Envelope;

use super::{
    ended::{End, StepEnd},
    pipeline::{Event, Messages, Plan, Reports, Step, Surroundings},
    signals::{Force, Group, has_ended},
};

/// The step whose document contains the messages from other people.
const MESSAGES: &str = "notesurface";
/// The step that does most work while it waits for the others.
const LONGEST: &str = "gitsync";

/// The pipe ends that a step reads from and writes to.
#[derive(Default)]
struct Ends {
    stdin: Option<PipeReader>,
    stdout: Option<PipeWriter>,
}

/// The steps that were started.
pub struct Team {
    names: Vec<&'static str>,
    children: Vec<Child>,
    group: Group,
    /// How many documents the run itself has still to pass on.
    pub passing: usize,
}

impl Team {
    pub fn start(plan: &Plan, surroundings: &Surroundings, events: &Sender<Event>) -> anyhow::Result<Self> {
        let names: Vec<_> = plan.steps.iter().map(|step| step.name).collect();
        let mut team = Self { names, children: Vec::new(), group: Group::choose(), passing: 0 };
        let (mut ends, mut listeners) = team.connect(plan).context("pipes cannot be made")?;
        // The step that does most work ahead of its turn starts first.
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
                    // Only now: the step that takes longest and the one that it waits for have been started.
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

    /// Creates the pipes between the steps; returns their ends by step, and the listeners for the pipes that the run
    /// itself reads.
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
                // Immediately, since the run is still busy starting the other steps.
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

    pub fn end(&mut self, force: Force) {
        self.group.end(&mut self.children, force);
    }

    /// Whether all steps have ended; they have not been waited for.
    pub fn has_ended(&self) -> bool {
        self.children.iter().all(has_ended)
    }

    /// Waits for the steps, and returns how each ended.
    pub fn wait(&mut self) -> anyhow::Result<Vec<StepEnd>> {
        let mut ends = Vec::new();
        for (name, child) in self.names.iter().zip(&mut self.children) {
            let status = child.wait().with_context(|| format!("{name} cannot be waited for"))?;
            ends.push(StepEnd { name, end: end_of(status) });
        }
        Ok(ends)
    }
}

/// Whether this step reads the messages that the run shows.
fn follows_messages(plan: &Plan, index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| plan.steps.get(before));
    matches!(plan.messages, Messages::ShownThen(_)) && before.is_some_and(|step| step.name == MESSAGES)
}

/// A pipe that the run itself reads, and the event to send at its end.
struct Listener {
    stream: PipeReader,
    tell: Box<dyn FnOnce(String) -> Event + Send>,
}

/// Reads pipes to their ends, in the order in which documents pass through them, and sends their events to the run.
/// If a step has died, a later pipe may end first; that can wait, since the run goes on until all have ended.
fn listen(listeners: Vec<Listener>, events: Sender<Event>) {
    std::thread::spawn(move || {
        for Listener { mut stream, tell } in listeners {
            let mut bytes = Vec::new();
            // Unreadable output is no document, and whoever receives it reports that.
            let _ = stream.read_to_end(&mut bytes);
            // A run that is over receives no more events.
            let _ = events.send(tell(String::from_utf8_lossy(&bytes).into_owned()));
        }
    });
}

/// Passes a document on to the next step; an empty one becomes an empty pipe.
pub fn pass_on(document: &str, mut to: impl Write) {
    // A step that died cannot receive anything, and the one after it reports that.
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

/// Runs a step by itself on a document, in its own process group so that Ctrl-C does not reach it. Returns how it
/// ended.
pub fn feed(step: &Step, surroundings: &Surroundings, envelope: &Envelope) -> anyhow::Result<End> {
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
    Ok(end_of(child.wait()?))
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
