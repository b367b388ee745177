//! Formats a URL for display.
//!
//! URLs may contain passwords. Every message of this crate names its remote by the result of this function, and
//! passes through [`sanitize`] besides, since it may quote a program, a server or gix.

use gix::bstr::ByteSlice;

/// Returns a URL for display: without user-info, or what may have been meant as user-info.
pub(crate) fn url(url: &gix::Url) -> String {
    let mut bare = url.clone();
    bare.set_password(None);
    bare.set_user(None);
    sanitize::address(&bare.to_bstring().to_str_lossy())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_url_is_shown_without_user_info_in_every_form() {
        for (url, shown) in [
            ("ssh://git@host/x", "ssh://host/x"),
            ("git@host:x", "host:x"),
            ("https://mike:pw@host/x", "https://host/x"),
            ("/path/with@sign", "/path/with@sign"),
            ("http://mike:12/pw@host/x", "http://[hidden]@host/x"),
            ("file://mike:my pw@host/x", "file://[hidden]@host/x"),
            ("mike:my pw@host:x", "mike:[hidden]@host:x"),
        ] {
            assert_eq!(super::url(&gix::url::parse(url).unwrap()), shown);
        }
    }
}
