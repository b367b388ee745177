//! `lock run`: holds the lock while a command runs, as flock(1) does for a file.
//!
//! The command knows nothing of tokens and cannot notice that it was overtaken, so the lock lasts as long as the
//! command lives, even if `lock run` itself is killed. For that, the command has to own the lock before its first
//! instruction: its process starts as this program, enters the lock under its own pid, and then becomes the command
//! with `exec`.

use std::{
    ffi::OsString,
    process::{Child, Command},
    sync::mpsc,
    time::Duration,
};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use phase::{Color, Console, Fault, programs};

use crate::{
    Held, Inherited, LockError, LockPaths, LockRequest, Process, TOKEN_VARIABLE, Term, Token, acquire,
    acquire::Waiting,
    describe,
    fence::joinable,
    give_back::leave,
    platform::{self, Event, Signals},
};

/// How often a sign of life is given while the command runs; the contract requires one every 30 s.
const PULSE: Duration = Duration::from_secs(10);

/// The exit codes of a shell for a command that was not found, and for one that could not be started.
const NOT_FOUND: u8 = 127;
const NOT_STARTED: u8 = 126;

/// Hold the lock while a command runs, and exit with its code (128 + the number of the signal that ended it).
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The repository [default: the one around the current directory].
    #[arg(long, value_name = "DIR")]
    repo: Option<Utf8PathBuf>,

    /// Print nothing but errors on stderr.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// When to use colour.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,

    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,

    #[command(flatten)]
    waiting: Waiting,
}

impl RunArgs {
    /// Runs the command under the lock and returns the exit code.
    ///
    /// # Errors
    /// If the lock was not acquired; the command was not started then.
    pub fn run(&self, console: &Console) -> anyhow::Result<u8> {
        // The command runs in the current directory, whatever the repository is.
        phase::current_directory_is_there()?;
        let directory = self.repo.as_deref().unwrap_or(Utf8Path::new("."));
        let common_dir = Utf8PathBuf::from(phase::place(&phase::discover(directory)?)?.common_dir);
        let place = LockPaths::new(&common_dir);
        let inherited = Inherited::from_environment();
        let joined = joinable(&place, &inherited).map_err(Fault::from)?;
        let (held, token) = match joined {
            // The process that holds it gives the signs of life and releases it.
            Some(record) => (None, record.token),
            None => {
                let held = self.take(place.clone(), console).map_err(Fault::from)?;
                let token = held.token().clone();
                (Some(held), token)
            }
        };
        let mut signals = Signals::catch().context("signals could not be caught")?;
        let mut command = self.own_process(&common_dir, &token)?;
        command.env(TOKEN_VARIABLE, inherited.joined_by(&token)).envs(phase::taken_from_environment());
        let mut child = command.spawn().context("the command's process could not be started")?;
        let worker = Process::child(child.id());
        with_pulse(held.as_ref(), || wait_for_end(&child, &mut signals))?;
        match held {
            Some(held) => {
                held.give_back().map_err(Fault::from)?;
            }
            None => {
                // The command entered the lock and cannot leave it itself. If this fails, the holder notices with its
                // next sign of life that the command has ended; how the command ended is not changed by that.
                let _ = leave(&place, &token, &worker);
            }
        }
        // Only now: the lock contains the command's pid, and if no process had that pid any more, a script would
        // clear the lock.
        Ok(platform::exit_code(child.wait()?))
    }

    fn take(&self, place: LockPaths, console: &Console) -> Result<Held, LockError> {
        let wish = LockRequest {
            owner: Some(Process::current()),
            worker: None,
            term: Term::OwnersLife,
            lease: self.waiting.stale_after,
            name: self
                .waiting
                .name
                .clone()
                .or_else(|| self.command.first().map(|name| name.to_string_lossy().into_owned())),
        };
        let progress = console.progress();
        let took = acquire(&place, &wish, &self.waiting.patience(), &mut |holder| {
            progress.set(|| format!("waiting for the lock: it is held by {}", describe(&holder.owner)));
        })?;
        progress.clear();
        Ok(Held::whole(place, &took))
    }

    /// Returns the command line of the process that is to become the command.
    fn own_process(&self, common_dir: &Utf8Path, token: &Token) -> anyhow::Result<Command> {
        let this_program = std::env::current_exe().context("this program could not be found")?;
        let mut command = programs::program(this_program);
        command.args(["become", "--common-dir", common_dir.as_str(), "--token", token.as_str(), "--"]);
        command.args(&self.command);
        Ok(command)
    }
}

/// Waits for the command's end without reaping it, and forwards to it the signals that were meant for it.
fn wait_for_end(child: &Child, signals: &mut Signals) -> anyhow::Result<()> {
    while !platform::has_ended(child)? {
        match signals.next() {
            Some(Event::Child) => {}
            Some(Event::Forward(signal)) => platform::send(child.id(), signal)?,
            None => return Ok(()),
        }
    }
    Ok(())
}

/// Gives signs of life while `work` runs.
fn with_pulse<T>(held: Option<&Held>, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel::<()>();
        if let Some(held) = held {
            scope.spawn(move || {
                while stopped.recv_timeout(PULSE) == Err(mpsc::RecvTimeoutError::Timeout) {
                    held.alive();
                }
            });
        }
        let done = work();
        drop(stop);
        done
    })
}

/// Enter a lock and become a command; the part of `lock run` that runs in the command's own process.
#[derive(Debug, clap::Args)]
pub struct BecomeArgs {
    #[arg(long)]
    common_dir: Utf8PathBuf,

    #[arg(long)]
    token: String,

    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

impl BecomeArgs {
    /// Becomes the command. Returns only if that failed.
    ///
    /// # Errors
    /// If the lock was lost in the meantime.
    pub fn run(&self, console: &Console) -> anyhow::Result<u8> {
        let held =
            Held::enter(LockPaths::new(&self.common_dir), self.token.as_str().into()).map_err(Fault::from)?;
        held.keep();
        let Some((name, arguments)) = self.command.split_first() else { return Ok(NOT_FOUND) };
        let mut command = programs::program(name);
        command.args(arguments).envs(phase::taken_from_environment());
        match platform::become_program(command) {
            Ok(never) => match never {},
            Err(error) => {
                console.error(&format!("{} could not be started: {error}", name.to_string_lossy()), None);
                Ok(if error.kind() == std::io::ErrorKind::NotFound { NOT_FOUND } else { NOT_STARTED })
            }
        }
    }
}
