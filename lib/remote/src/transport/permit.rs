//! Decides which protocols may be used, by git's settings.
//!
//! These are `GIT_ALLOW_PROTOCOL`, `protocol.allow` and `protocol.<name>.allow`, see
//! [git-config](https://git-scm.com/docs/git-config#Documentation/git-config.txt-protocolallow). A program that
//! starts a run for another user, with a configuration that it does not control, relies on them.

use gix::{
    Url,
    bstr::{BString, ByteSlice},
    url::Scheme,
};

use crate::RemoteError;

/// What decides whether a protocol may be used.
struct Policy {
    /// `GIT_ALLOW_PROTOCOL`: the allowed protocols, separated by colons. If set, nothing else counts.
    allowed: Option<String>,
    /// `GIT_PROTOCOL_FROM_USER`: whether a user chose the URL, rather than a program.
    from_user: bool,
    /// The configured policy for this protocol, else for all.
    configured: Option<String>,
}

/// Why a protocol may not be used.
#[derive(Debug, PartialEq, Eq)]
enum Forbidden {
    ByEnvironment,
    ByConfiguration,
}

/// Checks that `url` may be connected to, and that its protocol is supported at all.
pub(super) fn permit(repo: &gix::Repository, url: &Url, called: &str) -> Result<(), RemoteError> {
    let scheme = &url.scheme;
    if let Scheme::Ext | Scheme::Helper(_) | Scheme::HelperUrl(_) = scheme {
        return Err(RemoteError::misconfigured(
            format!("{called}: the protocol '{scheme}' is not supported"),
            "use a path, or a URL with file://, ssh://, git://, http:// or https://",
        ));
    }
    let config = repo.config_snapshot();
    let word = config
        .string(format!("protocol.{scheme}.allow").as_str())
        .or_else(|| config.string("protocol.allow"));
    let policy = Policy {
        allowed: std::env::var_os("GIT_ALLOW_PROTOCOL").map(|names| names.to_string_lossy().into_owned()),
        from_user: std::env::var_os("GIT_PROTOCOL_FROM_USER").is_none_or(|value| {
            let value = value.to_string_lossy();
            gix::config::Boolean::try_from(value.as_bytes().as_bstr()).is_ok_and(|value| value.0)
        }),
        configured: word.map(|word| word.to_str_lossy().into_owned()),
    };
    match policy.check(scheme) {
        Ok(()) => past_no_proxy(repo, url, called),
        Err(Forbidden::ByEnvironment) => Err(RemoteError::misconfigured(
            format!("{called}: the environment does not allow the protocol '{scheme}'"),
            "GIT_ALLOW_PROTOCOL or GIT_PROTOCOL_FROM_USER is set: unset it, or have it allow this protocol",
        )),
        Err(Forbidden::ByConfiguration) => Err(RemoteError::misconfigured(
            format!("{called}: the configuration does not allow the protocol '{scheme}'"),
            format!(
                "see `git config --show-origin --get-regexp '^protocol.*allow'`, or use another URL than {scheme}"
            ),
        )),
    }
}

/// Refuses a `git://` URL for which a proxy command is configured, which is not supported: a direct connection would
/// bypass it against the user's intention.
fn past_no_proxy(repo: &gix::Repository, url: &Url, called: &str) -> Result<(), RemoteError> {
    let configured = repo.config_snapshot().plumbing().strings("core.gitProxy").unwrap_or_default();
    let from_environment = std::env::var_os("GIT_PROXY_COMMAND").is_some_and(|program| !program.is_empty());
    let host = url.host().unwrap_or_default();
    if url.scheme != Scheme::Git || !(from_environment || has_proxy(&configured, host)) {
        return Ok(());
    }
    Err(RemoteError::misconfigured(
        format!("{called}: a program is set to connect by, which is not supported"),
        "use an ssh:// or https:// URL; it is in core.gitProxy (`git config --show-origin --get-all core.gitProxy`) or \
         GIT_PROXY_COMMAND",
    ))
}

/// Whether a value of `core.gitProxy` applies to `host` and names a program: the first that applies counts, as in
/// git.
fn has_proxy(values: &[BString], host: &str) -> bool {
    let program = values.iter().find_map(|value| match value.split_once_str(b" for ") {
        None => Some(value.as_slice()),
        Some((program, domain)) => {
            let before = host.as_bytes().strip_suffix(domain)?;
            (before.is_empty() || before.ends_with(b".")).then_some(program)
        }
    });
    program.is_some_and(|program| !program.is_empty() && program != b"none")
}

impl Policy {
    /// Applies git's rules, from `transport.c`.
    fn check(&self, scheme: &Scheme) -> Result<(), Forbidden> {
        if let Some(allowed) = &self.allowed {
            let named = allowed.split(':').any(|name| name == scheme.as_str());
            return if named { Ok(()) } else { Err(Forbidden::ByEnvironment) };
        }
        match (self.configured.as_deref().map(str::to_ascii_lowercase).as_deref(), scheme) {
            (Some("always"), _) => Ok(()),
            (None, Scheme::Http | Scheme::Https | Scheme::Git | Scheme::Ssh) => Ok(()),
            (Some("user") | None, _) if self.from_user => Ok(()),
            (Some("user") | None, _) => Err(Forbidden::ByEnvironment),
            (Some(_), _) => Err(Forbidden::ByConfiguration),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Policy = Policy { allowed: None, from_user: true, configured: None };

    fn configured(word: &str) -> Policy {
        Policy { configured: Some(word.into()), ..USUAL }
    }

    #[test]
    fn without_a_word_all_that_is_spoken_here_is_allowed_to_users() {
        for scheme in [Scheme::File, Scheme::Ssh, Scheme::Git, Scheme::Http, Scheme::Https] {
            assert_eq!(USUAL.check(&scheme), Ok(()), "{scheme}");
        }
        let program = Policy { from_user: false, ..USUAL };
        assert_eq!(program.check(&Scheme::File), Err(Forbidden::ByEnvironment));
        assert_eq!(program.check(&Scheme::Https), Ok(()));
    }

    #[test]
    fn the_configuration_says_always_never_or_only_to_users() {
        assert_eq!(configured("Always").check(&Scheme::File), Ok(()));
        assert_eq!(configured("user").check(&Scheme::Ssh), Ok(()));
        assert_eq!(configured("never").check(&Scheme::Ssh), Err(Forbidden::ByConfiguration));
        // Git refuses an unknown value.
        assert_eq!(configured("sometimes").check(&Scheme::Ssh), Err(Forbidden::ByConfiguration));
        let program = Policy { from_user: false, ..configured("user") };
        assert_eq!(program.check(&Scheme::Ssh), Err(Forbidden::ByEnvironment));
    }

    #[test]
    fn the_list_in_the_environment_is_the_only_word_that_counts() {
        let listed = |names: &str| Policy { allowed: Some(names.into()), ..configured("never") };
        assert_eq!(listed("https:ssh").check(&Scheme::Ssh), Ok(()));
        assert_eq!(listed("https:ssh").check(&Scheme::File), Err(Forbidden::ByEnvironment));
        assert_eq!(listed("").check(&Scheme::Https), Err(Forbidden::ByEnvironment));
    }

    #[test]
    fn the_first_proxy_that_is_for_the_host_counts() {
        for (values, proxied) in [
            (&["connect"][..], true),
            (&["connect for example.com"], true),
            (&["connect for git.example.com"], true),
            (&["connect for ample.com"], false),
            (&["none for example.com", "connect"], false),
            (&["connect for elsewhere.org", "none"], false),
            (&[], false),
        ] {
            let values: Vec<BString> = values.iter().map(|value| BString::from(*value)).collect();
            assert_eq!(has_proxy(&values, "git.example.com"), proxied, "{values:?}");
        }
    }
}
