//! What a phase says of itself; everything else about a process is the runner's.

use contract::{Document, Section};

use crate::{CommonArgs, Done, Fault, LockArgs, Page, Run, Turn};

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
    /// A [`Fault`] where the error was foreseen; anything else is reported as a failure. In both cases the document
    /// gets a section that says no more than that; a phase that has more to say returns [`Done::fault`].
    fn work(&self, run: &Run<'_>) -> anyhow::Result<Done<Self::Section>>;

    /// Called while the document is awaited, with the repository that it is likely to be about: the place to begin with
    /// what takes long and changes nothing. The lock may not be held yet, and the run may never come to this phase; what
    /// was found counts only where [`Run::was_expected`] says so, and where it still holds. What others may change until
    /// the lock is had is to be looked at only when the `turn` has come; `None`: that is not told beforehand.
    fn look_ahead(&self, _repo: &gix::Repository, _turn: Option<Turn>) -> Looked {
        Looked::Nowhere
    }

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

    /// What people should know where the phase takes no part and passes `document` on as it is.
    fn aside(&self, _document: &Document) -> Option<Fault> {
        None
    }

    /// Called where stdin holds no document, for what must happen all the same.
    ///
    /// # Errors
    /// Whatever goes wrong is printed beside the message about stdin.
    fn despite_bad_input(&self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// What a phase has looked at before there was a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// Nothing of the repository.
    Nowhere,
    /// Objects of the repository, perhaps: it may remember packs that are not all any more.
    AtObjects,
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
