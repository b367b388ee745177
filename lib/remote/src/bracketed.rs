//! Reads remote addresses that git understands and gix does not.
//!
//! These are `[host:2222]:path` and `user@[::1]:path`, where gix looks for the colon before the path without regard
//! to brackets and for no port within them, and `ssh://` or `git://` URLs with spaces in their paths.

use gix::{
    Url,
    bstr::{BStr, ByteSlice},
    remote::fetch::Tags,
};

use crate::{Direction, RemoteName};

/// Returns the remote `name` if its address is one of these; `None` if gix reads it as git does.
pub(crate) fn find<'repo>(
    repo: &'repo gix::Repository,
    name: &RemoteName,
) -> Option<gix::Result<gix::Remote<'repo>>> {
    let config = repo.config_snapshot();
    let all = |key: &str| config.plumbing().strings_by("remote", Some(BStr::new(name.as_str())), key);
    let (urls, push_urls) = (all("url").unwrap_or_default(), all("pushurl").unwrap_or_default());
    // With several URLs, gix reports what it cannot read.
    let ([url], [] | [_]) = (&urls[..], &push_urls[..]) else { return None };
    let push_url = push_urls.first();
    if address(url.as_bstr()).is_none() && push_url.is_none_or(|url| address(url.as_bstr()).is_none()) {
        return None;
    }
    let tags = match all("tagOpt").unwrap_or_default().last().map(|value| value.as_slice()) {
        Some(b"--tags") => Tags::All,
        Some(b"--no-tags") => Tags::None,
        Some(_) | None => Tags::Included,
    };
    let build = || {
        let mut found = repo.remote_at(read(url.as_bstr())?)?.with_fetch_tags(tags);
        if let Some(url) = push_url {
            found = found.with_push_url(read(url.as_bstr())?)?;
        }
        found.with_refspecs(all("fetch").unwrap_or_default(), Direction::Fetch.into())
    };
    Some(build())
}

fn read(text: &BStr) -> gix::Result<Url> {
    address(text).map_or_else(|| gix::url::parse(text), Ok)
}

/// Reads an address that gix reads differently from git, or not at all.
fn address(text: &BStr) -> Option<Url> {
    let text = text.to_str().ok()?;
    in_brackets(text).or_else(|| with_spaces(text))
}

/// Reads a URL with spaces, which are equivalent to escapes.
fn with_spaces(text: &str) -> Option<Url> {
    let has_escapes =
        ["ssh://", "git+ssh://", "ssh+git://", "git://"].iter().any(|scheme| text.starts_with(scheme));
    let url = (has_escapes && text.contains(' ')).then(|| text.replace(' ', "%20"))?;
    gix::url::parse(BStr::new(&url)).ok()
}

/// Splits `[user@host:port]:path` and `user@[host:port]:path`, as git's `connect.c` does.
fn in_brackets(text: &str) -> Option<Url> {
    let is_path = text.find('/').is_some_and(|slash| text.find(':').is_none_or(|colon| slash < colon));
    if text.contains("://") || is_path {
        return None;
    }
    let start = text.find("@[").map_or(0, |at| at + 1);
    let (outside, bracketed) = text.split_at(start);
    let (inside, rest) = bracketed.strip_prefix('[')?.split_once(']')?;
    let (_, path) = rest.split_once(':')?;
    let (user, host) = match inside.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (outside.strip_suffix('@'), inside),
    };
    // An IPv6 address has colons and no port.
    let (host, port) = match host.split_once(':').map(|(host, port)| (host, port.parse::<u16>())) {
        Some((host, Ok(port))) => (host, Some(port)),
        Some((_, Err(_))) | None => (host, None),
    };
    if host.is_empty() || path.is_empty() {
        return None;
    }
    let mut url = gix::url::parse(BStr::new("ssh://host/path")).ok()?;
    url.set_user(user.map(ToOwned::to_owned));
    (url.host, url.port) = (Some(host.to_owned()), port);
    url.path = match path.strip_prefix('/') {
        Some(home) if home.starts_with('~') => home.into(),
        Some(_) => path.into(),
        // A URL with a port can express a path relative to the user's home only in this way.
        None if port.is_some() && !path.starts_with('~') => format!("~/{path}").into(),
        None => path.into(),
    };
    Some(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_brackets_is_taken_apart_as_git_does() {
        for (text, user, host, port, path) in [
            ("[host:2222]:/p", None, "host", Some(2222), "/p"),
            ("[user@host:2222]:p", Some("user"), "host", Some(2222), "~/p"),
            ("[user@::1]:/p", Some("user"), "::1", None, "/p"),
            ("user@[::1]:/p", Some("user"), "::1", None, "/p"),
            ("user@[::1]:p/q", Some("user"), "::1", None, "p/q"),
            ("user@[host:22]:/~mike/p", Some("user"), "host", Some(22), "~mike/p"),
            ("[::1]:/p", None, "::1", None, "/p"),
        ] {
            let url = address(text.into()).unwrap();
            let read = (url.user(), url.host().unwrap(), url.port, url.path.to_str().unwrap());
            assert_eq!(read, (user, host, port, path), "{text}");
        }
    }

    #[test]
    fn what_has_no_brackets_before_its_path_is_left_to_gix() {
        for text in
            ["host:[p]", "host:/p", "/a/[host]:p", "./[host]:p", "ssh://[::1]:22/p", "[host]", "[host:22]:"]
        {
            assert!(address(text.into()).is_none(), "{text}");
        }
    }
}
