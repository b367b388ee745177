//! Connects to a web server: git's "smart" HTTP, see <https://git-scm.com/docs/http-protocol>.
//!
//! gix implements the protocol; the requests are made here. gix's own HTTP client ignores most of git's `http.*`
//! settings, gives up on a slow server after thirty seconds in total, and waits for ever for a silent one.

mod answer;
mod body;
mod exchange;
mod login;
mod netrc;
mod pace;
mod settings;
mod trust;

use std::sync::{Arc, Mutex};

use gix::bstr::ByteSlice;
use gix_transport::client::blocking_io::{
    Transport,
    http::{GetResponse, Http, PostBodyDataKind, PostResponse, Transport as SmartTransport},
};
use reqwest::{
    Client, Method, RequestBuilder,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT},
};
use tokio::runtime::Runtime;

use self::{
    answer::{Answer, Headers},
    body::PostBody,
    exchange::{Answering, Exchange, Who},
    login::Login,
    settings::Settings,
};
use super::{
    endpoint::Endpoint,
    wire::{Fault, Traffic},
};
use crate::RemoteError;

/// Prepares a connection to the web server at `place`; nothing is sent yet.
pub(super) fn open(
    repo: &gix::Repository,
    remote: &crate::RemoteName,
    place: &Endpoint,
    wire: &Arc<Traffic>,
) -> Result<Box<dyn Transport + Send>, RemoteError> {
    let settings = Settings::of(repo, remote, &place.url)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| RemoteError::local("preparing to talk HTTP", error))?;
    let requests = Requests {
        settings,
        wire: Arc::clone(wire),
        client: None,
        runtime: Arc::new(Quitting(Some(runtime))),
        login: Login::new(repo),
        home: reqwest::Url::parse(&place.url.to_bstring().to_str_lossy()).ok(),
        redirected: None,
    };
    Ok(Box::new(SmartTransport::new_http(requests, place.url.clone(), place.protocol, false)))
}

/// Makes the HTTP requests.
struct Requests {
    settings: Settings,
    wire: Arc<Traffic>,
    client: Option<(Secure, Client)>,
    runtime: Arc<Quitting>,
    login: Login,
    /// The configured URL.
    home: Option<reqwest::Url>,
    /// The base URL after a redirect.
    redirected: Option<String>,
}

/// Whether a client is set up for TLS. Loading the system's certificates takes longer than a small request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secure {
    Yes,
    No,
}

/// A runtime that does not wait for its tasks when it is dropped: a name lookup may take minutes.
struct Quitting(Option<Runtime>);

impl Quitting {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.0.as_ref().map(|runtime| runtime.block_on(future))
    }

    /// Sends a request, which makes progress while its response is awaited.
    ///
    /// A connection is reused for several requests, and between two of them the user may be prompted for a password,
    /// or a pack be made. That the server has closed it meanwhile is noticed only while the runtime runs: so the
    /// runtime runs briefly first, and the request is sent over a connection that is still open.
    fn send(&self, request: RequestBuilder) -> Answering {
        // One task notices that the connection is closed, another passes that on; each needs a turn.
        const TURNS: usize = 4;
        self.block_on(async {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        });
        Box::pin(request.send())
    }
}

impl Drop for Quitting {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Http for Requests {
    type Headers = Headers;
    type ResponseBody = Answer;
    type PostBody = PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Headers, Answer>> {
        let tail = url.strip_prefix(base_url).unwrap_or_default();
        let mut url = reqwest::Url::parse(url).map_err(gix::Error::from_error)?;
        let mut headers = self.headers(&mut url, headers);
        let start = url.clone();
        for _ in 0..MOST_REDIRECTS {
            let request = self.client(&url)?.request(Method::GET, url.clone()).headers(headers.clone());
            let mut exchange = Exchange::whole(&self.runtime, &self.wire, request);
            let Some(target) = exchange.redirect() else {
                if url != start {
                    self.redirected = Some(base_of(&url, tail).ok_or_else(|| {
                        let words = "it redirects to a place that is no repository".to_owned();
                        self.wire.fault(Fault::NotGit(words.clone()));
                        gix::Error::from_error(std::io::Error::other(words))
                    })?);
                }
                let exchange = Arc::new(Mutex::new(exchange));
                return Ok(GetResponse {
                    headers: Headers::of(Arc::clone(&exchange)),
                    body: Answer::of(exchange),
                });
            };
            let next = url.join(&target).map_err(gix::Error::from_error)?;
            self.permit_redirect(&url, &next)?;
            if next.origin() != url.origin() {
                // Headers for one host must not be sent to another.
                headers.remove(AUTHORIZATION);
                for name in self.settings.extra_headers.keys() {
                    headers.remove(name);
                }
            }
            url = next;
        }
        let words = "it redirects in circles".to_owned();
        self.wire.fault(Fault::NotGit(words.clone()));
        Err(gix::Error::from_error(std::io::Error::other(words)))
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _kind: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Headers, Answer, PostBody>> {
        // After a redirect, requests go to the new base URL.
        let base = self.redirected.clone().unwrap_or_else(|| base_url.to_owned());
        let url = url.strip_prefix(base_url).map_or_else(|| url.to_owned(), |tail| format!("{base}{tail}"));
        let mut url = reqwest::Url::parse(&url).map_err(gix::Error::from_error)?;
        let given: Vec<_> = headers.into_iter().collect();
        let known =
            given.iter().filter_map(|line| header(line.as_ref())).any(|(name, _)| name == AUTHORIZATION);
        let headers = self.headers(&mut url, given);
        let request = self.client(&url)?.request(Method::POST, url).headers(headers);
        let who = (!known).then(|| Who { login: self.login.clone(), url: base });
        let exchange = Exchange::posting(&self.runtime, &self.wire, request, self.settings.post_buffer, who);
        let exchange = Arc::new(Mutex::new(exchange));
        Ok(PostResponse {
            post_body: PostBody::of(Arc::clone(&exchange)),
            headers: Headers::of(Arc::clone(&exchange)),
            body: Answer::of(exchange),
        })
    }

    fn configure(&mut self, _config: &dyn std::any::Any) -> gix::Result<()> {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.clone()
    }
}

/// As many as curl follows for git.
const MOST_REDIRECTS: usize = 20;

impl Requests {
    fn client(&mut self, url: &reqwest::Url) -> gix::Result<Client> {
        let secure = if url.scheme() == "https" { Secure::Yes } else { Secure::No };
        if let Some((has, client)) = &self.client
            && *has == secure
        {
            return Ok(client.clone());
        }
        let client = self.settings.client(secure, self.wire.limit).map_err(|words| {
            self.wire.fault(Fault::Setting(words.clone()));
            gix::Error::from_error(std::io::Error::other(words))
        })?;
        self.client = Some((secure, client.clone()));
        Ok(client)
    }

    /// Returns the headers of a request: gix's, the configured ones, and credentials if an earlier request needed
    /// them or `.netrc` has some. The URL's own credentials have become headers already, and are removed from it.
    fn headers(&self, url: &mut reqwest::Url, given: impl IntoIterator<Item = impl AsRef<str>>) -> HeaderMap {
        // Both can fail only for URLs without a host, which have no user-info either.
        let _ = url.set_password(None);
        let _ = url.set_username("");
        let mut headers = HeaderMap::new();
        for line in given {
            if let Some((name, value)) = header(line.as_ref()) {
                headers.insert(name, value);
            }
        }
        headers.insert(USER_AGENT, self.settings.user_agent.clone());
        if !headers.contains_key(AUTHORIZATION)
            && let Some(value) =
                self.login.given().or_else(|| self.settings.netrc(url.host_str().unwrap_or_default()))
        {
            headers.insert(AUTHORIZATION, value);
        }
        // The configured headers are not for a host that the server redirects to.
        if self.home.as_ref().is_some_and(|home| home.origin() == url.origin()) {
            for name in self.settings.extra_headers.keys() {
                headers.remove(name);
            }
            for (name, value) in &self.settings.extra_headers {
                headers.append(name, value.clone());
            }
        }
        headers
    }

    fn permit_redirect(&self, from: &reqwest::Url, to: &reqwest::Url) -> gix::Result<()> {
        let words = if !self.settings.follow_redirects {
            "it redirects, and http.followRedirects forbids to follow"
        } else if (from.scheme(), to.scheme()) == ("https", "http") {
            "it redirects from https to http, which is not safe"
        } else if !matches!(to.scheme(), "http" | "https") {
            "it redirects to another protocol"
        } else {
            return Ok(());
        };
        self.wire.fault(Fault::NotGit(words.into()));
        Err(gix::Error::from_error(std::io::Error::other(words)))
    }
}

/// Splits a header line into name and value; the value is never printed, since it may be a credential.
fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let mut value = HeaderValue::from_str(value.trim()).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, value))
}

/// Returns `url` without `tail`.
fn base_of(url: &reqwest::Url, tail: &str) -> Option<String> {
    // gix puts a slash between the two, unless the URL ends in one.
    let tail = tail.trim_start_matches('/');
    let base = url.as_str().strip_suffix(tail)?;
    Some(base.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_of_a_redirected_url_is_what_stands_before_the_request() {
        let url = reqwest::Url::parse("https://h/moved/repo.git/info/refs?service=git-upload-pack").unwrap();
        let tail = "/info/refs?service=git-upload-pack";
        assert_eq!(base_of(&url, tail).as_deref(), Some("https://h/moved/repo.git"));
        assert_eq!(base_of(&reqwest::Url::parse("https://h/login").unwrap(), tail), None);
    }

    #[test]
    fn a_header_line_is_split_once_and_kept_from_view() {
        let (name, value) = header("Authorization: Basic a:b").unwrap();
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("authorization", "Basic a:b"));
        assert!(!format!("{value:?}").contains("Basic"));
        assert!(header("no header").is_none());
    }
}
