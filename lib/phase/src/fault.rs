//! Defines [`Fault`], an error as users see it: an exit code, a message, and separately a remedy.

use std::borrow::Cow;

use contract::{Exit, Failure};

/// A foreseen error.
///
/// Every other error is an [`anyhow::Error`], which the runner reports as [`Exit::Failed`]. A fault may be wrapped in
/// an `anyhow::Error`: the runner finds it there and puts the error's context before its message.
///
/// The message may quote anything, even a URL with a password, and goes into the document and to the terminal; so
/// credentials are removed from it when the fault is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    exit: Exit,
    message: String,
    help: Option<String>,
    ends_run: bool,
}

impl Fault {
    /// Creates a fault that makes the process exit with `exit`. The run ends if nothing after it would make sense:
    /// the lock was not acquired, session logs are to be saved first, or the input was not a document.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        let ends_run = match exit {
            Exit::Unsaved | Exit::BadInput | Exit::Deferred => true,
            Exit::Ok
            | Exit::Failed
            | Exit::Conflict
            | Exit::Unreachable
            | Exit::NotAllowed
            | Exit::Misconfigured => false,
        };
        Self { exit, message: without_logins(message), help: None, ends_run }
    }

    /// Creates a fault for a failure that has no exit code of its own.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Creates a fault for configuration that is wrong or asks for something unsupported.
    pub fn misconfigured(message: impl Into<String>) -> Self {
        Self::new(Exit::Misconfigured, message)
    }

    /// Creates a fault from a library's error: its conventional exit code (`sysexits.h`), its message and, if there
    /// is one, a remedy.
    pub fn coded(code: u8, message: String, help: Option<String>) -> Self {
        Self { help: help.map(without_logins), ..Self::new(Exit::from_code(code), message) }
    }

    /// Sets the remedy: what the user can do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(without_logins(help));
        self
    }

    /// Adds the message and the remedy of another fault.
    pub fn besides(self, other: &Self) -> Self {
        let remedies: Vec<&str> = [self.remedy(), other.remedy()].into_iter().flatten().collect();
        let help = (!remedies.is_empty()).then(|| remedies.join("; "));
        Self { message: format!("{self}; besides, {other}"), help, ..self }
    }

    /// Ends the run, so that the following phases do nothing.
    pub fn ending_the_run(mut self) -> Self {
        self.ends_run = true;
        self
    }

    /// Lets the following phases do what they can.
    pub fn leaving_the_rest_to_run(mut self) -> Self {
        self.ends_run = false;
        self
    }

    /// Returns the exit that the fault leads to.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether the following phases do nothing.
    pub fn ends_run(&self) -> bool {
        self.ends_run
    }

    /// Returns what happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what to do about it.
    pub fn remedy(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Returns the fault as it is written into the document.
    pub fn to_failure(&self, phase: &str) -> Failure {
        Failure {
            phase: phase.into(),
            code: self.exit.code(),
            message: self.message.clone(),
            help: self.help.clone(),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        let message = without_logins(format!("{error:#}"));
        match error.downcast::<Fault>() {
            Ok(fault) => Fault { message, ..fault },
            Err(_) => Fault::failed(message),
        }
    }
}

fn without_logins(text: impl Into<String>) -> String {
    let text = text.into();
    match sanitize::in_text(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(cut) => cut,
    }
}

/// The result of a phase that has a section to write, whether it succeeded or not.
#[derive(Debug)]
pub struct Done<S> {
    /// The phase's section of the document.
    pub section: S,
    /// How it ended.
    pub verdict: Verdict,
}

/// How a phase ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Done, or nothing to do.
    Ok,
    /// A save command synced the repository itself: the rest of the run has nothing to do.
    Saved,
    /// Something went wrong; the section says how far the phase got.
    Fault(Fault),
}

impl<S> Done<S> {
    /// The phase succeeded.
    pub fn ok(section: S) -> Self {
        Self { section, verdict: Verdict::Ok }
    }

    /// A save command synced the repository itself.
    pub fn saved(section: S) -> Self {
        Self { section, verdict: Verdict::Saved }
    }

    /// Something went wrong; `section` says how far the phase got.
    pub fn fault(section: S, fault: Fault) -> Self {
        Self { section, verdict: Verdict::Fault(fault) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_fault_is_found_again_under_its_context() {
        let error: anyhow::Error =
            Err::<(), _>(Fault::misconfigured("no remote named origin").help("add one"))
                .context("the vault")
                .expect_err("it is an error");
        let fault = Fault::from(error);
        assert_eq!(fault.exit(), Exit::Misconfigured);
        assert_eq!(fault.message(), "the vault: no remote named origin");
        assert_eq!(fault.remedy(), Some("add one"));
    }

    #[test]
    fn no_login_gets_through_whichever_way_a_fault_is_made() {
        let url = "cannot use \"http://mike:my secret@host/x\"";
        let shown = "cannot use \"http://[hidden]@host/x\"";
        let made = Fault::failed(url).help(url);
        assert_eq!((made.message(), made.remedy()), (shown, Some(shown)));
        let coded = Fault::coded(78, url.into(), Some(url.into()));
        assert_eq!((coded.message(), coded.remedy()), (shown, Some(shown)));
        assert_eq!(Fault::from(anyhow::anyhow!(url)).message(), shown);
        assert_eq!(Fault::from(anyhow::Error::new(made).context(url)).message(), format!("{shown}: {shown}"));
    }

    #[test]
    fn a_surprise_is_a_failure_with_its_whole_chain() {
        let fault = Fault::from(anyhow::anyhow!("disk full").context("could not write the index"));
        assert_eq!(fault.exit(), Exit::Failed);
        assert_eq!(fault.message(), "could not write the index: disk full");
    }
}
