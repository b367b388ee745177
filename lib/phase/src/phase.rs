//! Defines the [`Phase`] trait: what a phase implements. The runner does everything else that a process needs.

use contract::{Document, Section};

use crate::{CommonArgs, Done, Fault, LockArgs, Page, Run, Turn};

/// A phase: its options, its work and its report for people.
pub trait Phase {
    /// The phase's section of the document.
    type Section: Section;

    /// Returns the options that every phase has.
    fn common(&self) -> &CommonArgs;

    /// Returns how the phase uses the repository's lock.
    fn holding(&self) -> LockUse<'_>;

    /// Does the phase's work.
    ///
    /// # Errors
    /// A [`Fault`] if the error was foreseen; any other error is reported as a failure. In both cases the section in
    /// the document says only how the phase ended; a phase that has more to say returns [`Done::fault`].
    fn work(&self, run: &Run<'_>) -> anyhow::Result<Done<Self::Section>>;

    /// Called while the document is awaited, with the repository that it is likely to name: the place to begin work
    /// that takes long and changes nothing.
    ///
    /// The lock may not be held yet, and the run may never get to this phase. What was found here may be used only if
    /// [`Run::was_expected`] is true and it is still valid then. What other processes may change until the run has
    /// its lock must not be read before `turn` has come; `None` means that this cannot be known in advance.
    fn look_ahead(&self, _repo: &gix::Repository, _turn: Option<Turn>) -> Looked {
        Looked::Nowhere
    }

    /// Writes the section for people.
    fn report(&self, section: &Self::Section, page: &mut Page);

    /// Whether the phase works on this document rather than just passing it on.
    fn takes_part(&self, document: &Document) -> bool {
        !document.has_ended()
    }

    /// Called after the report and the document were written to every requested stream, while the lock is still held:
    /// the place to record that something was shown.
    ///
    /// # Errors
    /// Any error is printed and makes the process fail; the document has already been sent.
    fn after_delivery(&self, _run: &Run<'_>, _section: &Self::Section) -> anyhow::Result<()> {
        Ok(())
    }

    /// Called if the report or the document could not be written, which makes the process fail: the place to take back
    /// what is of use only with the document.
    ///
    /// # Errors
    /// Any error is printed too.
    fn after_failed_delivery(&self, _run: &Run<'_>, _section: &Self::Section) -> anyhow::Result<()> {
        Ok(())
    }

    /// Returns what people should know if the phase passes `document` on unchanged.
    fn aside(&self, _document: &Document) -> Option<Fault> {
        None
    }

    /// Called if the phase cannot begin, for what has to be done even then: if stdin holds no document, or the
    /// repository cannot be opened, which is that of the `document` if there is one.
    ///
    /// # Errors
    /// Any error is printed together with the message about why it cannot begin.
    fn despite_refusal(&self, _document: Option<&Document>) -> anyhow::Result<()> {
        Ok(())
    }
}

/// What a phase has read before the document arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// Nothing of the repository.
    Nowhere,
    /// Possibly objects of the repository: its object database may have a list of packs that is out of date.
    AtObjects,
}

/// How a phase uses the repository's lock.
#[derive(Debug, Clone, Copy)]
pub enum LockUse<'a> {
    /// It changes nothing: it joins the lock of its run, and works without a lock if there is none.
    Joins,
    /// It makes changes: it joins the lock of its run, and takes its own if there is none.
    Takes(&'a LockArgs),
    /// It manages the lock itself.
    Itself,
}
