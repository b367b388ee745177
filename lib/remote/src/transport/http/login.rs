//! Obtains credentials for a server that asks for them only when something is sent.
//!
//! Such a server accepts anonymous requests at first: git-http-backend's own example protects `git-receive-pack`
//! alone. The sources of credentials are git's, as everywhere else, but without a prompt on the terminal: the
//! conversation is in progress, and others write there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gix::{
    bstr::BString,
    credentials::{
        helper::{Action, NextAction},
        protocol::Context,
    },
};
use reqwest::{StatusCode, header::HeaderValue};

use super::settings::basic;
use crate::{credentials, terminal::Terminal};

/// What is known of the credentials for the requests of one connection, which share it.
#[derive(Clone)]
pub(super) struct Login(Arc<Mutex<Known>>);

struct Known {
    repo: gix::Repository,
    /// The `Authorization` header that was sent to the server.
    given: Option<HeaderValue>,
    /// How to report to the helpers whether the credentials are right, until that is known.
    next: Option<NextAction>,
}

impl Login {
    /// Begins without credentials; the configuration of `repo` names their sources.
    pub fn new(repo: &gix::Repository) -> Self {
        Self(Arc::new(Mutex::new(Known { repo: repo.clone(), given: None, next: None })))
    }

    /// Returns the credentials with which an earlier request was sent.
    pub fn given(&self) -> Option<HeaderValue> {
        self.known().given.clone()
    }

    /// Asks for credentials for `url`, unless that was done before. If there are none, the server's own error is
    /// reported.
    pub fn ask(&self, url: &str, www_authenticate: Vec<BString>) -> Option<HeaderValue> {
        let mut known = self.known();
        if known.given.is_some() {
            return None;
        }
        let context = Context { url: Some(url.into()), www_authenticate, ..Context::default() };
        let answer = credentials::provider(&known.repo, Terminal::Absent)(Action::Get(context)).ok()??;
        let mut value =
            HeaderValue::from_str(&basic(&answer.identity.username, &answer.identity.password)).ok()?;
        value.set_sensitive(true);
        known.given = Some(value);
        known.next = Some(answer.next);
        known.given.clone()
    }

    /// Reports to the helpers whether their credentials for `url` were right, if the server's `answer` tells.
    pub fn settle(&self, url: &str, answer: StatusCode) {
        // Other failures say nothing about the credentials.
        if !answer.is_success() && answer != StatusCode::UNAUTHORIZED {
            return;
        }
        let mut known = self.known();
        let Some(next) = known.next.take() else { return };
        let report = if answer.is_success() { next.store() } else { next.erase() };
        // The credentials are good even if a helper cannot store them.
        let _ = credentials::report(&known.repo, url, report);
    }

    /// Locks the state, which only one thread ever uses.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
