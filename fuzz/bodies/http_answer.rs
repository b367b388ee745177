//! What a web server answers: a status, headers, redirects, a question for credentials, and a body of whatever kind.

use crate::talk::{Talk, printable};

/// Every request gets the same answer.
pub fn body(talk: &Talk, said: &[u8]) {
    if let Ok(listing) = talk.list(said) {
        listing.refs.iter().for_each(|listed| printable(&listed.name.as_bstr().to_string()));
    }
}
