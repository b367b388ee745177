//! A configured remote: its URLs and its refspecs.
//!
//! Reading `remote.<name>.*` in one place keeps fetch, push and the reports from disagreeing about which URL applies
//! once `insteadOf`, `pushInsteadOf` and `pushUrl` are taken into account.

use std::{cell::RefCell, time::Duration};

use gix::{
    bstr::BStr,
    refs::{FullName, FullNameRef},
    refspec::{MatchGroup, RefSpec, match_group::Item},
};
use store::{History, Receiver};

use crate::{RemoteError, RemoteName, bracketed, direct::Found, shown, transport::endpoint::Endpoint};

/// A remote of a repository, as configured. It connects only when it is asked to list, fetch or push.
pub struct Remote<'repo> {
    pub(crate) repo: &'repo gix::Repository,
    pub(crate) history: History,
    pub(crate) inner: gix::Remote<'repo>,
    pub(crate) direct: RefCell<Found>,
    name: RemoteName,
    stall: Option<Duration>,
}

/// The direction of the transfer; the two may have different URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the remote.
    Fetch,
    /// To the remote.
    Push,
}

impl<'repo> Remote<'repo> {
    /// Returns the remote `name` of `repo`, with `url.*.insteadOf`, `pushInsteadOf` and `remote.<name>.pushUrl`
    /// applied.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Misconfigured`], if there is no such remote or its section cannot be read.
    pub fn named(repo: &'repo gix::Repository, name: &RemoteName) -> Result<Self, RemoteError> {
        let absent = || {
            RemoteError::misconfigured(
                format!("there is no remote '{name}' in this repository's configuration"),
                format!("`git remote -v` lists what there is; `git remote add {name} <url>` adds it"),
            )
        };
        if !repo.remote_names().iter().any(|known| *known == name.as_str()) {
            return Err(absent());
        }
        let found = bracketed::find(repo, name).or_else(|| repo.try_find_remote(BStr::new(name.as_str())));
        let inner = found.ok_or_else(absent)?;
        let inner = inner.map_err(|error| unusable(name, &error))?;
        Ok(Self {
            repo,
            history: History::of(repo),
            inner,
            direct: RefCell::default(),
            name: name.clone(),
            stall: None,
        })
    }

    /// Sets how long the remote may transfer no byte in either direction before it counts as unreachable. By default,
    /// the limit is git's `http.lowSpeedTime` if that is set, otherwise 30 s.
    #[must_use]
    pub fn with_stall(mut self, limit: Duration) -> Self {
        self.stall = Some(limit);
        self
    }

    /// Sets the commit cache, so that history read before is not read again.
    #[must_use]
    pub fn with_history(mut self, history: History) -> Self {
        self.history = history;
        self
    }

    /// Returns the repository that this is a remote of.
    #[must_use]
    pub fn repo(&self) -> &'repo gix::Repository {
        self.repo
    }

    /// Returns the cache of the commits read so far.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Returns the remote's name.
    #[must_use]
    pub fn name(&self) -> &RemoteName {
        &self.name
    }

    /// Returns the remote's URL for display: without a password or token.
    #[must_use]
    pub fn shown_url(&self, direction: Direction) -> String {
        self.inner.url(direction.into()).map_or_else(|| "(no URL)".to_owned(), shown::url)
    }

    /// Returns the remote's URL for programs that the user has configured: with any credentials in it, so not for
    /// display.
    #[must_use]
    pub fn full_url(&self, direction: Direction) -> Option<String> {
        self.inner.url(direction.into()).map(|url| url.to_bstring().to_string())
    }

    /// Returns the configured refspecs of a fetch.
    pub fn fetch_refspecs(&self) -> impl Iterator<Item = String> + '_ {
        self.inner
            .refspecs(gix::remote::Direction::Fetch)
            .iter()
            .map(|spec| spec.to_ref().instruction().to_bstring().to_string())
    }

    /// Whether a fetch deletes tracking refs whose ref no longer exists at the remote, by `remote.<name>.prune`, else
    /// `fetch.prune`.
    #[must_use]
    pub fn prunes(&self) -> bool {
        let config = self.repo.config_snapshot();
        let said = |key: String| config.boolean(key.as_str());
        said(format!("remote.{}.prune", self.name)).or_else(|| said("fetch.prune".into())).unwrap_or(false)
    }

    /// Returns the tracking ref of `at_remote` by the configured refspecs; for `refs/heads/main` that is usually
    /// `refs/remotes/origin/main`. `None` if there is none.
    #[must_use]
    pub fn tracking(&self, at_remote: &FullNameRef) -> Option<FullName> {
        tracking(self.repo, self.inner.refspecs(gix::remote::Direction::Fetch), at_remote)
    }

    /// Returns whether a push goes to a server or to a directory of this machine, as far as the URL shows.
    #[must_use]
    pub fn receiver(&self) -> Receiver {
        match Endpoint::of(self, Direction::Push) {
            Ok(Endpoint { local: Some(_), program: None, .. }) => Receiver::ObjectDatabase,
            Ok(_) | Err(_) => Receiver::Server,
        }
    }

    /// Returns how long no byte may be transferred before the remote counts as unreachable.
    pub(crate) fn stall(&self) -> Duration {
        const DEFAULT: Duration = Duration::from_secs(30);
        self.stall
            .or_else(|| {
                let seconds = self.repo.config_snapshot().integer("http.lowSpeedTime")?;
                u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
            })
            .unwrap_or(DEFAULT)
    }

    /// Returns `http.lowSpeedLimit` in bytes per second, which counts only together with `http.lowSpeedTime`.
    pub(crate) fn slowest(&self) -> u64 {
        let config = self.repo.config_snapshot();
        let limit =
            config.integer("http.lowSpeedLimit").filter(|_| config.integer("http.lowSpeedTime").is_some());
        limit.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0)
    }
}

/// The error for a configuration that is wrong or cannot be used on this machine.
pub(crate) fn unusable(name: &RemoteName, error: &gix::Error) -> RemoteError {
    RemoteError::misconfigured(
        format!("the configuration of remote '{name}' cannot be used: {}", sanitize::error(error)),
        format!("`git config --get-regexp '^remote[.]{name}[.]'` shows it"),
    )
}

/// Returns the destination of `at_remote` in `specs`.
pub(crate) fn tracking(
    repo: &gix::Repository,
    specs: &[RefSpec],
    at_remote: &FullNameRef,
) -> Option<FullName> {
    let nothing = repo.object_hash().null();
    let item = Item { full_ref_name: at_remote.as_bstr(), target: &nothing, object: None };
    let outcome =
        MatchGroup::from_fetch_specs(specs.iter().map(RefSpec::to_ref)).match_lhs(std::iter::once(item));
    let destination = outcome.mappings.into_iter().find_map(|mapping| mapping.rhs)?;
    FullName::try_from(destination.as_ref()).ok()
}

impl std::fmt::Debug for Remote<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote")
            .field("name", &self.name)
            .field("fetch", &self.shown_url(Direction::Fetch))
            .field("push", &self.shown_url(Direction::Push))
            .finish_non_exhaustive()
    }
}

impl From<Direction> for gix::remote::Direction {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Fetch => Self::Fetch,
            Direction::Push => Self::Push,
        }
    }
}
