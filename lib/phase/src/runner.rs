//! Runs one phase from start to exit.
//!
//! The steps are: read stdin, open the repository, hold the lock, do the work, and write the report and the document.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::{Duration, Instant},
};

use camino::Utf8Path;
use contract::{Common, Document, Envelope, Exit, Section};

use crate::{
    Console, Done, Fault, Guard, LockManager, LockUse, Page, Phase, Run, Unlocked, Verdict, alternates,
    begin::{Opened, Start, begin, read},
    console::Delivery,
};

/// Parses the command line, runs the phase and returns the exit code.
pub fn main<P: Phase + clap::Parser>(keeper: &dyn LockManager) -> ExitCode {
    match crate::parse::<P>() {
        Ok(phase) => drive(&phase, keeper),
        Err(code) => code,
    }
}

/// Runs a phase whose command line is already parsed and returns the exit code.
pub fn drive<P: Phase>(phase: &P, keeper: &dyn LockManager) -> ExitCode {
    let console = Console::new(phase.common());
    let beginning = read(phase, keeper);
    // The time spent waiting for earlier phases does not count as this phase's.
    let began = Instant::now();
    match begin(phase, beginning) {
        Start::PassOn(envelope) => {
            if let Some(fault) = phase.aside(envelope.document()) {
                console.error(fault.message(), fault.remedy());
            }
            deliver(&console, &console.page(), &envelope).exit(&envelope)
        }
        Start::Refuse(envelope, fault) => refuse::<P>(&console, began, *envelope, fault),
        Start::Work(envelope, opened) => work(phase, keeper, &console, began, *envelope, *opened),
    }
}

/// Records in the document why nothing was done, and passes it on.
fn refuse<P: Phase>(console: &Console, began: Instant, mut envelope: Envelope, fault: Fault) -> ExitCode {
    conclude::<P>(&mut envelope, &Verdict::Fault(fault.clone()), began.elapsed());
    console.fault(&fault, &envelope);
    deliver(console, &console.page(), &envelope).exit(&envelope)
}

/// Runs the phase on an open repository and returns the exit code.
fn work<P: Phase>(
    phase: &P,
    keeper: &dyn LockManager,
    console: &Console,
    began: Instant,
    mut envelope: Envelope,
    opened: Opened,
) -> ExitCode {
    let guard = match hold(phase, keeper, envelope.document()) {
        Ok(guard) => guard,
        Err(fault) => return refuse::<P>(console, began, envelope, fault),
    };
    let run = Run {
        document: envelope.document().clone(),
        repo: opened.repo,
        was_expected: opened.was_expected,
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
    let verdict = match verdict {
        Verdict::Fault(fault) => Verdict::Fault(alternates::explain(fault, &run.repo)),
        well => well,
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
        console.fault(fault, &envelope);
    }
    if let Some(section) = &section
        && let Err(fault) = follow_up(phase, &run, section, delivered)
    {
        console.error(fault.message(), fault.remedy());
        return fault.exit().code().into();
    }
    let Run { repo, guard, progress, .. } = run;
    drop(progress);
    // The process is about to end, and the system frees all of its memory at once.
    std::mem::forget(repo);
    // The next phase waits until this one's stdout is closed. A lock that it would have to wait for is released
    // before.
    if guard.is_shared() {
        console.ends();
        drop(guard);
    } else {
        drop(guard);
        console.ends();
    }
    delivered.exit(&envelope)
}

/// Has the phase do what follows from whether its result reached anybody.
fn follow_up<P: Phase>(
    phase: &P,
    run: &Run<'_>,
    section: &P::Section,
    delivered: Delivered,
) -> Result<(), Fault> {
    let done = match delivered {
        Delivered::Whole if run.all_reports_delivered.get() => phase.after_delivery(run, section),
        Delivered::Failed => phase.after_failed_delivery(run, section),
        Delivered::Whole | Delivered::InPart => Ok(()),
    };
    done.map_err(Fault::from)
}

fn hold<P: Phase>(phase: &P, keeper: &dyn LockManager, document: &Document) -> Result<Box<dyn Guard>, Fault> {
    let common_dir = document.repo.as_ref().map(|repo| Utf8Path::new(&repo.common_dir));
    match (phase.holding(), document.held_lock(), common_dir) {
        (LockUse::Joins | LockUse::Takes(_), Some(lock), Some(dir)) => keeper.enter(dir, &lock.token),
        (LockUse::Takes(args), None, Some(dir)) if !args.no_lock => keeper.take(dir, args),
        (LockUse::Itself | LockUse::Joins | LockUse::Takes(_), _, _) => Ok(Box::new(Unlocked)),
    }
}

/// Runs `work` and turns a panic into an error. A panic is a bug, but it must not break the pipeline: the document is
/// passed on and reports it.
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
    /// A reader went away; the run's own exit code still says how the run went.
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
