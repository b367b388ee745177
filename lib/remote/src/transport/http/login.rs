//! Credentials for a server that lets everybody begin, and wants to know who it is only when something is sent:
//! git-http-backend's own example protects `git-receive-pack` alone.
//!
//! Whom to ask is git's business as everywhere else, but nobody is asked on the terminal: the talk is under way, and others
//! write there.

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

/// What is known of the credentials for the requests of one talk, which share it.
#[derive(Clone)]
pub(super) struct Login(Arc<Mutex<Known>>);

struct Known {
    repo: gix::Repository,
    /// What the server has been sent, as `Authorization`.
    given: Option<HeaderValue>,
    /// Until it is known whether they are right: how to tell that to the helpers.
    next: Option<NextAction>,
}

impl Login {
    /// Nothing is known yet; `repo` says whom to ask.
    pub fn new(repo: &gix::Repository) -> Self {
        Self(Arc::new(Mutex::new(Known { repo: repo.clone(), given: None, next: None })))
    }

    /// The credentials that a request was sent with before.
    pub fn given(&self) -> Option<HeaderValue> {
        self.known().given.clone()
    }

    /// Asks for credentials for `url`, unless that has been done. Where nobody has any, the server's own words tell of it.
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

    /// Tells the helpers whether what they gave for `url` was right, where the server's `answer` says so.
    pub fn settle(&self, url: &str, answer: StatusCode) {
        // Other failures say nothing about the credentials.
        if !answer.is_success() && answer != StatusCode::UNAUTHORIZED {
            return;
        }
        let mut known = self.known();
        let Some(next) = known.next.take() else { return };
        let report = if answer.is_success() { next.store() } else { next.erase() };
        // A helper that cannot keep them has given them all the same.
        let _ = credentials::report(&known.repo, url, report);
    }

    /// Only one thread ever works on a talk.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
