//! Finds configured refspecs that overwrite local notes.
//!
//! Many clones have `+refs/notes/*:refs/notes/*`, since it makes `git fetch` bring notes. But it also replaces notes
//! that were not pushed yet, and with pruning it deletes refs that were never pushed.

use remote::RemoteName;

use crate::names::{self, NOTES};

/// Returns a warning for each harmful refspec of a remote, with the command that removes it; `prunes` says whether
/// git prunes what they fetch into.
pub fn of_refspecs(remote: &RemoteName, prunes: bool, refspecs: impl Iterator<Item = String>) -> Vec<String> {
    let told = |refspec: String| Some(words(remote, &refspec, harm(remote, prunes, &refspec)?));
    refspecs.filter_map(told).collect()
}

/// Returns the harm that `git fetch` does to local notes through a refspec, if any.
fn harm(remote: &RemoteName, prunes: bool, refspec: &str) -> Option<&'static str> {
    let (source, destination) = refspec.split_once(':')?;
    let everything = ["refs/*", "*"].contains(&destination);
    let tracking = names::tracking_namespace(remote);
    let is_onto_notes = destination.starts_with(NOTES) && !destination.starts_with(&tracking);
    match source.starts_with('+') {
        _ if !everything && !is_onto_notes => None,
        true => {
            Some("every fetch replaces local notes with the remote's, also those that were not pushed yet")
        }
        false if prunes => {
            Some("every `git fetch` removes local notes that were not pushed yet, as it prunes")
        }
        false => None,
    }
}

fn words(remote: &RemoteName, refspec: &str, harm: &str) -> String {
    format!(
        "remote.{remote}.fetch is '{refspec}': {harm}; remove it with: git config --fixed-value --unset-all \
         remote.{remote}.fetch '{refspec}' (notes-sync fetches notes without it)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hazards(refspec: &str) -> usize {
        let origin = RemoteName::parse("origin").expect("a fine name");
        of_refspecs(&origin, false, std::iter::once(refspec.to_owned())).len()
    }

    #[test]
    fn a_forced_refspec_onto_local_notes_is_a_hazard() {
        assert_eq!(hazards("+refs/notes/*:refs/notes/*"), 1);
        assert_eq!(hazards("+refs/notes/commits:refs/notes/commits"), 1);
        assert_eq!(hazards("+refs/*:refs/*"), 1);
    }

    #[test]
    fn one_without_a_plus_is_a_hazard_where_git_prunes() {
        let origin = RemoteName::parse("origin").expect("a fine name");
        for (refspec, hazards) in [("refs/notes/*:refs/notes/*", 1), ("refs/notes/*:refs/notes/origin/*", 0)]
        {
            let told = of_refspecs(&origin, true, std::iter::once(refspec.to_owned()));
            assert_eq!(told.len(), hazards, "{refspec}");
        }
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
