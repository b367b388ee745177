//! Objects that are there already, and are about to be named again.
//!
//! `git gc` clears away what no ref has led to for some weeks, and goes by the age of files. What was staged long ago, and
//! taken back, may be just what is committed now, while git is at it: the commit would lead to something that is gone a
//! moment later. So whatever need not be written, as it is there, becomes young again, as git has it. See the notes of
//! [git-gc](https://git-scm.com/docs/git-gc#_notes).

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

use gix::{
    ObjectId, Repository,
    odb::{find::Header, pack::index},
};

/// Up to which size a loose object is read as a whole to see whether it is sound.
const SMALL: u64 = 1024 * 1024;

/// The objects of a repository, which need not be written once more.
pub struct Known<'repo> {
    repo: &'repo Repository,
    places: Option<Places>,
}

/// Where objects can be.
struct Places {
    folders: Vec<PathBuf>,
    packs: Vec<Pack>,
}

struct Pack {
    index: index::File,
    data: PathBuf,
    is_young: bool,
}

impl<'repo> Known<'repo> {
    /// Those of `repo` and of its alternates.
    #[must_use]
    pub fn of(repo: &'repo Repository) -> Self {
        Self { repo, places: None }
    }

    /// Whether the object `id` is there, and stays there as one does that has just been written.
    pub fn holds(&mut self, id: &ObjectId) -> bool {
        // A power cut may leave a file with nothing in it, or only the begin of it, which is as good as none.
        let is_sound = || match self.repo.find_header(*id) {
            Ok(Header::Loose { size, .. }) if size <= SMALL => self.repo.find_object(*id).is_ok(),
            header => header.is_ok(),
        };
        self.repo.objects.exists_without_refresh(id)
            && is_sound()
            && self.places.get_or_insert_with(|| Places::of(self.repo)).renew(id)
    }
}

impl Places {
    /// What cannot be read holds nothing: an object is then written here, which does no harm.
    fn of(repo: &Repository) -> Self {
        let store = repo.objects.store_ref();
        let mut folders = vec![store.path().to_owned()];
        folders.extend(store.alternate_db_paths().unwrap_or_default());
        let files = folders.iter().filter_map(|folder| fs::read_dir(folder.join("pack")).ok()).flatten();
        let packs = files.flatten().filter_map(|file| {
            let path = file.path();
            // In a cruft pack each object has an age of its own, and none that could be changed.
            let counts = path.extension()? == "idx" && !path.with_extension("mtimes").exists();
            let index = counts.then(|| index::File::at(&path, repo.object_hash()).ok()).flatten()?;
            Some(Pack { index, data: path.with_extension("pack"), is_young: false })
        });
        let packs = packs.collect();
        Self { folders, packs }
    }

    /// Makes the file that holds the object young, if there is one.
    fn renew(&mut self, id: &ObjectId) -> bool {
        let hex = id.to_hex().to_string();
        let (folder, name) = hex.split_at(2);
        self.folders.iter().any(|objects| make_young(&objects.join(folder).join(name)))
            || self.packs.iter_mut().any(|pack| pack.index.lookup(id).is_some() && pack.make_young())
    }
}

impl Pack {
    fn make_young(&mut self) -> bool {
        self.is_young = self.is_young || make_young(&self.data);
        self.is_young
    }
}

fn make_young(path: &Path) -> bool {
    File::open(path).and_then(|file| file.set_modified(SystemTime::now())).is_ok()
}
