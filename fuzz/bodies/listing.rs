//! What a server has: capabilities and refs, of whatever version of the protocol.

use crate::talk::{Talk, printable};

/// Asks for branches only, and gets nothing else, whatever is said.
pub fn body(talk: &Talk, said: &[u8]) {
    let Ok(listing) = talk.list(said) else { return };
    for listed in &listing.refs {
        let name = listed.name.as_bstr().to_string();
        assert!(name.starts_with("refs/heads/"), "{name:?} was not asked for");
        printable(&name);
    }
}
