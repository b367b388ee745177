//! Signing commits where `commit.gpgSign` asks for it, with gpg, x509 or ssh as `gpg.format` says.
//!
//! A commit that is made without asking would be the one unsigned commit of a signed history, and would be turned down
//! by the first server that looks.

use gix::objs::Commit;
use phase::{Fault, Held, Progress};

/// Whether commits are signed here, and how.
#[derive(Debug)]
pub enum Signing {
    /// They are not.
    Off,
    /// With this program and key.
    With(Box<gix::objs::signature::sign::Options>),
}

impl Signing {
    /// As the configuration says.
    ///
    /// # Errors
    /// A fault with exit 78 where signing is on, and the configuration does not say with what.
    pub fn of(repo: &gix::Repository) -> anyhow::Result<Self> {
        match repo.commit_signing_options_if_enabled() {
            Ok(None) => Ok(Self::Off),
            Ok(Some(options)) => Ok(Self::With(Box::new(options))),
            Err(error) => Err(Fault::misconfigured(format!(
                "commit.gpgSign is on, and commits cannot be signed: {error:#}"
            ))
            .help("set user.signingKey and gpg.format as in `git help config`, or turn commit.gpgSign off")
            .into()),
        }
    }

    /// Leaves the terminal to the signing program for as long as this is kept: it may ask for a passphrase.
    pub fn held<'a>(&self, progress: &'a Progress) -> Option<Held<'a>> {
        matches!(self, Self::With(_)).then(|| progress.held("signing"))
    }
}

/// The commit with a signature, where it is to have one.
///
/// # Errors
/// A fault with exit 1 where the signing program fails; its own words are part of the message.
pub fn sign(commit: Commit, signing: &Signing) -> anyhow::Result<Commit> {
    let Signing::With(options) = signing else { return Ok(commit) };
    let program = options.program.to_string_lossy().into_owned();
    commit.sign((**options).clone()).map_err(|error| {
        let words = said(&error);
        Fault::failed(format!("{program} did not sign the commit{words}"))
            .help(format!("try it by hand, as git would: `git commit -S --allow-empty`; it starts {program}"))
            .into()
    })
}

/// What the signing program wrote to stderr, or else what is known of the failure.
fn said(error: &gix::Error) -> String {
    let text = format!("{error:#}");
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
