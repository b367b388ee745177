//! Records everything that a run could have changed in a repository, to be compared before and after.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::Repo;

/// The refs, `HEAD`, the index, and every file of the working tree with its content and mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Each ref and the id that it names.
    pub refs: Vec<String>,
    /// The content of `HEAD`.
    pub head: String,
    /// The index, as `git ls-files --stage` lists it.
    pub index: Vec<String>,
    /// The files of the working tree.
    pub files: BTreeMap<String, (u32, Vec<u8>)>,
}

impl Repo {
    /// Returns the current state of the repository.
    pub fn snapshot(&self) -> Snapshot {
        let lines = |text: String| text.lines().map(str::to_owned).collect();
        let mut files = BTreeMap::new();
        collect(self.path(), self.path(), &mut files);
        Snapshot {
            refs: lines(self.git(["for-each-ref", "--format=%(refname) %(objectname)"])),
            head: std::fs::read_to_string(self.git_dir().join("HEAD")).expect("HEAD"),
            index: lines(self.git(["ls-files", "--stage"])),
            files,
        }
    }
}

fn collect(root: &Utf8Path, folder: &Utf8Path, files: &mut BTreeMap<String, (u32, Vec<u8>)>) {
    for entry in folder.read_dir_utf8().unwrap_or_else(|error| panic!("{folder}: {error}")) {
        let path = entry.expect("an entry of a folder").into_path();
        if path.file_name() == Some(".git") {
            continue;
        }
        let metadata = path.symlink_metadata().expect("a file's metadata");
        let name = path.strip_prefix(root).expect("a path below the root").to_string();
        if metadata.is_dir() {
            collect(root, &path, files);
        } else if metadata.is_symlink() {
            let target = path.read_link_utf8().expect("a link's target");
            files.insert(name, (mode(&metadata), target.into_string().into_bytes()));
        } else {
            files.insert(name, (mode(&metadata), std::fs::read(&path).expect("a file's content")));
        }
    }
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.mode()
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> u32 {
    0
}
