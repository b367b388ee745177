//! The facts about how a pipeline ended, and the exit code that follows from them.

use contract::{Envelope, Exit};

/// How a pipeline ended.
#[derive(Debug)]
pub struct Ended {
    /// The document that the last step wrote; `None` if it wrote none.
    pub envelope: Option<Envelope>,
    /// How each step ended, in order.
    pub steps: Vec<StepEnd>,
    /// The signal that ended the run.
    pub signal: Option<Signal>,
    /// Whether nobody reads stdout: messages were still being written to it when the run was ended.
    pub is_unread: bool,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepEnd {
    /// The binary's name.
    pub name: &'static str,
    /// How it ended.
    pub end: End,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It exited with this code.
    Exited(u8),
    /// A signal killed it.
    #[cfg_attr(not(unix), expect(dead_code, reason = "elsewhere processes have no signals"))]
    Killed(i32),
}

/// A signal that asks a run to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(pub i32);

impl Ended {
    /// Returns the run's exit code: 128 plus the signal's number if a signal ended it, else the document's code, else
    /// that of the first step that failed.
    pub fn code(&self) -> u8 {
        if let Some(Signal(number)) = self.signal {
            return u8::try_from(128 + number).unwrap_or(Exit::Failed.code());
        }
        let Some(envelope) = &self.envelope else {
            return self.first_failure().unwrap_or(Exit::Failed.code());
        };
        let document = envelope.document();
        match Exit::of(document.outcome, document.error.as_ref().map(|error| error.code)) {
            // A step may fail after it has passed its document on: then the document cannot report it.
            Exit::Ok => self.first_failure().unwrap_or(0),
            // A step found an empty pipe: what matters is why the one before it died.
            Exit::BadInput => self.first_failure().unwrap_or(Exit::BadInput.code()),
            exit => exit.code(),
        }
    }

    /// Returns the first step that failed without passing the document on.
    pub fn died(&self) -> Option<StepEnd> {
        let silent = match &self.envelope {
            None => true,
            Some(envelope) => {
                envelope.document().error.as_ref().is_some_and(|error| error.code == Exit::BadInput.code())
            }
        };
        let first = self.steps.iter().find(|step| step.end != End::Exited(0)).copied();
        first.filter(|step| silent && step.end != End::Exited(Exit::BadInput.code()))
    }

    fn first_failure(&self) -> Option<u8> {
        self.steps.iter().find_map(|step| match step.end {
            End::Exited(0) => None,
            End::Exited(code) => Some(code),
            End::Killed(_) => Some(Exit::Failed.code()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{Document, Failure, Identity, Outcome};

    fn ended(outcome: Outcome, codes: &[u8]) -> Ended {
        let mut envelope =
            Envelope::new(Document::begin("1".into(), None, Identity { user: None, host: "desk".into() }));
        let failure = Failure { phase: "gitsync".into(), code: 69, message: "no route".into(), help: None };
        envelope.conclude(outcome, (outcome == Outcome::Failed).then_some(failure), false);
        let step = |code: &u8| StepEnd { name: "gitsync", end: End::Exited(*code) };
        Ended {
            envelope: Some(envelope),
            steps: codes.iter().map(step).collect(),
            signal: None,
            is_unread: false,
        }
    }

    #[test]
    fn the_code_is_the_documents() {
        assert_eq!(ended(Outcome::Ok, &[0, 0]).code(), 0);
        assert_eq!(ended(Outcome::Saved, &[0, 0]).code(), 0);
        assert_eq!(ended(Outcome::Conflict, &[0, 4]).code(), 4);
        assert_eq!(ended(Outcome::Failed, &[69, 69]).code(), 69);
    }

    #[test]
    fn a_step_that_failed_once_its_document_was_on_its_way_is_not_forgotten() {
        assert_eq!(ended(Outcome::Ok, &[0, 1, 0]).code(), 1);
    }

    #[test]
    fn without_a_document_nothing_is_well() {
        assert_eq!(Ended { envelope: None, ..ended(Outcome::Ok, &[0, 0]) }.code(), 1);
        assert_eq!(Ended { envelope: None, ..ended(Outcome::Ok, &[2, 65]) }.code(), 2);
    }

    #[test]
    fn a_step_that_died_is_blamed_and_not_the_one_that_found_its_pipe_empty() {
        let mut ended = ended(Outcome::Ok, &[0, 2, 65, 65]);
        if let Some(envelope) = &mut ended.envelope {
            let failure =
                Failure { phase: "notes-sync".into(), code: 65, message: String::new(), help: None };
            envelope.conclude(Outcome::Failed, Some(failure), true);
        }
        assert_eq!(ended.code(), 2);
        assert_eq!(ended.died().map(|step| step.end), Some(End::Exited(2)));
    }

    #[test]
    fn a_signal_is_told_as_shells_tell_it() {
        assert_eq!(Ended { signal: Some(Signal(2)), ..ended(Outcome::Ok, &[0]) }.code(), 130);
        assert_eq!(Ended { signal: Some(Signal(15)), ..ended(Outcome::Failed, &[1]) }.code(), 143);
    }
}
