//! Freshens objects that already exist, so that a concurrent `git gc` does not prune them before a ref names them.
//!
//! `git gc` prunes objects that have not been reachable for some weeks, judging by the modification times of files.
//! An object that was staged long ago and then unstaged may be needed by a commit just while `git gc` is running: the
//! commit would refer to an object that is gone a moment later. So an object that need not be written because it
//! exists is freshened, as git does. See the notes of [git-gc](https://git-scm.com/docs/git-gc#_notes).

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

use gix::{
    ObjectId, Repository,
    odb::{find::Header, pack::index},
};

/// The size in bytes up to which a loose object is read completely to check it.
const SMALL: u64 = 1024 * 1024;

/// The existing objects of a repository, which need not be written again.
pub struct Freshener<'repo> {
    repo: &'repo Repository,
    places: Option<Places>,
}

/// Where objects may be stored.
struct Places {
    folders: Vec<PathBuf>,
    packs: Vec<Pack>,
}

struct Pack {
    index: index::File,
    data: PathBuf,
    is_young: bool,
}

impl<'repo> Freshener<'repo> {
    /// Considers the objects of `repo` and of its alternates.
    #[must_use]
    pub fn new(repo: &'repo Repository) -> Self {
        Self { repo, places: None }
    }

    /// Whether the object `id` exists and has been freshened, so that it is kept as long as a new one.
    pub fn freshen(&mut self, id: &ObjectId) -> bool {
        // A power failure may leave a file that is empty or cut off, which does not count as an object.
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
    /// Directories and packs that cannot be read are ignored: an object in them is written again, which does no harm.
    fn of(repo: &Repository) -> Self {
        let store = repo.objects.store_ref();
        let mut folders = vec![store.path().to_owned()];
        folders.extend(store.alternate_db_paths().unwrap_or_default());
        let files = folders.iter().filter_map(|folder| fs::read_dir(folder.join("pack")).ok()).flatten();
        let packs = files.flatten().filter_map(|file| {
            let path = file.path();
            // In a cruft pack each object has its own modification time, which cannot be changed.
            let counts = path.extension()? == "idx" && !path.with_extension("mtimes").exists();
            let index = counts.then(|| index::File::at(&path, repo.object_hash()).ok()).flatten()?;
            Some(Pack { index, data: path.with_extension("pack"), is_young: false })
        });
        let packs = packs.collect();
        Self { folders, packs }
    }

    /// Freshens the file that contains the object, if there is one.
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
