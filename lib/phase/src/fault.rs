//! What went wrong, as the user is told: a code to branch on, a message, and a remedy apart from it.

use std::borrow::Cow;

use contract::{Exit, Failure};

/// Something that went wrong in a way that was foreseen.
///
/// Everything else is an [`anyhow::Error`], which the runner reports as [`Exit::Failed`]. A fault may travel inside an
/// `anyhow::Error`: the runner finds it there, and puts the error's context before its message.
///
/// What it says may quote anything, a URL with a password included, and goes into the document and to the terminal:
/// logins are cut out of it on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    exit: Exit,
    message: String,
    help: Option<String>,
    ends_run: bool,
}

impl Fault {
    /// A fault that makes the process exit with `exit`. The run ends where what follows could not make sense: the lock
    /// was not had, session logs are to be saved first, the input was no document.
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

    /// It did not work, for a reason that no other code names.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The configuration is wrong, or asks for something that is not supported.
    pub fn misconfigured(message: impl Into<String>) -> Self {
        Self::new(Exit::Misconfigured, message)
    }

    /// What a library says went wrong: the exit code that such failures have by custom (`sysexits.h`), a message, and a
    /// remedy where there is one.
    pub fn coded(code: u8, message: String, help: Option<String>) -> Self {
        Self { help: help.map(without_logins), ..Self::new(Exit::from_code(code), message) }
    }

    /// Says what the user can do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(without_logins(help));
        self
    }

    /// Tells of something else that is wrong, each with its remedy.
    pub fn besides(self, other: &Self) -> Self {
        let remedies: Vec<&str> = [self.remedy(), other.remedy()].into_iter().flatten().collect();
        let help = (!remedies.is_empty()).then(|| remedies.join("; "));
        Self { message: format!("{self}; besides, {other}"), help, ..self }
    }

    /// Ends the run, so that the phases which follow do nothing.
    pub fn ending_the_run(mut self) -> Self {
        self.ends_run = true;
        self
    }

    /// Lets the phases which follow do what they can.
    pub fn leaving_the_rest_to_run(mut self) -> Self {
        self.ends_run = false;
        self
    }

    /// The exit that the fault leads to.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether the phases which follow do nothing.
    pub fn ends_run(&self) -> bool {
        self.ends_run
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn remedy(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The fault as it stands in the document.
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
    match words::in_text(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(cut) => cut,
    }
}

/// What a phase has to say once it is done, well or not.
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
    /// A save command synced by itself: the rest of the run has nothing to do.
    Saved,
    /// Something went wrong, and the section says how far it got.
    Fault(Fault),
}

impl<S> Done<S> {
    /// All went well.
    pub fn ok(section: S) -> Self {
        Self { section, verdict: Verdict::Ok }
    }

    /// A save command synced by itself.
    pub fn saved(section: S) -> Self {
        Self { section, verdict: Verdict::Saved }
    }

    /// Something went wrong, and `section` says how far it got.
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
