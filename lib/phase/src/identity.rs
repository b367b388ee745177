//! Reads `.claude/identity.json`, which names the user and their vault.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::Fault;

/// The part of `.claude/identity.json` that Lockstep reads; other keys are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(expecting = "an object")]
pub struct IdentityFile {
    /// The name that notes are addressed to.
    pub user: Option<String>,
    /// The vault: a repository that is synced after the main one. `~` is the home directory; a relative path starts
    /// at the root of the working tree.
    pub vault_path: Option<Utf8PathBuf>,
}

impl IdentityFile {
    /// Reads the file of a working tree. If there is no file, all fields are empty.
    ///
    /// # Errors
    /// A fault with exit 78 if the file exists but cannot be read or parsed.
    pub fn read(worktree: &Utf8Path) -> Result<Self, Fault> {
        let path = worktree.join(".claude").join("identity.json");
        let text = match text(&path) {
            Ok(text) => text,
            Err(error) if is_absent(&error) => return Ok(Self::default()),
            Err(error) => {
                return Err(Fault::misconfigured(format!("{path} could not be read: {error}")).help(HELP));
            }
        };
        let mut identity: Self = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| Fault::misconfigured(format!("{path} is broken: {error}")).help(HELP))?;
        // An empty name is one that is not filled in yet.
        identity.user = identity.user.filter(|user| !user.trim().is_empty());
        Ok(identity)
    }
}

fn text(path: &Utf8Path) -> std::io::Result<String> {
    // Reading a pipe would block, and a device may have no end.
    if !path.metadata()?.is_file() {
        return Err(std::io::Error::other("it is not a file"));
    }
    std::fs::read_to_string(path)
}

const HELP: &str = r#"it is a JSON object such as {"user": "mike", "vault_path": "~/vault"}"#;

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<IdentityFile, Fault> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(directory.path()).expect("a UTF-8 path");
        std::fs::create_dir(root.join(".claude")).expect("a folder");
        std::fs::write(root.join(".claude/identity.json"), text).expect("a file");
        IdentityFile::read(root)
    }

    #[test]
    fn other_keys_belong_to_others() {
        let identity =
            read(r#"{"user": "mike", "vault_path": "~/vault", "role": ["admin"]}"#).expect("it is fine");
        assert_eq!(identity.user.as_deref(), Some("mike"));
        assert_eq!(identity.vault_path.as_deref(), Some(Utf8Path::new("~/vault")));
    }

    #[test]
    fn a_broken_file_is_wrong_configuration_and_is_named() {
        for text in ["", "{", "[]", "5", r#"{"user": 5}"#] {
            let fault = read(text).expect_err(text);
            assert_eq!(fault.exit(), contract::Exit::Misconfigured);
            assert!(fault.message().contains("identity.json"), "{}", fault.message());
            assert!(!fault.message().contains("IdentityFile"), "{}", fault.message());
        }
    }

    #[test]
    fn a_name_that_is_not_filled_in_is_none() {
        for text in [r#"{"user": ""}"#, r#"{"user": "  "}"#] {
            assert_eq!(read(text), Ok(IdentityFile::default()), "{text}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn what_is_not_a_file_is_not_read() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(directory.path()).expect("a UTF-8 path");
        std::fs::create_dir(root.join(".claude")).expect("a folder");
        std::os::unix::fs::symlink("/dev/zero", root.join(".claude/identity.json")).expect("a link");
        let fault = IdentityFile::read(root).expect_err("it has no end");
        assert!(fault.message().ends_with("identity.json could not be read: it is not a file"), "{fault}");
    }

    #[test]
    fn without_a_file_nothing_is_known() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(directory.path()).expect("a UTF-8 path");
        assert_eq!(IdentityFile::read(root), Ok(IdentityFile::default()));
    }
}
