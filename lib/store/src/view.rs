//! Repository handles for code that reads many objects.
//!
//! When gix looks up an object, it asks a cache first. The cache here returns what is in memory anyway, and reads
//! loose objects itself, see [`Loose`]. Everything else is left to gix.

use gix::{
    ObjectId, Repository,
    object::Kind,
    odb::pack::cache::{Object as Cache, object::MemoryCappedHashmap},
};

use crate::{
    history::{History, has_replace_refs, locked},
    objects::Loose,
    recent::RecentObjects,
};

impl History {
    /// Returns a handle of `repo` that takes `recent` objects, commits that were read before, and trees that are
    /// [kept](Self::keep_trees) from memory.
    #[must_use]
    pub fn view(&self, repo: &Repository, recent: &RecentObjects) -> Repository {
        let mut view = repo.clone();
        view.objects.unset_object_cache();
        // gix applies replace refs only without this cache.
        if !has_replace_refs(repo) {
            let (history, recent) = (self.clone(), recent.clone());
            let folder = repo.objects.store_ref().path().to_owned();
            view.objects.set_object_cache(move || {
                Box::new(Near {
                    recent: recent.clone(),
                    history: history.clone(),
                    files: Loose::within(&folder),
                })
            });
        }
        view
    }

    /// Makes all handles share a cache of the trees that they read from now on: those used last, up to `bytes` in
    /// total.
    pub fn keep_trees(&self, bytes: usize) {
        *locked(&self.trees) = Some(MemoryCappedHashmap::new(bytes));
    }
}

/// Returns another handle with the same caches as `view`. A plain clone by gix has no cache.
#[must_use]
pub fn clone_view(view: &Repository) -> Repository {
    let mut clone_view = view.clone();
    clone_view.objects = view.objects.clone();
    clone_view
}

/// The cache: objects in memory, and loose objects, which it reads faster than gix.
struct Near {
    recent: RecentObjects,
    history: History,
    files: Loose,
}

impl Cache for Near {
    fn put(&mut self, id: ObjectId, kind: Kind, data: &[u8]) {
        if kind == Kind::Tree
            && let Some(trees) = locked(&self.history.trees).as_mut()
        {
            trees.put(id, kind, data);
        }
    }

    fn get(&mut self, id: &ObjectId, out: &mut Vec<u8>) -> Option<Kind> {
        let known = self.recent.read(id, out).or_else(|| self.history.kept(id, out));
        if let Some(kind) = known.or_else(|| locked(&self.history.trees).as_mut()?.get(id, out)) {
            return Some(kind);
        }
        let kind = self.files.read(id, out)?;
        self.put(*id, kind, out);
        Some(kind)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use testkit::World;

    use super::*;

    #[test]
    fn objects_are_found_wherever_they_are_and_new_ones_too() {
        let world = World::new();
        let ours = world.init("ours");
        ours.write("packed.md", "packed\n");
        ours.commit_all("packed");
        ours.git(["repack", "--quiet", "-a", "-d"]);
        ours.write("loose.md", "loose\n");
        ours.commit_all("loose");
        let repo = gix::open(ours.path()).unwrap();
        let id = |name: &str| ObjectId::from_hex(ours.rev(name).as_bytes()).unwrap();
        let mut drafts = repo.clone().with_object_memory();
        let only_here = drafts.write_blob("only here").unwrap().detach();
        let recent = RecentObjects::from(drafts.objects.take_object_memory().unwrap());
        for kept in [None, Some(1024 * 1024)] {
            let history = History::of(&repo);
            kept.into_iter().for_each(|bytes| history.keep_trees(bytes));
            let view = history.view(&repo, &recent);
            for _ in 0..2 {
                for name in
                    ["HEAD", "HEAD~", "HEAD^{tree}", "HEAD~^{tree}", "HEAD:packed.md", "HEAD:loose.md"]
                {
                    let (seen, real) =
                        (view.find_object(id(name)).unwrap(), repo.find_object(id(name)).unwrap());
                    assert_eq!((seen.kind, &seen.data), (real.kind, &real.data), "{name}");
                }
                assert_eq!(view.find_object(only_here).unwrap().data, b"only here");
            }
            assert!(view.try_find_object(ObjectId::null(repo.object_hash())).unwrap().is_none());
            let late = repo.write_blob(format!("late {kept:?}")).unwrap();
            let clone_view = clone_view(&view);
            assert_eq!(clone_view.find_object(late).unwrap().kind, Kind::Blob);
            assert_eq!(clone_view.find_object(only_here).unwrap().data, b"only here");
        }
    }

    #[test]
    fn a_tree_that_is_kept_is_not_read_again() {
        let world = World::new();
        let ours = world.init("ours");
        ours.write("one.md", "one\n");
        ours.commit_all("one");
        let repo = gix::open(ours.path()).unwrap();
        let tree = ObjectId::from_hex(ours.rev("HEAD^{tree}").as_bytes()).unwrap();
        let [keeps, does_not] = [(); 2].map(|()| History::of(&repo));
        keeps.keep_trees(1024 * 1024);
        let views = [&keeps, &does_not].map(|history| history.view(&repo, &RecentObjects::default()));
        views.iter().for_each(|view| drop(view.find_tree(tree).unwrap()));
        std::fs::remove_file(crate::object_file::path(&repo, &tree)).unwrap();
        let found = [&keeps, &does_not].map(|history| {
            history.view(&repo, &RecentObjects::default()).try_find_object(tree).unwrap().is_some()
        });
        assert_eq!(found, [true, false]);
    }

    #[test]
    fn what_stands_for_another_object_is_shown_in_its_place() {
        let world = World::new();
        let ours = world.init("ours");
        ours.write("one.md", "one\n");
        let one = ours.commit_all("one");
        ours.write("two.md", "two\n");
        let two = ours.commit_all("two");
        ours.git(["replace", &one, &two]);
        let repo = gix::open(ours.path()).unwrap();
        let view = History::of(&repo).view(&repo, &RecentObjects::default());
        let [seen, real] = [&view, &repo]
            .map(|repo| repo.find_object(ObjectId::from_hex(one.as_bytes()).unwrap()).unwrap().detach().data);
        assert_eq!(seen, real);
        assert!(seen.windows(3).any(|word| word == b"two"));
    }
}
