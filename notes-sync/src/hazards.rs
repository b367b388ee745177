//! Finds configured refspecs that overwrite local notes.
//!
//! `+refs/notes/*:refs/notes/*` is in many a clone, as it makes `git fetch` bring notes. It also replaces notes that
//! were not pushed yet, and with pruning removes refs that never were.

use remote::RemoteName;

use crate::names::{self, NOTES};

/// What is wrong with the refspecs of a remote, and what to type about it.
pub fn of_refspecs(remote: &RemoteName, refspecs: impl Iterator<Item = String>) -> Vec<String> {
    refspecs
        .filter(|refspec| overwrites_notes(remote, refspec))
        .map(|refspec| words(remote, &refspec))
        .collect()
}

fn overwrites_notes(remote: &RemoteName, refspec: &str) -> bool {
    let Some(destination) =
        refspec.strip_prefix('+').and_then(|spec| spec.split_once(':')).map(|parts| parts.1)
    else {
        return false;
    };
    let everything = ["refs/*", "*"].contains(&destination);
    let tracking = names::tracking_namespace(remote);
    everything || (destination.starts_with(NOTES) && !destination.starts_with(&tracking))
}

fn words(remote: &RemoteName, refspec: &str) -> String {
    format!(
        "remote.{remote}.fetch is '{refspec}': every fetch replaces local notes with the remote's, also those that \
         were not pushed yet; remove it with: git config --fixed-value --unset-all remote.{remote}.fetch '{refspec}' \
         (notes-sync fetches notes without it)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hazards(refspec: &str) -> usize {
        let origin = RemoteName::parse("origin").expect("a fine name");
        of_refspecs(&origin, std::iter::once(refspec.to_owned())).len()
    }

    #[test]
    fn a_forced_refspec_onto_local_notes_is_a_hazard() {
        assert_eq!(hazards("+refs/notes/*:refs/notes/*"), 1);
        assert_eq!(hazards("+refs/notes/commits:refs/notes/commits"), 1);
        assert_eq!(hazards("+refs/*:refs/*"), 1);
    }

    #[test]
    fn others_are_none() {
        for refspec in [
            "+refs/heads/*:refs/remotes/origin/*",
            "+refs/notes/*:refs/notes/origin/*",
            "refs/notes/*:refs/notes/*",
            "^refs/notes/*",
            "refs/notes/commits",
        ] {
            assert_eq!(hazards(refspec), 0, "{refspec}");
        }
    }
}
