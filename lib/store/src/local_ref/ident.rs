//! Determines the author and committer of commits and reflog entries, and the current time.
//!
//! gix can do that too. But to obtain the current time, it asks for the name of the local time zone, for which all
//! directories of the system's time zone database are listed: a tenth of the time of a merge of a thousand notes.

use std::{fs, sync::OnceLock};

use gix::{Repository, actor::Signature, bstr::BString, date::Time};
use jiff::{Timestamp, tz::TimeZone};

/// The role of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The author of a commit.
    Author,
    /// The committer of a commit, or the person who updates a ref.
    Committer,
}

impl Role {
    fn name_keys(self) -> [&'static str; 3] {
        match self {
            Self::Author => ["author.name", "user.name", "gitoxide.author.nameFallback"],
            Self::Committer => ["committer.name", "user.name", "gitoxide.committer.nameFallback"],
        }
    }

    fn email_keys(self) -> [&'static str; 4] {
        let environment = "gitoxide.user.emailFallback";
        match self {
            Self::Author => ["author.email", "user.email", environment, "gitoxide.author.emailFallback"],
            Self::Committer => {
                ["committer.email", "user.email", environment, "gitoxide.committer.emailFallback"]
            }
        }
    }

    /// Whether the environment sets the time for this role: `GIT_AUTHOR_DATE` or `GIT_COMMITTER_DATE`.
    pub fn has_fixed_time(self, repo: &Repository) -> bool {
        repo.config_snapshot().string(self.date_key()).is_some()
    }

    fn date_key(self) -> &'static str {
        match self {
            Self::Author => "gitoxide.commit.authorDate",
            Self::Committer => "gitoxide.commit.committerDate",
        }
    }
}

/// Returns the identity of the user in a role, from the environment or else from the configuration, as [git
/// does](https://git-scm.com/docs/git-commit#_commit_information), with the current time, unless the environment sets
/// another. `None` if neither of them names the user. Names and addresses are cleaned as git does.
///
/// # Errors
///
/// If the date in the environment is invalid.
pub fn signature(repo: &Repository, role: Role) -> Option<gix::Result<Signature>> {
    let config = repo.config_snapshot();
    let known = if role.has_fixed_time(repo) {
        // In any of the formats that git reads.
        let known = match role {
            Role::Author => repo.author(),
            Role::Committer => repo.committer(),
        };
        known?.and_then(|known| known.to_owned())
    } else {
        let name = role.name_keys().into_iter().find_map(|key| config.string(key))?;
        let email = role.email_keys().into_iter().find_map(|key| config.string(key))?;
        Ok(Signature { name, email, time: now() })
    };
    let known = known.map(|known| Signature {
        name: strip_crud(&known.name),
        email: strip_crud(&known.email),
        time: known.time,
    });
    let is_nobody = known.as_ref().is_ok_and(|known| known.name.is_empty());
    (!is_nobody).then_some(known)
}

/// Returns a name or an address as git writes it into a commit: without line feeds and angle brackets, which would
/// end it there, and without spaces, quotes and the like at both ends, as users put them into their configuration
/// (git's `ident.c`).
pub fn strip_crud(text: &[u8]) -> BString {
    let is_crud = |byte: &u8| *byte <= b' ' || b",:;<>\"\\'".contains(byte);
    let from = text.iter().position(|byte| !is_crud(byte)).unwrap_or(text.len());
    let to = text.iter().rposition(|byte| !is_crud(byte)).map_or(from, |last| last + 1);
    text[from..to].iter().copied().filter(|byte| !b"\n<>".contains(byte)).collect::<Vec<u8>>().into()
}

/// Returns the current time, with the offset of the local time zone.
pub fn now() -> Time {
    let now = Timestamp::now();
    Time { seconds: now.as_second(), offset: zone().to_offset(now).seconds() }
}

/// Returns the local time zone: without `TZ` it is that of `/etc/localtime` (localtime(5)), whatever its name is.
fn zone() -> &'static TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    let from_file = || {
        if std::env::var_os("TZ").is_some() {
            return None;
        }
        TimeZone::tzif("local", &fs::read("/etc/localtime").ok()?).ok()
    };
    ZONE.get_or_init(|| from_file().unwrap_or_else(TimeZone::system))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo(config: &[&str]) -> (testkit::World, Repository) {
        let world = testkit::World::new();
        let folder = world.path().join("repo");
        gix::init(&folder).unwrap();
        let options = gix::open::Options::isolated().config_overrides(config.iter().copied());
        let repo = gix::open_opts(&folder, options).unwrap();
        (world, repo)
    }

    #[test]
    fn the_role_comes_before_the_user() {
        let (_world, repo) = repo(&[
            "user.name=U",
            "user.email=u@example.com",
            "committer.name=C",
            "author.email=a@example.com",
        ]);
        for role in [Role::Author, Role::Committer] {
            let of_gix = match role {
                Role::Author => repo.author(),
                Role::Committer => repo.committer(),
            };
            let (ours, of_gix) = (signature(&repo, role).unwrap().unwrap(), of_gix.unwrap().unwrap());
            assert_eq!((ours.name.as_ref(), ours.email.as_ref()), (of_gix.name, of_gix.email));
            assert_eq!(ours.time.offset, of_gix.time().unwrap().offset);
        }
    }

    #[test]
    fn nobody_is_made_up() {
        let (_world, repo) = repo(&["user.name=U"]);
        assert!(signature(&repo, Role::Author).is_none());
    }

    #[test]
    fn who_is_named_by_quotes_and_spaces_alone_is_nobody() {
        let (_world, repo) = repo(&["user.name= \"'\" ", "user.email=u@example.com"]);
        assert!(signature(&repo, Role::Author).is_none());
    }

    #[test]
    fn names_and_addresses_are_as_git_writes_them() {
        for (configured, written) in [
            ("Mike", "Mike"),
            ("Mike Jr.", "Mike Jr."),
            ("\"Mike\"", "Mike"),
            (" Mike, ", "Mike"),
            ("Mike <m@example.com>", "Mike m@example.com"),
            ("O'Neil", "O'Neil"),
            ("Mi\nke", "Mike"),
            ("<m@example.com>", "m@example.com"),
            ("<>", ""),
            ("", ""),
        ] {
            assert_eq!(strip_crud(configured.as_bytes()), written, "{configured:?}");
        }
    }

    #[test]
    fn a_date_that_is_given_is_used() {
        let (_world, repo) = repo(&[
            "user.name=U",
            "user.email=u@example.com",
            "gitoxide.commit.committerDate=2026-06-05T12:00:00 -0700",
        ]);
        let committer = signature(&repo, Role::Committer).unwrap().unwrap();
        assert_eq!(committer.time, Time { seconds: 1_780_686_000, offset: -7 * 3600 });
    }
}
