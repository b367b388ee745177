//! Who commits: name and address as configured, and the time at which it happens.
//!
//! gix remembers the time at which the repository was opened. A run may wait minutes for the lock after that, and its
//! commits would then be older than the ones that they stand on.

use std::cell::OnceCell;

use anyhow::Context as _;
use gix::bstr::BString;
use phase::Fault;
use remote::local_ref::person::{self, Role};

/// An author or a committer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    name: BString,
    email: BString,
    fixed_time: Option<gix::date::Time>,
}

/// Both persons of a commit that is made here. Who they are is found out when the first one is asked for: a run with
/// nothing to commit need not know, nor fail where nobody has said.
pub struct People<'repo> {
    repo: &'repo gix::Repository,
    both: OnceCell<Both>,
}

struct Both {
    author: Person,
    committer: Person,
}

impl<'repo> People<'repo> {
    /// The two as git would have them: by the environment, else by the configuration.
    pub fn of(repo: &'repo gix::Repository) -> Self {
        Self { repo, both: OnceCell::new() }
    }

    /// Who wrote it.
    ///
    /// # Errors
    /// A fault with exit 78 where nobody said who the user is.
    pub fn author(&self) -> anyhow::Result<&Person> {
        Ok(&self.both()?.author)
    }

    /// Who committed it.
    ///
    /// # Errors
    /// A fault with exit 78 where nobody said who the user is.
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
        let known = person::signature(repo, role).ok_or_else(nobody)?;
        let known = known.context("the date in the environment is no date")?;
        let fixed_time = role.has_fixed_time(repo).then_some(known.time);
        Ok(Self { name: known.name, email: known.email, fixed_time })
    }

    /// The person's name.
    pub fn name(&self) -> &gix::bstr::BStr {
        self.name.as_ref()
    }

    /// The person, now; or at the time that the environment fixes.
    pub fn now(&self) -> gix::actor::Signature {
        let time = self.fixed_time.unwrap_or_else(person::now);
        gix::actor::Signature { name: self.name.clone(), email: self.email.clone(), time }
    }
}

fn nobody() -> Fault {
    Fault::misconfigured("git does not know who you are, and a commit needs an author")
        .help("git config --global user.name 'Your Name' && git config --global user.email you@example.com")
}
