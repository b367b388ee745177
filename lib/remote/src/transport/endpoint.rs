//! Resolves where a remote is, and everything else that a connection needs to know.
//!
//! Relative paths are made absolute as in git, forbidden protocols are refused, and the server program is determined.

use std::path::{Path, PathBuf};

use gix::{
    Url,
    bstr::{BString, ByteSlice},
    url::Scheme,
};
use gix_transport::{Protocol, Service};

use super::permit::permit;
use crate::{Direction, Remote, RemoteError, RemoteName, remote::unusable, shown};

/// The endpoint of a connection.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub url: Url,
    pub service: Service,
    pub protocol: Protocol,
    /// `remote.<name>.uploadpack` or `receivepack`, a shell command line; `None` for the default program.
    pub program: Option<std::ffi::OsString>,
    /// The directory, if the repository is on this machine.
    pub local: Option<PathBuf>,
    /// The remote's name.
    pub name: RemoteName,
    /// How messages refer to the remote: its name and URL, without user-info.
    pub called: String,
}

impl Endpoint {
    /// Returns the endpoint of `remote` for `direction`.
    pub fn of(remote: &Remote<'_>, direction: Direction) -> Result<Self, RemoteError> {
        let name = remote.name();
        let url = remote.inner.url(direction.into()).ok_or_else(|| {
            RemoteError::misconfigured(
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
            let path = folder(&url);
            let path = gix::path::from_bstr(path.as_bstr()).map_err(|error| unusable(name, &error))?;
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
        // A push has no version 2, and version 1 only adds a line to version 0; gix's `V1` covers both.
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

/// Returns the directory that a path or a `file://` URL names. As with git's servers, a path may begin with `~` or
/// `~user`.
fn folder(url: &Url) -> BString {
    // Only URLs have escapes; a plain path is taken literally.
    if !url.serialize_alternative_form {
        return decoded(&url.path);
    }
    let at_home = || {
        let (user, rest) = match url.path.strip_prefix(b"~")?.split_once_str("/") {
            Some((user, rest)) => (user, Some(rest)),
            None => (url.path.strip_prefix(b"~")?, None),
        };
        let home = home(user.to_str().ok()?)?;
        let rest = gix::path::from_byte_slice(rest.unwrap_or_default()).ok()?;
        Some(gix::path::into_bstr(home.join(rest)).ok()?.into_owned())
    };
    at_home().unwrap_or_else(|| url.path.clone())
}

/// Returns the home directory of `user`, or of the current user if that is empty.
fn home(user: &str) -> Option<PathBuf> {
    if user.is_empty() {
        return gix::path::env::home_dir();
    }
    #[cfg(unix)]
    return gix::config::path::interpolate::home_for_user(user);
    #[cfg(not(unix))]
    None
}

/// Decodes escapes such as `%41`. Invalid ones are left as they are, as git leaves them.
fn decoded(text: &[u8]) -> BString {
    let digit = |at: usize| text.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let mut bytes = BString::default();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let value = digit(at + 1).zip(digit(at + 2)).filter(|_| *byte == b'%');
        match value.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()).filter(|value| *value > 0) {
            Some(value) => {
                bytes.push(value);
                at += 3;
            }
            None => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
    bytes
}

/// Resolves a configured path, which is relative to the top of the working tree, whatever the current directory is.
fn absolute(base: &Path, path: &Path) -> Result<PathBuf, RemoteError> {
    let base =
        std::path::absolute(base).map_err(|error| RemoteError::local("finding the work tree", error))?;
    Ok(base.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_a_file_is_decoded_and_a_path_is_not() {
        for (text, folder_of) in [
            ("file:///srv/sp%20ace/%C3%bC.git", "/srv/sp ace/ü.git"),
            ("file:///srv/100%/%zz/%00.git", "/srv/100%/%zz/%00.git"),
            ("/srv/sp%20ace/r.git", "/srv/sp%20ace/r.git"),
            ("file:///~/r.git", "/~/r.git"),
            ("~no-such-user/r.git", "~no-such-user/r.git"),
        ] {
            let url = gix::url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(folder(&url), folder_of, "{text}");
        }
    }
}
