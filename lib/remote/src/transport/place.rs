//! Where a remote is, with everything settled that a connection needs to know: relative paths resolved as git
//! resolves them, forbidden protocols refused, the program at the other end named.

use std::path::{Path, PathBuf};

use gix::{Url, url::Scheme};
use gix_transport::{Protocol, Service};

use super::permit::permit;
use crate::{Direction, Remote, RemoteName, Trouble, remote::unusable, shown};

/// A place to connect to.
#[derive(Clone)]
pub(crate) struct Place {
    pub url: Url,
    pub service: Service,
    pub protocol: Protocol,
    /// `remote.<name>.uploadpack` or `receivepack`, a line for the shell; `None`: the usual program.
    pub program: Option<std::ffi::OsString>,
    /// The directory, where the repository is on this machine.
    pub local: Option<PathBuf>,
    /// The remote's name.
    pub name: RemoteName,
    /// How the remote is called in messages: its name and URL, without user-info.
    pub called: String,
}

impl Place {
    /// The place of `remote` for `direction`.
    pub fn of(remote: &Remote<'_>, direction: Direction) -> Result<Self, Trouble> {
        let name = remote.name();
        let url = remote.inner.url(direction.into()).ok_or_else(|| {
            Trouble::misconfigured(
                format!("remote '{name}' has no URL to {}", direction.verb()),
                format!("set one: `git remote set-url {name} <url>`"),
            )
        })?;
        let called = format!("remote '{name}' at {}", shown::url(url));
        permit(remote.repo, url, &called)?;
        let mut url = url.clone();
        let mut local = None;
        if url.scheme == Scheme::File {
            let base = remote.repo.workdir().unwrap_or_else(|| remote.repo.git_dir());
            let path = gix::path::from_bstr(&url.path).map_err(|error| unusable(name, &error))?;
            let path = absolute(base, &path)?;
            url.path =
                gix::path::into_bstr(path.as_path()).map_err(|error| unusable(name, &error))?.into_owned();
            local = Some(path);
        }
        let (service, key) = match direction {
            Direction::Fetch => (Service::UploadPack, "uploadpack"),
            Direction::Push => (Service::ReceivePack, "receivepack"),
        };
        let config = remote.repo.config_snapshot();
        let program = config.trusted_program(format!("remote.{name}.{key}").as_str());
        let program = program.map_err(|error| unusable(name, &error))?;
        // Pushing knows no version 2, and version 1 only adds a line to version 0, which is what gix means by it.
        let protocol = match (direction, config.integer("protocol.version")) {
            (Direction::Push, _) | (Direction::Fetch, Some(0 | 1)) => Protocol::V1,
            (Direction::Fetch, _) => Protocol::V2,
        };
        Ok(Self { url, service, protocol, program, local, name: name.clone(), called })
    }
}

impl Direction {
    fn verb(self) -> &'static str {
        match self {
            Self::Fetch => "fetch from",
            Self::Push => "push to",
        }
    }
}

/// A path of the configuration is relative to the top of the work tree, whatever directory we are in.
fn absolute(base: &Path, path: &Path) -> Result<PathBuf, Trouble> {
    let base = std::path::absolute(base).map_err(|error| Trouble::local("finding the work tree", error))?;
    Ok(base.join(path))
}
