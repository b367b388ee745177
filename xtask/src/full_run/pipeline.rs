//! Runs processes that are connected by pipes, from the first start to the last end.
//!
//! The run itself reads two of the pipes and passes their documents on. The document of `lock acquire` says which
//! lock is held: if the rest of the pipeline dies, the lock is released with it. If the first step dies as well, the
//! lock itself says whether it is this run's. The document of `notesurface` contains the messages.

use std::{
    ffi::OsString,
    io::PipeWriter,
    panic::{AssertUnwindSafe, catch_unwind},
    process::Command,
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use contract::{Envelope, Exit};

use super::{
    ended::{End, Ended, Signal, StepEnd},
    own_lock,
    signals::{Force, watch},
    team::{Team, feed, pass_on},
};

/// How long steps may take to end after they were asked to, before they are killed.
const GRACE: Duration = Duration::from_secs(10);

/// How often to look whether steps that were asked to end have done so.
const LOOK: Duration = Duration::from_millis(20);

/// One process of the pipeline.
#[derive(Debug, Clone)]
pub struct Step {
    /// The binary's name.
    pub name: &'static str,
    /// The binary's path.
    pub program: Utf8PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// How the steps' environment differs from that of this process.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Variables that are set.
    pub set: Vec<(&'static str, OsString)>,
    /// Whether variables whose names begin with `GIT_` are removed.
    pub without_git: bool,
}

impl Surroundings {
    /// Applies these differences to a command.
    pub fn apply(&self, command: &mut Command) {
        if !self.without_git {
            // Each step checks for itself that these variables mean the repository that it works in.
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
    /// The directory of the repository that the steps work on.
    pub repo: Utf8PathBuf,
    /// The steps: the first one acquires the lock, the last one releases it.
    pub steps: Vec<Step>,
    /// Who shows the messages from other people.
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

/// Who shows the messages from other people.
#[derive(Debug, Clone)]
pub enum Messages {
    /// A later run, or no one.
    NotShown,
    /// The reader of the document; once that is written, this step records that they were shown.
    WrittenThen(Step),
    /// The run itself, as soon as it has them; then this step records that they were shown.
    ShownThen(Step),
}

/// Shows messages, and returns whether there is anything to record.
pub type Show = dyn Fn(&Envelope) -> anyhow::Result<bool> + Send + Sync;

/// Runs the pipeline to its end. If the last step does not release the lock, it is released here.
///
/// `show` shows messages as soon as they are known, while the lock is held, and only then do they count as shown: a
/// run that dies earlier leaves them to the next one. It runs on a thread of its own, which a run that is asked to end
/// does not wait for without limit: its reader may not read.
pub fn run(plan: &Plan, surroundings: &Surroundings, show: Arc<Show>) -> anyhow::Result<Ended> {
    let (events, happened) = channel();
    watch(events.clone()).context("signals cannot be caught")?;
    let team = Team::start(plan, surroundings, &events)?;
    let mut course = Course {
        plan,
        surroundings,
        show,
        events,
        team,
        is_showing: false,
        acquired: None,
        trouble: None,
        asked: None,
        is_forced: false,
        output: None,
    };
    while !course.is_over() {
        let event = match course.asked {
            None => happened.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => happened.recv_timeout(LOOK),
        };
        match event {
            Ok(event) => course.happened(event),
            Err(RecvTimeoutError::Timeout) => course.lose_patience(),
            // Each listener sends the contents of its pipe before it ends.
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    course.finish()
}

/// Records that the messages in a document were shown, now that the document is written. It could not be done before:
/// this process might have been killed, or its stdout might have been full.
///
/// # Errors
/// The step that records it cannot be started, or fails.
pub fn written(plan: &Plan, surroundings: &Surroundings, envelope: &Envelope) -> anyhow::Result<()> {
    match &plan.messages {
        Messages::WrittenThen(next) => acknowledge(next, surroundings, envelope),
        Messages::NotShown | Messages::ShownThen(_) => Ok(()),
    }
}

/// The message if this could not be recorded.
const SHOWN_AGAIN: &str = "messages were shown, and may be again";

/// A running pipeline.
struct Course<'a> {
    plan: &'a Plan,
    surroundings: &'a Surroundings,
    show: Arc<Show>,
    events: Sender<Event>,
    team: Team,
    /// Whether messages are being shown.
    is_showing: bool,
    /// The document of the first step.
    acquired: Option<Envelope>,
    /// What went wrong with showing messages.
    trouble: Option<anyhow::Error>,
    /// The first signal that asked the run to end, and when.
    asked: Option<(Signal, Instant)>,
    /// Whether whatever did not end when asked is waited for no longer.
    is_forced: bool,
    /// The output of the last step.
    output: Option<String>,
}

impl Course<'_> {
    /// Whether all steps have been heard. If a step dies early, the last one may finish before the first: all are
    /// waited for.
    fn is_over(&self) -> bool {
        let unheard = self.team.passing - usize::from(self.gives_up_showing());
        // A step that was asked to end may keep on running though it has no more to say.
        self.output.is_some() && unheard == 0 && (self.asked.is_none() || self.team.has_ended())
    }

    /// Whether messages are still being shown, but are not waited for.
    fn gives_up_showing(&self) -> bool {
        self.is_showing && self.is_forced
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::LastWords(words) => self.output = Some(words),
            Event::Acquired(document) => {
                self.team.passing -= 1;
                self.acquired = Envelope::parse(document.trim_end()).ok();
            }
            Event::Messages { document, to } => self.show(document, to),
            Event::Shown(trouble) => {
                self.team.passing -= 1;
                self.is_showing = false;
                // If showing them failed, the run still goes on, and releases its lock.
                self.trouble = trouble;
            }
            Event::Signal(signal, at) => self.asked_to_end(signal, at),
        }
    }

    fn asked_to_end(&mut self, signal: Signal, at: Instant) {
        match self.asked {
            None => {
                self.asked = Some((signal, at));
                self.team.end(Force::Ask);
            }
            Some((_, first)) if at.duration_since(first) >= signals::IMPATIENCE => self.force(),
            Some(_) => {}
        }
    }

    /// Forces whatever has not ended in time.
    fn lose_patience(&mut self) {
        if self.asked.is_some_and(|(_, at)| at.elapsed() >= GRACE) {
            self.force();
        }
    }

    fn force(&mut self) {
        self.is_forced = true;
        self.team.end(Force::Make);
    }

    /// Shows the messages and then passes their document on, both on another thread: if nobody reads them, signals are
    /// still heard.
    fn show(&mut self, document: String, to: PipeWriter) {
        self.is_showing = true;
        let (show, events) = (Arc::clone(&self.show), self.events.clone());
        let (messages, surroundings) = (self.plan.messages.clone(), self.surroundings.clone());
        std::thread::spawn(move || {
            let shown = || match Envelope::parse(document.trim_end()) {
                Ok(envelope) => show_and_record(&*show, &messages, &surroundings, &envelope),
                Err(_) => Ok(()),
            };
            // A run that never heard of the end would wait for it forever.
            let shown = catch_unwind(AssertUnwindSafe(shown)).unwrap_or_else(|_| {
                Err(anyhow::anyhow!("messages could not be shown: a bug in this program"))
            });
            pass_on(&document, to);
            // A run that is over receives no more events.
            let _ = events.send(Event::Shown(shown.err()));
        });
    }

    /// Waits for the steps, and releases the lock if they did not.
    fn finish(mut self) -> anyhow::Result<Ended> {
        let is_unread = self.gives_up_showing();
        let steps = self.team.wait()?;
        let envelope = self.output.take().and_then(|output| Envelope::parse(output.trim_end()).ok());
        self.give_back(envelope.as_ref()).context("the lock could not be given back")?;
        match self.trouble {
            Some(trouble) => Err(trouble),
            None => {
                // Ctrl-C on a terminal goes to all processes: a step may end before this process receives the signal.
                let signal = self.asked.map(|(signal, _)| signal).or_else(|| interrupted(&steps));
                Ok(Ended { envelope, steps, signal, is_unread })
            }
        }
    }

    /// Releases the lock unless the last step, whose document this is, has done so.
    fn give_back(&self, last: Option<&Envelope>) -> anyhow::Result<()> {
        match &self.acquired {
            Some(acquired) if !holds_the_lock(acquired) => return Ok(()),
            Some(acquired) if last.is_some_and(|last| released(last, acquired)) => return Ok(()),
            Some(acquired) => {
                if let Some(release) = self.plan.steps.last() {
                    // Its code is that of the whole run; whether it released the lock, the lock itself tells.
                    feed(release, self.surroundings, acquired)?;
                }
            }
            None => {}
        }
        own_lock::give_back(&self.plan.repo)
    }
}

fn show_and_record(
    show: &Show,
    messages: &Messages,
    surroundings: &Surroundings,
    envelope: &Envelope,
) -> anyhow::Result<()> {
    match (messages, show(envelope)?) {
        (Messages::ShownThen(next), true) => acknowledge(next, surroundings, envelope),
        _ => Ok(()),
    }
}

/// Returns the terminating signal that killed a step, if one did.
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
pub enum Event {
    /// The first step's document, which says which lock is held; it has been passed on to the next step.
    Acquired(String),
    /// The document with the messages, which is passed on once they were shown.
    Messages { document: String, to: PipeWriter },
    /// The messages were shown and their document passed on; or what went wrong with showing them.
    Shown(Option<anyhow::Error>),
    /// What the last step wrote until it closed its stdout.
    LastWords(String),
    /// A signal asks the run to end; it came at this time.
    Signal(Signal, Instant),
}

impl From<Signal> for Event {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal, Instant::now())
    }
}

/// Whether the last step has released the lock that the first one acquired.
fn released(envelope: &Envelope, acquired: &Envelope) -> bool {
    let lock = |envelope: &Envelope| envelope.document().phases.lock.clone().unwrap_or_default();
    let (last, first) = (lock(envelope), lock(acquired));
    last.released && last.token == first.token
}

fn holds_the_lock(envelope: &Envelope) -> bool {
    envelope.document().held_lock().is_some()
}

/// Runs the step that records that a document's messages were shown.
fn acknowledge(step: &Step, surroundings: &Surroundings, envelope: &Envelope) -> anyhow::Result<()> {
    let document = envelope.document();
    // A step that does its work passes on the outcome that the run has so far, and exits with its code.
    let so_far = Exit::of(document.outcome, document.error.as_ref().map(|error| error.code)).code();
    let trouble = match feed(step, surroundings, envelope).context(SHOWN_AGAIN)? {
        End::Exited(code) if code == so_far => return Ok(()),
        End::Exited(code) => anyhow::anyhow!("`{}` ended with code {code}", step.name),
        End::Killed(signal) => anyhow::anyhow!("`{}` was ended by signal {signal}", step.name),
    };
    Err(trouble.context(SHOWN_AGAIN))
}
