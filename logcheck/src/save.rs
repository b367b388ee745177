//! Runs the save command, which syncs by itself, within this run's lock.

use std::{
    process::{ExitStatus, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    time::Duration,
};

use anyhow::Context as _;
use lock::{Inherited, TOKEN_VARIABLE, Token};
use phase::Run;
use signals::Program;

/// How often to renew the lock while the command runs; the contract requires once in 30 s.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// How the save command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It exited with code 0.
    Well,
    /// It failed, as this text describes.
    Badly(String),
}

/// Runs `line` in the shell at the root of the working tree, and waits for it to end.
///
/// Its stdout is redirected to stderr, since stdout is for the document. It gets no stdin: that was the document,
/// which has been read.
///
/// # Errors
/// A fault with exit 75 if the run has lost its lock; else if the exit status of the command is unknown.
pub(crate) fn save(run: &Run<'_>, line: &str) -> anyhow::Result<Ended> {
    let mut command = phase::programs::shell(line, run.worktree()?.as_std_path());
    command.stdin(Stdio::null()).stdout(std::io::stderr());
    if let Some(token) = run.guard().token() {
        command.env(TOKEN_VARIABLE, Inherited::from_environment().joined_by(&Token::from(token)));
    }
    run.guard().check()?;
    run.progress().clear();
    let mut program = match Program::start(&mut command) {
        Ok(program) => program,
        Err(error) => return Ok(Ended::Badly(format!("could not be started: {error}"))),
    };
    let status = std::thread::scope(|scope| {
        let (ended, end) = channel();
        // Sending cannot fail: the receiver lives until the status has arrived.
        scope.spawn(move || ended.send(program.wait()));
        loop {
            match end.recv_timeout(SIGN_OF_LIFE) {
                Ok(status) => return status,
                Err(RecvTimeoutError::Timeout) => run.guard().alive(),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(std::io::Error::other("it was not waited for"));
                }
            }
        }
    });
    let status = status.with_context(|| format!("the end of the save command `{line}` was not seen"))?;
    Ok(if status.success() { Ended::Well } else { Ended::Badly(told(status)) })
}

fn told(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("failed with exit code {code}"),
        None => "was ended by a signal".into(),
    }
}
