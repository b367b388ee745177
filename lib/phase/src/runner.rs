//! One phase from start to exit: stdin to document, document to repository, lock, work, report, document to stdout.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use contract::{Common, Document, Envelope, Exit, Identity, Section};

use crate::{
    CommonArgs, Console, Done, Fault, Guard, IdentityFile, Keeper, LockArgs, Page, Run, Unlocked, Verdict,
    console::Delivery,
    input::{self, Input},
    repository,
};

/// A phase: its options, what it does, and how it tells people.
pub trait Phase {
    /// The phase's section of the document.
    type Section: Section;

    /// The options that every phase has.
    fn common(&self) -> &CommonArgs;

    /// How the phase stands to the repository's lock.
    fn holding(&self) -> Holding<'_>;

    /// Does the phase's work.
    ///
    /// # Errors
    /// A [`Fault`] where the error was foreseen; anything else is reported as a failure. In both cases the document gets
    /// a section that says no more than that; a phase that has more to say returns [`Done::fault`].
    fn work(&self, run: &Run<'_>) -> anyhow::Result<Done<Self::Section>>;

    /// Writes the section for people.
    fn report(&self, section: &Self::Section, page: &mut Page);

    /// Whether the phase works on this document, or just passes it on.
    fn takes_part(&self, document: &Document) -> bool {
        !document.has_ended()
    }

    /// Called once the report and the document were written out on every stream that was asked for, while the lock is
    /// still held: the place for "this was shown".
    ///
    /// # Errors
    /// Whatever goes wrong is printed, and makes the process fail; the document is already under way.
    fn after_delivery(&self, _run: &Run<'_>, _section: &Self::Section) -> anyhow::Result<()> {
        Ok(())
    }

    /// Called where stdin holds no document, for what must happen all the same.
    ///
    /// # Errors
    /// Whatever goes wrong is printed beside the message about stdin.
    fn despite_bad_input(&self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// How a phase stands to the repository's lock.
#[derive(Debug, Clone, Copy)]
pub enum Holding<'a> {
    /// It changes nothing: it joins the lock of its run, and does without where there is none.
    Joins,
    /// It changes something: it joins the lock of its run, and takes one of its own where there is none.
    Takes(&'a LockArgs),
    /// It is about the lock itself.
    Itself,
}

/// Parses the command line, runs the phase, and says what to exit with.
pub fn main<P: Phase + clap::Parser>(keeper: &dyn Keeper) -> ExitCode {
    drive(&P::parse(), keeper)
}

/// Runs a phase whose command line is parsed, and says what to exit with.
pub fn drive<P: Phase>(phase: &P, keeper: &dyn Keeper) -> ExitCode {
    // Lock files and temporary files go when a signal ends the process.
    gix::tempfile::signal::setup(gix::tempfile::signal::handler::Mode::DeleteTempfilesOnTerminationAndRestoreDefaultBehaviour);
    let began = Instant::now();
    let console = Console::new(phase.common());
    match begin(phase) {
        Start::PassOn(envelope) => deliver(&console, &console.page(), &envelope).exit(&envelope),
        Start::Refuse(mut envelope, fault) => {
            conclude::<P>(&mut envelope, &Verdict::Fault(fault.clone()), began.elapsed());
            console.error(fault.message(), fault.remedy());
            deliver(&console, &console.page(), &envelope).exit(&envelope)
        }
        Start::Work(envelope, repo) => work(phase, keeper, &console, began, *envelope, *repo),
    }
}

enum Start {
    PassOn(Box<Envelope>),
    Refuse(Box<Envelope>, Fault),
    Work(Box<Envelope>, Box<gix::Repository>),
}

/// From stdin to a document and an open repository.
fn begin<P: Phase>(phase: &P) -> Start {
    let args = phase.common();
    let input = if args.fresh { Ok(Input::Nothing) } else { input::read() };
    let started = match input {
        Err(fault) => {
            let fault = match phase.despite_bad_input() {
                Ok(()) => fault,
                Err(error) => Fault::new(fault.exit(), format!("{fault}; besides, {error:#}")),
            };
            return Start::Refuse(Box::new(empty_envelope()), fault);
        }
        Ok(Input::Document(envelope)) if !phase.takes_part(envelope.document()) => {
            return Start::PassOn(envelope);
        }
        Ok(Input::Document(envelope)) => match open_documents(&envelope, args.repo.as_deref()) {
            Ok(repo) => Ok((envelope, repo)),
            Err(fault) => return Start::Refuse(envelope, fault),
        },
        Ok(Input::Hook(directory)) => begin_run(args.repo.clone().unwrap_or(directory)),
        Ok(Input::Nothing) => begin_run(args.repo.clone().unwrap_or_else(|| Utf8PathBuf::from("."))),
    };
    match started {
        Ok((envelope, repo)) => Start::Work(envelope, Box::new(repo)),
        Err(fault) => Start::Refuse(Box::new(empty_envelope()), fault.ending_the_run()),
    }
}

/// A run that begins here.
fn begin_run(directory: Utf8PathBuf) -> Result<(Box<Envelope>, gix::Repository), Fault> {
    let repo = repository::discover(&directory)?;
    let place = repository::place(&repo)?;
    let user = match &place.worktree {
        Some(worktree) => IdentityFile::read(Utf8Path::new(worktree))?.user,
        None => None,
    };
    let user = user.or_else(|| repo.config_snapshot().string("user.name").map(|name| name.to_string()));
    let document = Document::begin(new_run_id(), Some(place), Identity { user, host: crate::host_name() });
    Ok((Box::new(Envelope::new(document)), repo))
}

/// The repository of a run that began elsewhere.
fn open_documents(envelope: &Envelope, named: Option<&Utf8Path>) -> Result<gix::Repository, Fault> {
    let Some(place) = &envelope.document().repo else {
        return Err(Fault::new(Exit::BadInput, "the run document names no repository")
            .help("give --fresh and --repo DIR to begin a run of its own"));
    };
    let repo = repository::discover(Utf8Path::new(place.worktree.as_deref().unwrap_or(&place.common_dir)))?;
    let found = repository::place(&repo)?;
    if found.common_dir != place.common_dir {
        return Err(Fault::new(
            Exit::BadInput,
            format!("the run document says that {} is the git directory, and {} is", place.common_dir, found.common_dir),
        )
        .help("the repository was moved while the run went on: start the run again"));
    }
    if let Some(named) = named {
        let other = repository::place(&repository::discover(named)?)?;
        if other != *place {
            return Err(Fault::new(
                Exit::BadInput,
                format!("--repo {named} is another repository than the document's, {}", shown(place)),
            )
            .help("leave --repo away, or give --fresh to begin a run of its own"));
        }
    }
    Ok(repo)
}

fn shown(place: &contract::Repo) -> &str {
    place.worktree.as_deref().unwrap_or(&place.common_dir)
}

/// From an open repository to the exit code.
fn work<P: Phase>(
    phase: &P,
    keeper: &dyn Keeper,
    console: &Console,
    began: Instant,
    mut envelope: Envelope,
    repo: gix::Repository,
) -> ExitCode {
    let guard = match hold(phase, keeper, envelope.document()) {
        Ok(guard) => guard,
        Err(fault) => {
            conclude::<P>(&mut envelope, &Verdict::Fault(fault.clone()), began.elapsed());
            console.error(fault.message(), fault.remedy());
            return deliver(console, &console.page(), &envelope).exit(&envelope);
        }
    };
    let run = Run {
        document: envelope.document().clone(),
        repo,
        guard,
        keeper,
        console,
        progress: console.progress(),
        all_reports_delivered: true.into(),
    };
    let (section, verdict) = match without_panics(|| phase.work(&run)) {
        Ok(Done { section, verdict }) => (Some(section), verdict),
        Err(error) => (None, Verdict::Fault(Fault::from(error))),
    };
    run.progress.clear();

    let mut page = console.page();
    if let Some(section) = &section {
        phase.report(section, &mut page);
        if let Err(error) = envelope.put(section) {
            console.error(&format!("the section could not be written as JSON: {error}"), None);
        }
    }
    conclude::<P>(&mut envelope, &verdict, began.elapsed());
    let delivered = deliver(console, &page, &envelope);
    if let Verdict::Fault(fault) = &verdict {
        console.error(fault.message(), fault.remedy());
    }
    if let (Delivered::Whole, true, Some(section)) = (delivered, run.all_reports_delivered.get(), &section)
        && let Err(error) = phase.after_delivery(&run, section)
    {
        let fault = Fault::from(error);
        console.error(fault.message(), fault.remedy());
        return fault.exit().code().into();
    }
    delivered.exit(&envelope)
}

fn hold<P: Phase>(phase: &P, keeper: &dyn Keeper, document: &Document) -> Result<Box<dyn Guard>, Fault> {
    let held = document.phases.lock.as_ref().filter(|lock| !lock.released && !lock.token.is_empty());
    let common_dir = document.repo.as_ref().map(|repo| Utf8Path::new(&repo.common_dir));
    match (phase.holding(), held, common_dir) {
        (Holding::Joins | Holding::Takes(_), Some(lock), Some(dir)) => keeper.enter(dir, &lock.token),
        (Holding::Takes(args), None, Some(dir)) if !args.no_lock => keeper.take(dir, args),
        (Holding::Itself | Holding::Joins | Holding::Takes(_), _, _) => Ok(Box::new(Unlocked)),
    }
}

/// A panic is a bug, and still no reason to break the pipeline: the document goes on and says so.
fn without_panics<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let previous = std::panic::take_hook();
    let message = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen = message.clone();
    std::panic::set_hook(Box::new(move |panic| {
        if let Ok(mut seen) = seen.lock() {
            seen.get_or_insert_with(|| panic.to_string());
        }
    }));
    let result = catch_unwind(AssertUnwindSafe(work));
    std::panic::set_hook(previous);
    result.unwrap_or_else(|_| {
        let message = message.lock().ok().and_then(|mut message| message.take()).unwrap_or_default();
        Err(Fault::failed(format!("a bug in this program: {message}"))
            .help("please report it with this message; nothing further was changed")
            .into())
    })
}

fn conclude<P: Phase>(envelope: &mut Envelope, verdict: &Verdict, elapsed: Duration) {
    let name = P::Section::NAME;
    let (outcome, failure, ended) = match verdict {
        Verdict::Ok => (contract::Outcome::Ok, None, false),
        Verdict::Saved => (contract::Outcome::Saved, None, true),
        Verdict::Fault(fault) => (fault.exit().outcome(), Some(fault.to_failure(name)), fault.ends_run()),
    };
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    envelope.put_common(name, &Common { outcome, elapsed_ms });
    envelope.conclude(outcome, failure, ended);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivered {
    Whole,
    /// A reader went away; the run's own code still says how it went.
    InPart,
    Failed,
}

impl Delivered {
    fn exit(self, envelope: &Envelope) -> ExitCode {
        let document = envelope.document();
        match (Exit::of(document.outcome, document.error.as_ref().map(|error| error.code)), self) {
            (Exit::Ok, Self::Failed) => Exit::Failed.code().into(),
            (exit, _) => exit.code().into(),
        }
    }
}

/// Writes the report, then the document.
fn deliver(console: &Console, page: &Page, envelope: &Envelope) -> Delivered {
    match (console.report(page), console.document(envelope)) {
        (Ok(Delivery::Written), Ok(Delivery::Written)) => Delivered::Whole,
        (Ok(_), Ok(_)) => Delivered::InPart,
        (Err(error), _) | (_, Err(error)) => {
            console.error(&format!("the result could not be written: {error}"), None);
            Delivered::Failed
        }
    }
}

fn empty_envelope() -> Envelope {
    let identity = Identity { user: None, host: crate::host_name() };
    Envelope::new(Document::begin(new_run_id(), None, identity))
}

fn new_run_id() -> String {
    ulid::Ulid::new().to_string()
}
