//! Decides whether a commit's author is the user.

use contract::Identity;
use gix::{
    actor::SignatureRef,
    bstr::{BStr, ByteSlice},
};
use store::local_ref::ident::strip_crud;

/// The author of a commit, as mapped by the mailmap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Author {
    /// Their name.
    pub(crate) name: String,
    /// Their email address.
    pub(crate) email: String,
}

/// The mailmap of a repository, and the names of the user.
#[derive(Debug)]
pub(crate) struct People {
    mailmap: gix::mailmap::Snapshot,
    names: Vec<String>,
    email: Option<String>,
}

impl People {
    /// Reads the mailmap (gitmailmap), and the user's names from identity.json and git's configuration.
    pub(crate) fn of(repo: &gix::Repository, identity: &Identity) -> Self {
        let config = repo.config_snapshot();
        // Cleaned up as git does when the user commits.
        let configured = |key| config.string(key).map(|value| strip_crud(&value).to_string());
        let mut people = Self { mailmap: repo.open_mailmap(), names: Vec::new(), email: None };
        people.names.extend(identity.user.clone());
        let (name, email) = (configured("user.name"), configured("user.email"));
        if let (Some(name), Some(email)) = (&name, &email) {
            let mapped = people.resolve(name.as_str().into(), email.as_str().into());
            people.names.push(mapped.name);
            people.email = Some(mapped.email);
        } else {
            people.names.extend(name);
            people.email = email;
        }
        people
    }

    /// Returns the canonical author for a name and an address.
    pub(crate) fn resolve(&self, name: &BStr, email: &BStr) -> Author {
        let person = self.mailmap.resolve_cow(SignatureRef { name, email, time: "" });
        Author {
            name: person.name.to_str_lossy().into_owned(),
            email: person.email.to_str_lossy().into_owned(),
        }
    }

    /// Whether an author is the user.
    pub(crate) fn is_user(&self, author: &Author) -> bool {
        let same = |a: &str, b: &str| !a.is_empty() && a.to_lowercase() == b.to_lowercase();
        self.names.iter().any(|name| same(name, &author.name))
            || self.email.as_ref().is_some_and(|email| same(email, &author.email))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(mailmap: &str) -> People {
        People {
            mailmap: gix::mailmap::Snapshot::from_bytes(mailmap.as_bytes()),
            names: vec!["mike".into(), "Mike Miller".into()],
            email: Some("mike@example.com".into()),
        }
    }

    #[test]
    fn the_user_is_known_by_either_name_and_by_the_address() {
        let people = people("");
        let author = |name: &str, email: &str| Author { name: name.into(), email: email.into() };
        assert!(people.is_user(&author("Mike", "x@example.com")));
        assert!(people.is_user(&author("mike miller", "x@example.com")));
        assert!(people.is_user(&author("M", "Mike@Example.com")));
        assert!(!people.is_user(&author("Howard", "howard@example.com")));
        assert!(!people.is_user(&author("", "")));
    }

    #[test]
    fn the_mailmap_says_who_somebody_really_is() {
        let people = people(
            "Howard Hill <howard@example.com> <hh@laptop.local>\nMike Miller <mike@example.com> root <root@server>\n",
        );
        assert_eq!(people.resolve("hh".into(), "HH@laptop.local".into()).name, "Howard Hill");
        assert!(people.is_user(&people.resolve("root".into(), "root@server".into())));
    }
}
