//! Checks that the files which ARCHITECTURE.md and README.md name exist.
//!
//! A page that names a file which is gone sends a newcomer on a futile search.

use std::collections::BTreeSet;

use anyhow::Context as _;
use camino::Utf8Path;
use phase::Fault;

/// The documents that are checked.
const DOCUMENTS: [&str; 2] = ["ARCHITECTURE.md", "README.md"];

/// The beginnings of the project's paths, by which they are distinguished from other words in code style.
const TOP: [&str; 17] = [
    "lock/",
    "logcheck/",
    "gitsync/",
    "notes-sync/",
    "notesurface/",
    "cmdcopy/",
    "xtask/",
    "layout/",
    "bench/",
    "lib/",
    "schema/",
    "fuzz/",
    "docs/",
    ".ci/",
    ".cargo/",
    "clippy.toml",
    "deny.toml",
];

/// Checks that every file which the documents name exists.
pub fn documents(root: &Utf8Path) -> anyhow::Result<()> {
    for document in DOCUMENTS {
        let path = root.join(document);
        let text = std::fs::read_to_string(&path).with_context(|| format!("{path} could not be read"))?;
        let missing: Vec<&str> = named(&text).into_iter().filter(|name| !root.join(name).exists()).collect();
        if !missing.is_empty() {
            return Err(
                Fault::failed(format!("{document} names what is not there: {}", missing.join(", "))).into()
            );
        }
    }
    Ok(())
}

/// Returns the paths that a document names in code style or as the target of a link.
fn named(text: &str) -> BTreeSet<&str> {
    let in_code = text.split('`').skip(1).step_by(2);
    let linked = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let is_local = |target: &&str| !target.is_empty() && !target.contains(':');
    in_code.filter(|word| is_path(word)).chain(linked.filter(is_local)).collect()
}

fn is_path(word: &str) -> bool {
    TOP.iter().any(|top| word.starts_with(top)) && !word.contains([' ', '*', '<', '…', '$'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_code_style_and_links_are_found() {
        let text = "See `lib/phase/src/guard.rs`, [the guide](docs/guide.md#start), `cargo xtask ci`, `refs/notes/*` \
                    and [elsewhere](https://example.com).";
        assert_eq!(named(text), BTreeSet::from(["lib/phase/src/guard.rs", "docs/guide.md"]));
    }
}
