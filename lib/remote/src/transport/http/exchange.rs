//! Performs one HTTP request and reads its response piece by piece, with the stall limit at every step.
//!
//! reqwest is asynchronous and git's protocol is not. Everything runs on the caller's thread: a request makes
//! progress only while it is written to or read from, and dropping it aborts it.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use bytes::Bytes;
use gix::bstr::BString;
use gix_transport::client::AuthenticationRequired;
use reqwest::{
    RequestBuilder, Response, StatusCode,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE},
};
use tokio::sync::mpsc;

use super::{Quitting, body::Pieces, login::Login, pace::Pace};
use crate::transport::wire::{Fault, Traffic};

/// A request in progress.
pub(super) struct Exchange {
    runtime: Arc<Quitting>,
    wire: Arc<Traffic>,
    phase: Phase,
    pace: Pace,
    /// Provides credentials, should the server ask for them.
    who: Option<Who>,
    /// The request to send again with credentials then.
    again: Option<(RequestBuilder, Bytes)>,
}

/// The source of credentials.
pub(super) struct Who {
    pub login: Login,
    /// The URL that they are for.
    pub url: String,
}

enum Phase {
    /// The body is being collected, as long as it is not too large.
    Collecting { request: RequestBuilder, body: Vec<u8>, most: usize },
    /// The body was too large: it is sent piece by piece.
    Streaming { answer: Answering, pieces: mpsc::Sender<Bytes> },
    /// Everything is sent.
    Waiting { answer: Answering },
    /// The response has begun.
    Answered { response: Response },
    /// Nothing more can be read.
    Over,
}

pub(super) type Answering = Pin<Box<dyn Future<Output = reqwest::Result<Response>> + Send>>;

/// The event that came first.
enum Event {
    Room,
    Answer(reqwest::Result<Response>),
}

impl Exchange {
    /// Begins a request without a body.
    pub fn whole(runtime: &Arc<Quitting>, wire: &Arc<Traffic>, request: RequestBuilder) -> Self {
        let phase = Phase::Waiting { answer: runtime.send(request) };
        Self::begin(runtime, wire, phase, None)
    }

    /// Begins a request whose body is yet to be written. A body of up to `most` bytes is sent with its length, which
    /// every server understands. With a source of credentials, the request is sent without them at first.
    pub fn posting(
        runtime: &Arc<Quitting>,
        wire: &Arc<Traffic>,
        request: RequestBuilder,
        most: usize,
        who: Option<Who>,
    ) -> Self {
        let phase = Phase::Collecting { request, body: Vec::new(), most };
        Self::begin(runtime, wire, phase, who)
    }

    fn begin(runtime: &Arc<Quitting>, wire: &Arc<Traffic>, phase: Phase, who: Option<Who>) -> Self {
        let (runtime, wire) = (Arc::clone(runtime), Arc::clone(wire));
        Self { runtime, wire, phase, pace: Pace::new(), who, again: None }
    }

    /// Writes a part of the body.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Phase::Collecting { body, most, .. } = &mut self.phase {
            body.extend_from_slice(bytes);
            if body.len() <= *most {
                return Ok(bytes.len());
            }
            let collected = std::mem::take(body);
            self.stream()?;
            for piece in collected.chunks(PIECE) {
                self.send(Bytes::copy_from_slice(piece))?;
            }
            return Ok(bytes.len());
        }
        let piece = &bytes[..bytes.len().min(PIECE)];
        self.send(Bytes::copy_from_slice(piece))?;
        Ok(piece.len())
    }

    /// Begins to send piece by piece.
    fn stream(&mut self) -> io::Result<()> {
        let Phase::Collecting { request, .. } = std::mem::replace(&mut self.phase, Phase::Over) else {
            return Ok(());
        };
        let request = self.admitted(request)?;
        let (pieces, taken) = mpsc::channel(4);
        let body = reqwest::Body::wrap(Pieces(taken));
        self.phase = Phase::Streaming { answer: self.runtime.send(request.body(body)), pieces };
        Ok(())
    }

    /// Returns the request, with credentials if the server wants them. Since a streamed body cannot be sent again, an
    /// empty request is sent first, as git does.
    fn admitted(&mut self, request: RequestBuilder) -> io::Result<RequestBuilder> {
        const EMPTY: &[u8] = b"0000";
        let (Some(probe), Some(login)) =
            (request.try_clone(), self.who.as_ref().map(|who| who.login.clone()))
        else {
            return Ok(request);
        };
        self.phase = Phase::Collecting { request: probe, body: EMPTY.to_vec(), most: EMPTY.len() };
        self.response()?;
        Ok(match login.given() {
            Some(credentials) => with_credentials(request, credentials),
            None => request,
        })
    }

    fn send(&mut self, piece: Bytes) -> io::Result<()> {
        let Phase::Streaming { answer, pieces } = &mut self.phase else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let event = {
            let mut room = std::pin::pin!(pieces.reserve());
            let first = std::future::poll_fn(|context| {
                if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                    return Poll::Ready(Event::Answer(answer));
                }
                room.as_mut().poll(context).map(|permit| {
                    if let Ok(permit) = permit {
                        permit.send(piece.clone());
                    }
                    Event::Room
                })
            });
            let limit = self.wire.limit;
            self.runtime.block_on(async { tokio::time::timeout(limit, first).await })
        };
        match event {
            Some(Ok(Event::Room)) => {
                self.wire.count_sent(piece.len());
                Ok(())
            }
            // The server answers early; its response is read afterwards.
            Some(Ok(Event::Answer(answer))) => {
                self.answered(answer)?;
                Err(io::ErrorKind::BrokenPipe.into())
            }
            Some(Err(_)) => Err(self.stall()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Completes the body.
    pub fn finish(&mut self) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Collecting { request, body, .. } => {
                self.wire.count_sent(body.len());
                let body = Bytes::from(body);
                self.again = self.who.as_ref().and(request.try_clone()).map(|again| (again, body.clone()));
                Phase::Waiting { answer: self.runtime.send(request.body(body)) }
            }
            // Dropping the sender ends the body.
            Phase::Streaming { answer, .. } => Phase::Waiting { answer },
            other => other,
        };
    }

    /// Waits for the response to begin. A status other than success is an error.
    pub fn response(&mut self) -> io::Result<&Response> {
        self.begin_answer()?;
        self.check_status()?;
        match &self.phase {
            Phase::Answered { response } => Ok(response),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Returns the URL of a redirect, if the server sends one. Other failures are reported by [`Exchange::response`].
    pub fn redirect(&mut self) -> Option<String> {
        self.begin_answer().ok()?;
        let Phase::Answered { response } = &self.phase else { return None };
        if !response.status().is_redirection() {
            return None;
        }
        response.headers().get(LOCATION)?.to_str().ok().map(ToOwned::to_owned)
    }

    /// Waits for the response to begin. If the server wants credentials and there are some, sends the request again
    /// with them.
    fn begin_answer(&mut self) -> io::Result<()> {
        self.finish();
        self.wait()?;
        let (Some((request, body)), Some(who)) = (self.again.take(), &self.who) else { return Ok(()) };
        let Some(asked) = self.challenges() else { return Ok(()) };
        let Some(credentials) = who.login.ask(&who.url, asked) else { return Ok(()) };
        self.wire.count_sent(body.len());
        let request = with_credentials(request, credentials).body(body);
        self.phase = Phase::Waiting { answer: self.runtime.send(request) };
        self.wait()?;
        if let (Phase::Answered { response }, Some(who)) = (&self.phase, &self.who) {
            who.login.settle(&who.url, response.status());
        }
        Ok(())
    }

    fn wait(&mut self) -> io::Result<()> {
        let Phase::Waiting { answer } = &mut self.phase else { return Ok(()) };
        let limit = self.wire.limit;
        match self.runtime.block_on(async { tokio::time::timeout(limit, answer).await }) {
            Some(Ok(answer)) => self.answered(answer),
            Some(Err(_)) => Err(self.stall()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Returns the next piece of the response; `None` at its end.
    pub fn piece(&mut self) -> io::Result<Option<Bytes>> {
        if matches!(self.phase, Phase::Over) {
            return Ok(None);
        }
        self.response()?;
        let Phase::Answered { response } = &mut self.phase else { return Ok(None) };
        let limit = self.wire.limit;
        match self.runtime.block_on(async { tokio::time::timeout(limit, response.chunk()).await }) {
            Some(Ok(Ok(Some(piece)))) => {
                self.wire.count_received(piece.len());
                if self.pace.too_slow(piece.len(), &self.wire) {
                    return Err(self.stall());
                }
                Ok(Some(piece))
            }
            Some(Ok(Ok(None))) | None => {
                self.phase = Phase::Over;
                Ok(None)
            }
            Some(Ok(Err(error))) => Err(self.broken(error)),
            Some(Err(_)) => Err(self.stall()),
        }
    }

    fn answered(&mut self, answer: reqwest::Result<Response>) -> io::Result<()> {
        match answer {
            Ok(response) => {
                self.phase = Phase::Answered { response };
                Ok(())
            }
            Err(error) => Err(self.broken(error)),
        }
    }

    /// Turns a status other than success into an error.
    fn check_status(&mut self) -> io::Result<()> {
        let Phase::Answered { response } = &self.phase else { return Ok(()) };
        let status = response.status();
        if status.is_success() {
            self.wire.forgive();
            return Ok(());
        }
        let www_authenticate = self.challenges().unwrap_or_default();
        let words = self.words(status);
        self.phase = Phase::Over;
        Err(match status {
            StatusCode::UNAUTHORIZED => {
                self.wire.fault(Fault::Credentials(words));
                io::Error::new(io::ErrorKind::PermissionDenied, AuthenticationRequired { www_authenticate })
            }
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                self.wire.fault(Fault::ProxyCredentials(words.clone()));
                io::Error::other(words)
            }
            _ => {
                self.wire.fault(Fault::Status { code: status.as_u16(), words: words.clone() });
                io::Error::other(words)
            }
        })
    }

    /// Returns the authentication challenges, if the server asks for credentials.
    fn challenges(&self) -> Option<Vec<BString>> {
        let Phase::Answered { response } = &self.phase else { return None };
        let values = response.headers().get_all(WWW_AUTHENTICATE).iter();
        (response.status() == StatusCode::UNAUTHORIZED)
            .then(|| values.map(|value| value.as_bytes().into()).collect())
    }

    /// Returns the status, and the server's explanation if that is plain text: an HTML page would be useless here.
    fn words(&mut self, status: StatusCode) -> String {
        const MOST: usize = 1000;
        let mut words = format!("HTTP status {status}");
        let Phase::Answered { response } = &mut self.phase else { return words };
        let plain = response.headers().get(reqwest::header::CONTENT_TYPE);
        if !plain.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain")) {
            return words;
        }
        let limit = self.wire.limit;
        let first = self.runtime.block_on(async { tokio::time::timeout(limit, response.chunk()).await });
        if let Some(Ok(Ok(Some(piece)))) = first {
            words.push_str(": ");
            words.push_str(&sanitize::line(String::from_utf8_lossy(&piece[..piece.len().min(MOST)]).trim()));
        }
        words
    }

    /// Records what is wrong with the response.
    pub fn fault(&self, fault: Fault) {
        self.wire.fault(fault);
    }

    fn stall(&mut self) -> io::Error {
        self.phase = Phase::Over;
        self.wire.stall()
    }

    fn broken(&mut self, error: reqwest::Error) -> io::Error {
        self.phase = Phase::Over;
        // Messages show the URL elsewhere, without its user-info.
        let error = error.without_url();
        let words = sanitize::error(&error);
        self.wire.fault(if is_about_a_certificate(&error) {
            Fault::Certificate(words.clone())
        } else if words.contains("proxy authentication required")
            || words.contains("407") && error.is_connect()
        {
            Fault::ProxyCredentials(words.clone())
        } else {
            Fault::Connect(words.clone())
        });
        io::Error::new(io::ErrorKind::ConnectionAborted, words)
    }
}

/// Returns the request with these credentials in place of any others.
fn with_credentials(request: RequestBuilder, credentials: HeaderValue) -> RequestBuilder {
    request.headers(HeaderMap::from_iter([(AUTHORIZATION, credentials)]))
}

/// The size of the pieces in which a body is sent: each has to be sent within the limit.
const PIECE: usize = 16 * 1024;

fn is_about_a_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, rustls::Error::InvalidCertificate(_));
    }
    // The `source` of an I/O error is the source of the error that it wraps, so look at the wrapped error itself.
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match inner {
        Some(inner) => is_about_a_certificate(inner),
        None => error.source().is_some_and(is_about_a_certificate),
    }
}

/// Locks the exchange, which only one thread ever works on.
pub(super) fn lock(exchange: &Mutex<Exchange>) -> MutexGuard<'_, Exchange> {
    exchange.lock().unwrap_or_else(PoisonError::into_inner)
}
