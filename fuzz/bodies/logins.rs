//! The user's `.netrc`, which other programs write into as well.

#[path = "../../lib/remote/src/transport/http/netrc.rs"]
mod netrc;

/// Nothing that it holds may panic, and nobody gets a login out of nothing.
pub fn body(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for host in ["example.com", "", "machine"] {
        if let Some(login) = netrc::find(&text, host) {
            assert!(text.contains("login") && text.contains("password"));
            drop((login.user, login.password));
        }
    }
}
