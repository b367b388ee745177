//! Names that must never be written to disk, nor into a commit, whatever tree or folder they come from.
//!
//! A tree object may hold any bytes as a name. Without this check a tree of somebody else's could write into `.git`
//! (in one of the many spellings that some file system takes for it), outside the work tree, or through a link.
//! The rules are those of git's `verify_path`, with the protections for HFS+ and NTFS always on: a repository is
//! shared between systems, and no honest name is lost by it.
//! See <https://git-scm.com/docs/git-config#Documentation/git-config.txt-coreprotectNTFS>.

use std::fmt;

use gix::bstr::{BStr, ByteSlice};
use gix::validate::path::component;

/// The longest path that common systems can open, in bytes.
pub const LONGEST_PATH: usize = 4095;
/// The longest name that common file systems can hold, in bytes.
const LONGEST_NAME: usize = 255;

/// What is at the end of a path, as far as names go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// A symbolic link, which may not be named like a file that git itself reads.
    Link,
    /// Anything else.
    Other,
}

/// Why a path is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hostile {
    /// One of its names is not allowed; the reason in words.
    Name(String),
    /// It is too long to be opened.
    TooLong,
    /// The same name stands twice in one folder of the tree.
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

/// Check a whole `path`, `/`-separated and relative, name by name.
///
/// # Errors
/// The first reason for which it must not be used.
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

/// Check one `name` of a folder.
///
/// # Errors
/// The reason for which it must not be used.
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
    // Where `\` separates folders, `.git\x` is inside `.git`.
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
