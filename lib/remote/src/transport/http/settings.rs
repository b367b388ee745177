//! Reads git's `http.*` settings, where those for a URL override the general ones.
//!
//! See <https://git-scm.com/docs/git-config#Documentation/git-config.txt-httplturlgt>.

use std::{path::PathBuf, sync::Once, time::Duration};

use gix::{
    Url,
    bstr::{BStr, BString, ByteSlice},
    config::file::SectionRef,
    url::Scheme,
};
use reqwest::{
    Client, NoProxy, Proxy,
    header::{HeaderMap, HeaderValue},
};

use super::{Secure, header, netrc, trust::Trust};
use crate::{RemoteError, RemoteName};

/// The settings for requests to one URL.
pub(super) struct Settings {
    pub extra_headers: HeaderMap,
    pub user_agent: HeaderValue,
    pub follow_redirects: bool,
    /// `http.postBuffer`.
    pub post_buffer: usize,
    proxy: Option<String>,
    no_proxy: Option<String>,
    trust: Trust,
    only_http_1: bool,
    netrc: Option<String>,
    /// A security setting that cannot be honoured, so that no request is made.
    wrong: Option<String>,
}

impl Settings {
    pub fn of(repo: &gix::Repository, remote: &RemoteName, url: &Url) -> Result<Self, RemoteError> {
        let config = Matching { repo, url };
        let snapshot = repo.config_snapshot();
        let text = |key: &str| snapshot.string(key).map(|value| value.to_string());
        let from_environment = match url.scheme {
            Scheme::Https => text("gitoxide.https.proxy"),
            _ => text("gitoxide.http.proxy"),
        };
        let user_agent = config.last("userAgent").and_then(|value| HeaderValue::from_bytes(&value).ok());
        let own_agent = HeaderValue::from_str(&crate::agent());
        let no_verify = snapshot.boolean("gitoxide.http.sslNoVerify") == Some(true);
        let verify = config.flag("sslVerify");
        let is_pinned = config.last("pinnedPubkey").is_some_and(|key| !key.is_empty());
        let pinned = || "http.pinnedPubkey is set, and is not supported".to_owned();
        Ok(Self {
            extra_headers: config.extra_headers(),
            user_agent: user_agent.or(own_agent.ok()).unwrap_or(HeaderValue::from_static("git/lockstep")),
            // `initial` is not a boolean.
            follow_redirects: config.last("followRedirects").is_some_and(|value| value == "initial")
                || config.flag("followRedirects").is_ok_and(|follow| follow.unwrap_or(true)),
            post_buffer: config
                .last("postBuffer")
                .and_then(|value| gix::config::Integer::try_from(value.as_bstr()).ok()?.to_decimal())
                .and_then(|bytes| usize::try_from(bytes).ok())
                .unwrap_or(1024 * 1024),
            proxy: text(&format!("remote.{remote}.proxy"))
                .or_else(|| config.last("proxy").map(|value| value.to_string()))
                .or(from_environment)
                .or_else(|| text("gitoxide.http.allProxy")),
            no_proxy: text("gitoxide.http.noProxy"),
            trust: Trust {
                ca_info: config.path("sslCAInfo")?,
                ca_path: config.path("sslCAPath")?,
                certificate: config.path("sslCert")?,
                key: config.path("sslKey")?,
                verify: !no_verify && verify.as_ref().map_or(true, |verify| verify.unwrap_or(true)),
            },
            only_http_1: config.last("version").is_some_and(|value| value == "HTTP/1.1"),
            netrc: netrc_text(),
            wrong: verify.err().or_else(|| is_pinned.then(pinned)),
        })
    }

    /// Returns the `Authorization` header for `host` from `.netrc`.
    pub fn netrc(&self, host: &str) -> Option<HeaderValue> {
        let login = netrc::find(self.netrc.as_deref()?, host)?;
        let mut value = HeaderValue::from_str(&basic(&login.user, &login.password)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Returns a client with these settings, or what is wrong with them.
    pub fn client(&self, secure: Secure, connect: Duration) -> Result<Client, String> {
        static PROVIDER: Once = Once::new();
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        // Fails if a provider was installed before, which serves as well.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(connect)
            .referer(false)
            .no_proxy();
        if self.only_http_1 {
            builder = builder.http1_only();
        }
        builder = match secure {
            Secure::No => builder.tls_certs_only([]),
            Secure::Yes => self.trust.apply(builder)?,
        };
        if let Some(proxy) = self.proxy()? {
            builder = builder.proxy(proxy);
        }
        builder.build().map_err(|error| sanitize::error(&error.without_url()))
    }

    /// Returns the proxy for requests, if any, or what is wrong with it.
    fn proxy(&self) -> Result<Option<Proxy>, String> {
        const KNOWN: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
        // As in curl, only a lone star excludes all hosts, and spaces separate names, too.
        let no_proxy = self.no_proxy.as_deref().unwrap_or_default().trim();
        let Some(proxy) = self.proxy.as_deref().filter(|proxy| !proxy.is_empty() && no_proxy != "*") else {
            return Ok(None);
        };
        // As in curl, a proxy without a protocol speaks HTTP, and `socks` means version 4.
        let (protocol, place) = proxy.split_once("://").unwrap_or(("http", proxy));
        let protocol = if protocol.eq_ignore_ascii_case("socks") { "socks4" } else { protocol };
        let url = format!("{protocol}://{place}");
        let unusable = || format!("http.proxy: {} cannot be used", sanitize::address(&url));
        // reqwest would ignore an unknown protocol, and send everything without the proxy.
        if !KNOWN.iter().any(|known| protocol.eq_ignore_ascii_case(known)) {
            return Err(unusable());
        }
        let names = no_proxy.split([',', ' ']).filter(|name| !name.is_empty()).collect::<Vec<_>>();
        let no_proxy = (!names.is_empty()).then(|| NoProxy::from_string(&names.join(","))).flatten();
        Ok(Some(Proxy::all(&url).map_err(|_| unusable())?.no_proxy(no_proxy)))
    }
}

/// The `http` sections that match a URL.
struct Matching<'a> {
    repo: &'a gix::Repository,
    url: &'a Url,
}

impl Matching<'_> {
    /// Returns what `read` finds, that of the best match last. Only sections of trusted files count.
    fn find<T, I: IntoIterator<Item = T>>(&self, read: impl Fn(&SectionRef<'_>) -> I) -> Vec<T> {
        let config = self.repo.config_snapshot();
        let mut found = Vec::new();
        for section in config.plumbing().sections_by_name("http").into_iter().flatten() {
            if section.meta().trust != gix::sec::Trust::Full {
                continue;
            }
            let matched = match section.header().subsection_name() {
                None => Some(Match::default()),
                Some(pattern) => Match::of(pattern, self.url),
            };
            if let Some(matched) = matched {
                found.extend(read(&section).into_iter().map(|value| (matched, value)));
            }
        }
        found.sort_by_key(|(matched, _)| *matched);
        found.into_iter().map(|(_, value)| value).collect()
    }

    /// Returns all values of `key`.
    fn all(&self, key: &str) -> Vec<BString> {
        self.find(|section| section.values(key))
    }

    /// Returns the boolean value of `key`, if it is set; an error if the value is not a boolean. A key without a
    /// value is true.
    fn flag(&self, key: &str) -> Result<Option<bool>, String> {
        let Some(value) = self.find(|section| section.value_implicit(key)).pop() else { return Ok(None) };
        let Some(value) = value else { return Ok(Some(true)) };
        match gix::config::Boolean::try_from(value.as_bstr()) {
            Ok(flag) => Ok(Some(flag.0)),
            Err(_) => Err(format!("http.{key} is '{value}', which is neither true nor false")),
        }
    }

    fn last(&self, key: &str) -> Option<BString> {
        self.all(key).pop()
    }

    fn path(&self, key: &str) -> Result<Option<PathBuf>, RemoteError> {
        let Some(value) = self.last(key).filter(|value| !value.is_empty()) else { return Ok(None) };
        let bad = |words: String| {
            RemoteError::misconfigured(format!("http.{key}: {words}"), format!("correct http.{key}"))
        };
        let path = gix::path::from_bstr(value.as_bstr()).map_err(|error| bad(sanitize::error(&error)))?;
        match path.strip_prefix("~") {
            Ok(rest) => match gix::path::env::home_dir() {
                Some(home) => Ok(Some(home.join(rest))),
                None => Err(bad("there is no home directory".into())),
            },
            Err(_) => Ok(Some(path.into_owned())),
        }
    }

    /// Returns all extra headers; an empty value clears those before it.
    fn extra_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in self.all("extraHeader") {
            if value.is_empty() {
                headers.clear();
            } else if let Some((name, value)) = header(&value.to_str_lossy()) {
                headers.append(name, value);
            }
        }
        headers
    }
}

/// How well a section's URL matches, in git's order of importance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    host: usize,
    path: usize,
    user: bool,
}

impl Match {
    /// Compares `pattern` with `url`; `None` if it does not match.
    fn of(pattern: &BStr, url: &Url) -> Option<Self> {
        let pattern = gix::url::parse(pattern).ok()?;
        if pattern.scheme != url.scheme || pattern.port_or_default() != url.port_or_default() {
            return None;
        }
        let host = host_matches(pattern.host()?, url.host()?)?;
        if pattern.user().is_some() && pattern.user() != url.user() {
            return None;
        }
        let wanted = pattern.path.trim_end_with(|c| c == '/');
        let rest = url.path.strip_prefix(wanted)?;
        (rest.is_empty() || rest.starts_with(b"/")).then_some(Self {
            host,
            path: wanted.len(),
            user: pattern.user().is_some(),
        })
    }
}

/// Matches a host with a pattern in which `*` stands for one part of the name. The more is literal, the higher the
/// result.
fn host_matches(pattern: &str, host: &str) -> Option<usize> {
    let (pattern, host): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), host.split('.').collect());
    let same = pattern.len() == host.len()
        && pattern
            .iter()
            .zip(&host)
            .all(|(pattern, part)| *pattern == "*" || pattern.eq_ignore_ascii_case(part));
    same.then(|| pattern.iter().map(|part| if *part == "*" { 0 } else { part.len() + 1 }).sum())
}

/// Reads the user's netrc file, from where curl looks for it.
fn netrc_text() -> Option<String> {
    let file = match std::env::var_os("NETRC") {
        Some(file) => PathBuf::from(file),
        None => gix::path::env::home_dir()?.join(if cfg!(windows) { "_netrc" } else { ".netrc" }),
    };
    std::fs::read_to_string(file).ok()
}

/// Returns the header of basic authentication, see RFC 7617.
pub(super) fn basic(user: &str, password: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("Basic ");
    for three in format!("{user}:{password}").as_bytes().chunks(3) {
        let bits = (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(pattern: &str, url: &str) -> Option<Match> {
        Match::of(pattern.into(), &gix::url::parse(BStr::new(url)).unwrap())
    }

    #[test]
    fn a_section_is_about_a_url_if_host_port_and_the_start_of_the_path_are_its() {
        for (pattern, expected) in [
            ("https://example.com", true),
            ("https://example.com/", true),
            ("https://example.com/team", true),
            ("https://*.com", true),
            ("https://example.com/tea", false),
            ("http://example.com", false),
            ("https://example.com:444", false),
            ("https://mike@example.com", false),
            ("https://*.example.com", false),
        ] {
            let found = matched(pattern, "https://example.com/team/repo.git").is_some();
            assert_eq!(found, expected, "{pattern}");
        }
    }

    #[test]
    fn what_says_more_matches_better() {
        let url = "https://git.example.com/team/repo.git";
        assert!(matched("https://git.example.com", url) > matched("https://*.example.com/team", url));
        assert!(matched("https://git.example.com/team", url) > matched("https://git.example.com", url));
    }

    #[test]
    fn basic_authentication_is_base64() {
        assert_eq!(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic("a", "b"), "Basic YTpi");
        assert_eq!(basic("a", ""), "Basic YTo=");
    }
}
