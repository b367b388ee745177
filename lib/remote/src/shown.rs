//! A URL, made fit for a user's eyes.
//!
//! URLs travel with passwords in them. Every message of this crate names its remote by what is made here, and passes
//! through [`words`] besides, as it may quote what a program, a server or gix has said.

use gix::bstr::ByteSlice;

/// A URL as it may be shown: without user-info, nor what may have been meant to be one.
pub(crate) fn url(url: &gix::Url) -> String {
    let mut bare = url.clone();
    bare.set_password(None);
    bare.set_user(None);
    words::address(&bare.to_bstring().to_str_lossy())
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
