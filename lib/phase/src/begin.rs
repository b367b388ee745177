//! The first steps of a phase: turns stdin into a document and an open repository.

use camino::{Utf8Path, Utf8PathBuf};
use contract::{Document, Envelope, Exit, Identity};

use crate::{
    Fault, IdentityFile, LockManager, LockUse, Phase, Turn,
    guess::Guess,
    input::{self, Input},
    repository,
};

/// How a phase starts.
pub(crate) enum Start {
    /// The phase does not work on this document and passes it on unchanged.
    PassOn(Box<Envelope>),
    /// Something is wrong before any work: the document says so and is passed on.
    Refuse(Box<Envelope>, Fault),
    /// A document and its repository.
    Work(Box<Envelope>, Box<Opened>),
}

/// A repository that was opened for a document.
pub(crate) struct Opened {
    pub(crate) repo: gix::Repository,
    /// Whether it was opened before the document arrived, and the run went on without delay after taking the lock.
    pub(crate) was_expected: bool,
}

impl Opened {
    fn now(repo: gix::Repository) -> Self {
        Self { repo, was_expected: false }
    }
}

/// What a phase starts from.
pub(crate) struct Beginning {
    /// What stdin held.
    input: Result<Input, Fault>,
    /// The repository that the document is likely to name, already open.
    guess: Option<Guess>,
}

/// Reads stdin, waiting for the previous phase to write it; meanwhile opens the likely repository and looks ahead in
/// it.
pub(crate) fn read<P: Phase>(phase: &P, keeper: &dyn LockManager) -> Beginning {
    let args = phase.common();
    if args.fresh {
        return Beginning { input: Ok(Input::Nothing), guess: None };
    }
    let mut guess = if input::may_come_late() { Guess::make(args) } else { None };
    if let Some(guess) = &mut guess {
        let turn = Turn::of(keeper, Utf8Path::new(&guess.place().common_dir));
        let looked = phase.look_ahead(guess.repo(), turn);
        guess.was_looked_at(looked);
        // A phase that manages the lock itself joins none.
        if !matches!(phase.holding(), LockUse::Itself) {
            keeper.look_ahead();
        }
    }
    Beginning { input: input::read(), guess }
}

/// Turns what stdin held into a document and an open repository.
pub(crate) fn begin<P: Phase>(phase: &P, beginning: Beginning) -> Start {
    let Beginning { input, guess } = beginning;
    let args = phase.common();
    let started = match input {
        Err(fault) => {
            return Start::Refuse(Box::new(empty_envelope()), despite(phase, None, fault));
        }
        Ok(Input::Document(envelope)) if !phase.takes_part(envelope.document()) => {
            return Start::PassOn(envelope);
        }
        Ok(Input::Document(envelope)) => match open_documents(&envelope, args.repo.as_deref(), guess) {
            Ok(opened) => Ok((envelope, opened)),
            Err(fault) => {
                let fault = despite(phase, Some(envelope.document()), fault);
                return Start::Refuse(envelope, fault);
            }
        },
        Ok(Input::Hook(directory)) => match &args.repo {
            None if !directory.is_dir() => Err(Fault::misconfigured(format!(
                "the agent's JSON on stdin names '{directory}' as its \"cwd\", which is not a directory"
            ))
            .help("name the repository with --repo DIR")),
            named => begin_run(named.clone().unwrap_or(directory)),
        },
        Ok(Input::Nothing) => begin_run(args.repo.clone().unwrap_or_else(|| Utf8PathBuf::from("."))),
    };
    match started {
        Ok((envelope, opened)) => Start::Work(envelope, Box::new(opened)),
        Err(fault) => {
            let fault = despite(phase, None, fault.ending_the_run());
            Start::Refuse(Box::new(empty_envelope()), fault)
        }
    }
}

/// Has the phase do what has to be done although it cannot begin because of `fault`.
fn despite<P: Phase>(phase: &P, document: Option<&Document>, fault: Fault) -> Fault {
    match phase.despite_refusal(document) {
        Ok(()) => fault,
        Err(error) => fault.besides(&Fault::from(error)),
    }
}

/// Begins a new run in the repository around `directory`.
fn begin_run(directory: Utf8PathBuf) -> Result<(Box<Envelope>, Opened), Fault> {
    let repo = repository::discover(&directory)?;
    let place = repository::place(&repo)?;
    let user = match &place.worktree {
        Some(worktree) => IdentityFile::read(Utf8Path::new(worktree))?.user,
        None => None,
    };
    let user = user.or_else(|| repo.config_snapshot().string("user.name").map(|name| name.to_string()));
    let document = Document::begin(new_run_id(), Some(place), Identity { user, host: crate::host_name() });
    Ok((Box::new(Envelope::new(document)), Opened::now(repo)))
}

/// Opens the repository of a run that another phase began.
fn open_documents(
    envelope: &Envelope,
    named: Option<&Utf8Path>,
    guess: Option<Guess>,
) -> Result<Opened, Fault> {
    let Some(place) = &envelope.document().repo else {
        return Err(Fault::new(Exit::BadInput, "the run document names no repository")
            .help("give --fresh and --repo DIR to begin a run of its own"));
    };
    if let Some(repo) = guess.and_then(|guess| guess.repo_at(place)) {
        return Ok(Opened { repo, was_expected: envelope.document().went_straight_on() });
    }
    let repo = repository::discover(Utf8Path::new(place.worktree.as_deref().unwrap_or(&place.common_dir)))?;
    let found = repository::place(&repo)?;
    if found.common_dir != place.common_dir {
        return Err(Fault::new(
            Exit::BadInput,
            format!(
                "the run document says that {} is the git directory, and {} is",
                place.common_dir, found.common_dir
            ),
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
    Ok(Opened::now(repo))
}

fn shown(place: &contract::Repo) -> &str {
    place.worktree.as_deref().unwrap_or(&place.common_dir)
}

fn empty_envelope() -> Envelope {
    let identity = Identity { user: None, host: crate::host_name() };
    Envelope::new(Document::begin(new_run_id(), None, identity))
}

fn new_run_id() -> String {
    ulid::Ulid::new().to_string()
}
