//! Determines the author and the committer of new commits: name and address as configured, and the current time.
//!
//! gix keeps the time at which the repository was opened. A run may wait minutes for the lock after that, and its
//! commits would then be older than their parents.

use std::cell::OnceCell;

use anyhow::Context as _;
use gix::bstr::BString;
use phase::Fault;
use store::local_ref::ident::{self, Role};

/// An author or a committer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    name: BString,
    email: BString,
    fixed_time: Option<gix::date::Time>,
}

/// The author and the committer of the commits that are made here. They are determined when the first of them is
/// needed: a run with nothing to commit need not know them, nor fail if they are not configured.
pub struct People<'repo> {
    repo: &'repo gix::Repository,
    both: OnceCell<Both>,
}

struct Both {
    author: Person,
    committer: Person,
}

impl<'repo> People<'repo> {
    /// Returns both as git determines them: from the environment, else from the configuration.
    pub fn of(repo: &'repo gix::Repository) -> Self {
        Self { repo, both: OnceCell::new() }
    }

    /// Returns the author.
    ///
    /// # Errors
    /// A fault with exit 78 if no identity is configured.
    pub fn author(&self) -> anyhow::Result<&Person> {
        Ok(&self.both()?.author)
    }

    /// Returns the committer.
    ///
    /// # Errors
    /// A fault with exit 78 if no identity is configured.
    pub fn committer(&self) -> anyhow::Result<&Person> {
        Ok(&self.both()?.committer)
    }

    fn both(&self) -> anyhow::Result<&Both> {
        if let Some(both) = self.both.get() {
            return Ok(both);
        }
        let author = Person::of(self.repo, Role::Author)?;
        let committer = Person::of(self.repo, Role::Committer)?;
        Ok(self.both.get_or_init(|| Both { author, committer }))
    }
}

impl Person {
    fn of(repo: &gix::Repository, role: Role) -> anyhow::Result<Self> {
        let known = ident::signature(repo, role).ok_or_else(nobody)?;
        let known = known.context("the date in the environment is no date")?;
        let fixed_time = role.has_fixed_time(repo).then_some(known.time);
        Ok(Self { name: known.name, email: known.email, fixed_time })
    }

    /// Returns the name.
    pub fn name(&self) -> &gix::bstr::BStr {
        self.name.as_ref()
    }

    /// Returns the signature with the current time, or with the time that the environment fixes.
    pub fn now(&self) -> gix::actor::Signature {
        let time = self.fixed_time.unwrap_or_else(ident::now);
        gix::actor::Signature { name: self.name.clone(), email: self.email.clone(), time }
    }
}

fn nobody() -> Fault {
    Fault::misconfigured("git does not know who you are, and a commit needs an author")
        .help("git config --global user.name 'Your Name' && git config --global user.email you@example.com")
}
