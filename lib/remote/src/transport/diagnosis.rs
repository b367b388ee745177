//! Turns what is known of a failed connection into the error that the user sees.
//!
//! Pure: all facts are passed in, one [`RemoteError`] is returned. Messages are interpreted only here, and only to
//! classify what is a failure anyway; what a push did or did not do is never inferred from them.

use std::{process::ExitStatus, time::Duration};

use gix::{protocol::Handshake, url::Scheme};

use super::{
    endpoint::Endpoint,
    wire::{Diagnostics, Fault},
};
use crate::RemoteError;

/// All that is known of a failed connection.
pub(super) struct Scene<'a> {
    pub place: &'a Endpoint,
    pub account: &'a Diagnostics,
    pub limit: Duration,
    pub exit: Option<ExitStatus>,
    pub error: &'a gix::Error,
}

/// Returns the error for the user.
pub(super) fn of(scene: &Scene<'_>) -> RemoteError {
    let called = &scene.place.called;
    if scene.account.stalled {
        return RemoteError::unreachable(
            format!(
                "{called} has stalled: no byte for {} s{}",
                scene.limit.as_secs_f32(),
                words_after(scene)
            ),
            "check the network; `--stall` or git's http.lowSpeedTime set the limit",
        );
    }
    if let Some(fault) = &scene.account.fault {
        return by_fault(called, fault);
    }
    if scene.place.url.scheme == Scheme::Ssh
        && let Some(trouble) = by_ssh(scene).or_else(|| chatter(scene))
    {
        return trouble;
    }
    if let Some(trouble) = by_server(scene) {
        return trouble;
    }
    if scene.error.is_unauthenticated() {
        return credentials(called, &told(scene));
    }
    RemoteError::unreachable(
        format!("{called} cannot be used: {}", told(scene)),
        "check the URL (`git remote -v`) and the network, then run again",
    )
}

fn by_fault(called: &str, fault: &Fault) -> RemoteError {
    match fault {
        Fault::Connect(words) => RemoteError::unreachable(
            format!("{called} cannot be reached: {words}"),
            "check the network and the URL (`git remote -v`); what is not synced now is synced by the next run",
        ),
        Fault::Certificate(words) => RemoteError::unreachable(
            format!("{called} shows a certificate that is not trusted: {words}"),
            "name the CA that signed it in http.sslCAInfo",
        ),
        Fault::Credentials(words) => credentials(called, words),
        Fault::ProxyCredentials(words) => RemoteError::not_allowed(
            format!("{called}: the proxy wants other credentials: {words}"),
            "put the user and the password into http.proxy, before its host: `git help config` says how",
        ),
        Fault::Status { code: 403, words } => RemoteError::not_allowed(
            format!("{called} forbids it: {words}"),
            "ask its owner for access, or use another account's credentials",
        ),
        Fault::Status { code: 404 | 410, words } => RemoteError::unreachable(
            format!("{called}: there is no repository: {words}"),
            "check the URL (`git remote -v`), and that this account may see the repository",
        ),
        Fault::Status { code: 413, words } => RemoteError::refused(
            format!("{called} does not take that much at once: {words}"),
            "raise the server's limit on a request's size",
        ),
        Fault::Status { code: _, words } => RemoteError::unreachable(
            format!("{called} failed: {words}"),
            "try again later, or look into the server's log",
        ),
        Fault::NotGit(words) => RemoteError::unreachable(
            format!("{called} does not speak git: {words}"),
            "check the URL (`git remote -v`): there is a web server, but no repository behind it",
        ),
        Fault::Setting(words) => RemoteError::misconfigured(
            format!("{called}: {words}"),
            "`git config --show-origin --get-regexp '^http'` shows where it is set",
        ),
    }
}

fn credentials(called: &str, words: &str) -> RemoteError {
    RemoteError::not_allowed(
        format!("{called} wants credentials, and there are none that it accepts: {words}"),
        "store them in a credential helper (`git help credentials`), or run once on a terminal with `git fetch`",
    )
}

/// ssh itself exits with 255, otherwise with the exit code of the program at the other end.
fn by_ssh(scene: &Scene<'_>) -> Option<RemoteError> {
    const SSH_ITSELF: i32 = 255;
    const NO_SUCH_PROGRAM: i32 = 127;
    let called = &scene.place.called;
    match scene.exit?.code()? {
        SSH_ITSELF if heard(scene, &["permission denied", "too many authentication failures"]) => {
            Some(RemoteError::not_allowed(
                format!("{called} does not let this user in: {}", told(scene)),
                "load the key into the agent (`ssh-add`), and check that the server knows it",
            ))
        }
        SSH_ITSELF if heard(scene, &["host key verification failed", "host identification has changed"]) => {
            Some(RemoteError::not_allowed(
                format!("{called} is not known to ssh as this host: {}", told(scene)),
                "connect once by hand with `ssh`, and compare the fingerprint",
            ))
        }
        SSH_ITSELF => Some(RemoteError::unreachable(
            format!("{called} cannot be reached: {}", told(scene)),
            "check the network and the URL (`git remote -v`); what is not synced now is synced by the next run",
        )),
        NO_SUCH_PROGRAM => Some(RemoteError::unreachable(
            format!("{called} has no git server program: {}", told(scene)),
            "install git at the server, or name the program in remote.<name>.uploadpack and receivepack",
        )),
        _ => None,
    }
}

/// Reports what a shell's start-up files print, or a server that rejects the user without a message on stderr.
fn chatter(scene: &Scene<'_>) -> Option<RemoteError> {
    let said = scene.account.chatter.as_ref()?;
    Some(RemoteError::unreachable(
        format!("{} does not speak git: its login prints '{said}'", scene.place.called),
        "see that `ssh HOST true`, for the URL's host, goes well and prints nothing: what the account's shell prints as \
         it starts is in git's way",
    ))
}

/// Whether a server's object format is another one than SHA-1; old servers do not announce any.
pub(super) fn names_objects_otherwise(handshake: &Handshake) -> bool {
    let format = handshake.capabilities.capability("object-format");
    format.and_then(|format| format.value()).is_some_and(|format| format != "sha1")
}

/// The error for such a server.
pub(super) fn of_other_names(called: &str) -> RemoteError {
    RemoteError::misconfigured(
        format!("{called} names its objects by SHA-256, which is not supported"),
        "use a repository of the usual format: `git init --bare --object-format=sha1`",
    )
}

/// Interprets what git's own server programs print before they hang up.
fn by_server(scene: &Scene<'_>) -> Option<RemoteError> {
    let called = &scene.place.called;
    // Without version 2 of the protocol, ids arrive before the object format is announced.
    if heard(scene, &["a hash sized 64 hexadecimal characters is invalid"]) {
        return Some(of_other_names(called));
    }
    if heard(scene, &["dubious ownership"]) {
        return Some(RemoteError::not_allowed(
            format!("{called} belongs to somebody else: {}", told(scene)),
            "if you trust it: `git config --global --add safe.directory <its path>`",
        ));
    }
    let nothing_there = [
        "does not appear to be a git repository",
        "repository not found",
        "no such repository",
        // GitLab.
        "could not be found",
    ];
    if heard(scene, &nothing_there) {
        return Some(RemoteError::unreachable(
            format!("{called}: there is no repository: {}", told(scene)),
            "check the URL (`git remote -v`), and that this account may see the repository",
        ));
    }
    // "Permission to x/y.git denied to z" (GitHub), "W any x y DENIED by fallthru" (gitolite), "You are not allowed to
    // push code to this project" (GitLab).
    if heard(scene, &["denied", "not allowed"]) {
        return Some(RemoteError::not_allowed(
            format!("{called} does not let this user in: {}", told(scene)),
            "ask the repository's owner for access; a daemon serves only what is exported",
        ));
    }
    if heard(scene, &["service not enabled"]) {
        return Some(RemoteError::refused(
            format!("{called} does not offer {}: {}", scene.place.service.as_str(), told(scene)),
            "let the server's owner enable it, or push elsewhere (remote.<name>.pushUrl)",
        ));
    }
    None
}

/// Whether the other side's messages or the error contain one of `phrases`, which are in lower case.
fn heard(scene: &Scene<'_>, phrases: &[&str]) -> bool {
    let said = format!("{}\n{}", scene.account.words.join("\n"), sanitize::error(scene.error)).to_lowercase();
    phrases.iter().any(|phrase| said.contains(phrase))
}

/// Returns the last messages of the other side, or if there are none the error of the protocol.
fn told(scene: &Scene<'_>) -> String {
    const LAST: usize = 6;
    let words = &scene.account.words;
    if words.is_empty() {
        return sanitize::error(scene.error);
    }
    words[words.len().saturating_sub(LAST)..].join("; ")
}

fn words_after(scene: &Scene<'_>) -> String {
    if scene.account.words.is_empty() { String::new() } else { format!(" ({})", told(scene)) }
}
