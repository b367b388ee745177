//! The scan of a work tree in which nothing has changed, by number of files.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the benchmark")]

use divan::Bencher;
use scan::{Everything, Interest};
use testkit::World;

fn main() {
    divan::main();
}

#[divan::bench(args = [1_000, 20_000])]
fn everything(bencher: Bencher<'_, '_>, files: usize) {
    bench(bencher, files, &Everything);
}

#[divan::bench(args = [1_000, 20_000])]
fn no_file_of_interest(bencher: Bencher<'_, '_>, files: usize) {
    struct Nothing;
    impl Interest for Nothing {
        fn in_folder(&self, _path: &gix::bstr::BStr) -> bool {
            false
        }
    }
    bench(bencher, files, &Nothing);
}

#[divan::bench(args = [1_000, 20_000])]
fn reading_the_index(bencher: Bencher<'_, '_>, files: usize) {
    let (_world, repo) = repo(files);
    bencher.bench_local(|| scan::Index::read(&repo, &repo.index_path()).unwrap());
}

fn bench(bencher: Bencher<'_, '_>, files: usize, interest: &dyn Interest) {
    let (_world, repo) = repo(files);
    let index = scan::Index::read(&repo, &repo.index_path()).unwrap();
    bencher.bench_local(|| scan::scan(&repo, &index, interest, &|_| ()).unwrap());
}

/// As above, when the folders are known from before.
#[divan::bench(args = [1_000, 20_000])]
fn everything_once_more(bencher: Bencher<'_, '_>, files: usize) {
    let (_world, repo) = repo(files);
    let index = scan::Index::read(&repo, &repo.index_path()).unwrap();
    // Folders that changed within the last seconds are not remembered.
    std::thread::sleep(std::time::Duration::from_secs(4));
    let scanned = scan::scan(&repo, &index, &Everything, &|_| ()).unwrap();
    scanned.learnt.into_iter().for_each(|learnt| learnt.write().unwrap());
    bencher.bench_local(|| scan::scan(&repo, &index, &Everything, &|_| ()).unwrap());
}

fn repo(files: usize) -> (World, gix::Repository) {
    let world = World::new();
    let repo = world.init("mike");
    for number in 0..files {
        repo.write(&format!("{}/{}/{number}.md", number % 40, number / 800), format!("{number}\n"));
    }
    repo.commit_all("the beginning");
    let repo = gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap();
    (world, repo)
}
