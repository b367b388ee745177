//! Provides a repository whose notes git creates and merges, so that git is the judge.

#![allow(clippy::disallowed_methods, reason = "tests start git to make fixtures and to judge results")]
#![allow(clippy::unwrap_used, reason = "a fixture that fails is a test that fails")]
#![allow(dead_code, reason = "every test binary uses a part of this")]

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use gix::ObjectId;

/// A bare repository in a temporary folder.
pub struct Twin {
    folder: tempfile::TempDir,
    imported: usize,
}

/// Notes by the hex id of what they are about, as git lists them.
pub type Notes = BTreeMap<String, Vec<u8>>;

/// Where the notes of a tree stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// All in the root.
    Flat,
    /// In folders of one byte.
    Fanned,
    /// In folders of two bytes.
    FannedTwice,
    /// In folders where the first byte is even, in the root elsewhere.
    Mixed,
}

impl Layout {
    pub fn path(self, object: &str) -> String {
        let even = u8::from_str_radix(&object[..2], 16).unwrap().is_multiple_of(2);
        match self {
            Self::Fanned => format!("{}/{}", &object[..2], &object[2..]),
            Self::FannedTwice => format!("{}/{}/{}", &object[..2], &object[2..4], &object[4..]),
            Self::Mixed if even => format!("{}/{}", &object[..2], &object[2..]),
            Self::Flat | Self::Mixed => object.to_owned(),
        }
    }
}

impl Twin {
    pub fn new() -> Self {
        let twin = Self { folder: tempfile::tempdir().unwrap(), imported: 0 };
        twin.git(&["init", "-q", "--bare", "."]);
        twin
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn repo(&self) -> gix::Repository {
        gix::open_opts(self.path(), gix::open::Options::isolated()).unwrap()
    }

    /// Runs git, and fails the test where git fails.
    pub fn git(&self, args: &[&str]) -> String {
        let output = self.try_git(args, b"");
        assert!(
            output.status.success(),
            "git {args:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub fn try_git(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = isolated(Command::new("git"), self.path())
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    pub fn id(&self, rev: &str) -> ObjectId {
        ObjectId::from_hex(self.git(&["rev-parse", rev]).as_bytes()).unwrap()
    }

    /// Commits a tree with these files to a ref, on top of `parent`.
    pub fn commit_files(&mut self, name: &str, parent: Option<&str>, files: &[(String, Vec<u8>)]) {
        self.imported += 1;
        let mut stream = Vec::new();
        let when = 1_700_000_000 + self.imported;
        writeln!(stream, "commit {name}\ncommitter T <t@example.com> {when} +0000\ndata 0").unwrap();
        if let Some(parent) = parent {
            writeln!(stream, "from {}\ndeleteall", self.git(&["rev-parse", parent])).unwrap();
        }
        for (path, content) in files {
            writeln!(stream, "M 100644 inline {path}\ndata {}", content.len()).unwrap();
            stream.extend_from_slice(content);
            stream.push(b'\n');
        }
        let output = self.try_git(&["fast-import", "--quiet", "--force"], &stream);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Commits notes to a ref, on top of `parent`, at the paths of `layout`.
    pub fn commit_notes(&mut self, name: &str, parent: Option<&str>, layout: Layout, notes: &Notes) {
        let files: Vec<_> = notes.iter().map(|(object, note)| (layout.path(object), note.clone())).collect();
        self.commit_files(name, parent, &files);
    }

    /// Commits changes to some notes on top of `parent`: new versions, and removals.
    pub fn commit_changes(
        &mut self,
        name: &str,
        parent: &str,
        layout: Layout,
        changes: &BTreeMap<String, Option<Vec<u8>>>,
    ) {
        self.imported += 1;
        let when = 1_700_000_000 + self.imported;
        let from = self.git(&["rev-parse", parent]);
        let mut stream =
            format!("commit {name}\ncommitter T <t@example.com> {when} +0000\ndata 0\nfrom {from}\n")
                .into_bytes();
        for (object, note) in changes {
            let path = layout.path(object);
            match note {
                None => writeln!(stream, "D {path}").unwrap(),
                Some(note) => {
                    writeln!(stream, "M 100644 inline {path}\ndata {}", note.len()).unwrap();
                    stream.extend_from_slice(note);
                    stream.push(b'\n');
                }
            }
        }
        let output = self.try_git(&["fast-import", "--quiet", "--force"], &stream);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Merges with `git notes merge` on a copy of `local`, and returns the tree.
    pub fn git_merges(&self, strategy: &str, local: &str, remote: &str) -> ObjectId {
        self.git(&["update-ref", "refs/notes/result", local]);
        self.git(&["notes", "--ref", "refs/notes/result", "merge", "-q", "-s", strategy, remote]);
        self.id("refs/notes/result^{tree}")
    }
}

/// A command that knows nothing of the user who runs the tests.
pub fn isolated(mut command: Command, directory: &Path) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    let home: PathBuf = directory.join("no-home");
    command
        .current_dir(directory)
        .env("HOME", &home)
        .env("XDG_CONFIG_HOME", &home)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "T")
        .env("GIT_AUTHOR_EMAIL", "t@example.com")
        .env("GIT_COMMITTER_NAME", "T")
        .env("GIT_COMMITTER_EMAIL", "t@example.com");
    command
}

/// An object id that is spread over all bytes, like those of real objects.
pub fn spread(number: u64) -> String {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(&number.to_be_bytes());
    hasher.try_finalize().unwrap().to_string()
}
