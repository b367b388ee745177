//! Signs commits if `commit.gpgSign` asks for it, with gpg, x509 or ssh as `gpg.format` says.
//!
//! A commit that ignored the setting would be the only unsigned one in a signed history, and would be rejected by the
//! first server that checks.

use std::io;

use gix::{error::MetadataValue, objs::Commit};
use phase::{Fault, Held, Progress};

/// How many lines of a signing program's output a message includes: programs report the cause of a failure last.
const LAST_LINES: usize = 4;

/// How many times to start a program that exits before it has read anything.
const ATTEMPTS: u32 = 5;

/// Whether commits are signed, and how.
#[derive(Debug)]
pub enum Signing {
    /// They are not signed.
    Off,
    /// They are signed with this program and key.
    With(Box<gix::objs::signature::sign::Options>),
}

impl Signing {
    /// Returns what the configuration says.
    ///
    /// # Errors
    /// A fault with exit 78 if signing is on, but the configuration does not say with what.
    pub fn of(repo: &gix::Repository) -> anyhow::Result<Self> {
        match repo.commit_signing_options_if_enabled() {
            Ok(None) => Ok(Self::Off),
            Ok(Some(options)) => Ok(Self::With(Box::new(options))),
            Err(error) => Err(Fault::misconfigured(format!(
                "commit.gpgSign is on, and commits cannot be signed: {}",
                sanitize::error(&error)
            ))
            .help(
                "gpg.format is openpgp, x509 or ssh, and ssh needs user.signingKey: `git config --show-origin \
                 --get-regexp '^(commit[.]gpgsign|gpg|user[.]signingkey)'` shows what is set",
            )
            .into()),
        }
    }

    /// Leaves the terminal to the signing program until the result is dropped, because it may ask for a passphrase.
    pub fn held<'a>(&self, progress: &'a Progress) -> Option<Held<'a>> {
        matches!(self, Self::With(_)).then(|| progress.held("signing"))
    }
}

/// Returns the commit, with a signature if commits are to be signed.
///
/// # Errors
/// A fault with exit 1 if the signing program fails; its output is part of the message.
pub fn sign(commit: Commit, signing: &Signing) -> anyhow::Result<Commit> {
    let Signing::With(options) = signing else { return Ok(commit) };
    let program = options.program.to_string_lossy().into_owned();
    let signed = || commit.clone().sign((**options).clone());
    // If a program exits before it has read what it is to sign, gix does not keep its output, only the error that the
    // pipe is closed. On another attempt the program may exit later, so that its output can be reported.
    let mut result = signed();
    for _ in 1..ATTEMPTS {
        if !result.as_ref().is_err_and(closed_its_pipe) {
            break;
        }
        result = signed();
    }
    result.map_err(|error| {
        Fault::failed(format!("{program} did not sign the commit: {}", said(&error)))
            .help(
                "see which key and program are to be used: `git config --show-origin --get-regexp \
                 '^(commit[.]gpgsign|gpg|user[.]signingkey)'`; `git commit -S --allow-empty` signs by hand",
            )
            .into()
    })
}

/// Whether the program exited before it had read what it was to sign.
fn closed_its_pipe(error: &gix::Error) -> bool {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source()).any(|error| {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Returns what the signing program wrote to stderr, or else what is known of the failure.
fn said(error: &gix::Error) -> String {
    let values = error.metadata_merged();
    if let Some(MetadataValue::Bytes(stderr)) = values.get("stderr") {
        let stderr = String::from_utf8_lossy(stderr);
        // gpg writes machine-readable status lines to stderr as well, between those for people.
        let lines =
            stderr.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("[GNUPG:]"));
        let lines: Vec<String> = lines.map(sanitize::line).collect();
        if !lines.is_empty() {
            return lines[lines.len().saturating_sub(LAST_LINES)..].join("; ");
        }
    }
    match values.get("exit_status") {
        Some(MetadataValue::String(status)) => format!("{status}, without a word"),
        _ if closed_its_pipe(error) => "it ended before it had read what it is to sign".to_owned(),
        _ => sanitize::error(error),
    }
}
