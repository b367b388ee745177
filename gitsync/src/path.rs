//! Rejects path names that must never be written to disk or into a commit, wherever they come from.
//!
//! A tree object may contain any bytes as a name. Without this check, a tree made by somebody else could write into
//! `.git` (in one of the many spellings that some file system accepts for it), outside the working tree, or through a
//! link. The rules are those of git's `verify_path`, with the protections for HFS+ and NTFS always on: a repository
//! is shared between systems, and no legitimate name is lost by it. See
//! <https://git-scm.com/docs/git-config#Documentation/git-config.txt-coreprotectNTFS>.

use std::fmt;

use gix::bstr::{BStr, ByteSlice};
use gix::validate::path::component;

/// The longest path that common systems can open, in bytes.
pub const LONGEST_PATH: usize = 4095;
/// The longest name that common file systems support, in bytes.
const LONGEST_NAME: usize = 255;

/// What kind of entry a path leads to, as far as the rules for names depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// A symbolic link, which must not have the name of a file that git itself reads.
    Link,
    /// Anything else.
    Other,
}

/// Why a path is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hostile {
    /// One of its names is not allowed; holds the reason.
    Name(String),
    /// It is too long to be opened.
    TooLong,
    /// The same name occurs twice in one tree.
    Twice,
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hostile::Name(why) => write!(f, "the name is not allowed: {why}"),
            Hostile::TooLong => write!(f, "the path is too long"),
            Hostile::Twice => write!(f, "the name stands twice in its folder"),
        }
    }
}

/// Checks each name of a whole `path`, `/`-separated and relative.
///
/// # Errors
/// The first reason why it must not be used.
pub fn check(path: &BStr, leaf: Leaf) -> Result<(), Hostile> {
    if path.len() > LONGEST_PATH {
        return Err(Hostile::TooLong);
    }
    let mut names = path.split(|byte| *byte == b'/').peekable();
    while let Some(name) = names.next() {
        let here = if names.peek().is_some() { Leaf::Other } else { leaf };
        check_name(name.as_bstr(), here)?;
    }
    Ok(())
}

/// Checks one `name` of a directory.
///
/// # Errors
/// The reason why it must not be used.
pub fn check_name(name: &BStr, leaf: Leaf) -> Result<(), Hostile> {
    if name.len() > LONGEST_NAME {
        return Err(Hostile::TooLong);
    }
    if name.contains(&0) {
        return Err(Hostile::Name("it holds a NUL byte".into()));
    }
    let options =
        component::Options { protect_windows: cfg!(windows), protect_hfs: true, protect_ntfs: true };
    let mode = (leaf == Leaf::Link).then_some(component::Mode::Symlink);
    gix::validate::path::component(name, mode, options).map_err(|why| Hostile::Name(why.to_string()))?;
    // On systems where `\` separates directories, `.git\x` is inside `.git`.
    for part in name.split(|byte| *byte == b'\\').filter(|part| !part.is_empty() && part.len() < name.len()) {
        if is_dot_git(part.as_bstr(), options) {
            return Err(Hostile::Name(component::Error::DotGitDir.to_string()));
        }
    }
    Ok(())
}

fn is_dot_git(name: &BStr, options: component::Options) -> bool {
    matches!(gix::validate::path::component(name, None, options), Err(component::Error::DotGitDir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_dot_git_is_refused() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            "git~1",
            "GIT~1",
            ".git ",
            ".git.",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            ".git\\x",
            "a\\.git",
        ] {
            assert!(check(name.into(), Leaf::Other).is_err(), "{name} at the top");
            assert!(check(format!("a/{name}/b").as_str().into(), Leaf::Other).is_err(), "{name} below");
        }
    }

    #[test]
    fn a_path_cannot_leave_the_work_tree() {
        for path in ["../a", "a/../b", "/a", "a//b", "a/", "", ".", "./a"] {
            assert!(check(path.into(), Leaf::Other).is_err(), "{path:?}");
        }
    }

    #[test]
    fn a_link_cannot_stand_in_for_the_list_of_submodules() {
        assert!(check(".gitmodules".into(), Leaf::Link).is_err());
        assert!(check(".gitmodules".into(), Leaf::Other).is_ok());
    }

    #[test]
    fn thousands_of_levels_are_too_long() {
        let path = "a/".repeat(3000) + "b";
        assert_eq!(check(path.as_str().into(), Leaf::Other), Err(Hostile::TooLong));
    }

    #[test]
    fn honest_names_pass() {
        for path in
            [".gitignore", "a/.gitattributes", "git", "a b/ü\n\"x\"", "a\\b", ".github/x.yml", "git~", "con"]
        {
            assert_eq!(check(path.into(), Leaf::Other), Ok(()), "{path}");
        }
    }
}
