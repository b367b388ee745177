//! Tests generated messy repositories: the scan reports what `git status` reports.
//!
//! Each case is a list of small actions done with git and the file system. The scan must report paths that it is
//! unsure about, too; git hashes those (`hash-object`), and then both must agree on every path.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use gix::bstr::{BStr, ByteSlice as _};
use gix::index::entry::{Flags, Mode};
use proptest::prelude::*;
use scan::{Everything, Interest, Reason, Status};
use testkit::{Repo, World};

/// Names that are easily confused or sorted oddly; some are folders in one deed and files in another.
const NAMES: [&str; 13] = [
    "a",
    "a/b",
    "a/b/c",
    "a.txt",
    "a-b",
    "a0",
    "d/x.txt",
    "d/y/z",
    "d/y.bin",
    "sp ace",
    "ü/ñ",
    "new\nline",
    "A",
];
const IGNORES: [&str; 11] = [
    "*.txt\n",
    "d/\n",
    "/a\n!a/b\n",
    "*\n!*/\n!*.bin\n",
    "a*\n",
    "b/\n",
    "/*\n!/d\n",
    "*\n!a*\n",
    "*/\n!a/\n",
    "**\n!d/\n!d/**\n",
    "/\n",
];
/// Where they may be: two of these apply to all directories.
const IGNORE_FILES: [&str; 4] = [".gitignore", "d/.gitignore", ".git/info/exclude", ".git/info/of_the_user"];

#[derive(Debug, Clone)]
enum Deed {
    Write(usize, u8),
    Touch(usize),
    Remove(usize),
    Link(usize, usize),
    Folder(usize),
    Pipe(usize),
    Executable(usize, bool),
    Commit,
    Add(usize),
    IntendToAdd(usize),
    RemoveFromIndex(usize),
    AssumeUnchanged(usize),
    SkipWorktree(usize),
    Ignore(usize, usize),
    Config(&'static str, &'static str),
    Nested(usize, bool),
    Sparse(bool),
    SplitIndex,
    Conflict(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let name = || 0..NAMES.len();
    let config = prop::sample::select(vec![
        ("core.fileMode", "false"),
        ("core.symlinks", "false"),
        ("core.trustctime", "false"),
        ("core.checkStat", "minimal"),
        ("index.version", "4"),
        ("status.showUntrackedFiles", "no"),
    ]);
    let deed = prop_oneof![
        12 => (name(), 0..4_u8).prop_map(|(name, text)| Deed::Write(name, text)),
        2 => name().prop_map(Deed::Touch),
        4 => name().prop_map(Deed::Remove),
        2 => (name(), name()).prop_map(|(name, to)| Deed::Link(name, to)),
        1 => name().prop_map(Deed::Folder),
        1 => name().prop_map(Deed::Pipe),
        2 => (name(), any::<bool>()).prop_map(|(name, on)| Deed::Executable(name, on)),
        5 => Just(Deed::Commit),
        2 => name().prop_map(Deed::Add),
        1 => name().prop_map(Deed::IntendToAdd),
        1 => name().prop_map(Deed::RemoveFromIndex),
        1 => name().prop_map(Deed::AssumeUnchanged),
        1 => name().prop_map(Deed::SkipWorktree),
        2 => (0..IGNORES.len(), 0..IGNORE_FILES.len()).prop_map(|(rules, file)| Deed::Ignore(rules, file)),
        2 => config.prop_map(|(key, value)| Deed::Config(key, value)),
        1 => (name(), any::<bool>()).prop_map(|(name, commit)| Deed::Nested(name, commit)),
        1 => any::<bool>().prop_map(Deed::Sparse),
        1 => Just(Deed::SplitIndex),
        1 => name().prop_map(Deed::Conflict),
    ];
    prop::collection::vec(deed, 3..24)
}

/// Does it, if it can be done as things are.
fn act(world: &World, repo: &Repo, deed: &Deed) {
    let path = |name: &usize| repo.join(NAMES[*name]);
    let git = |args: &[&str]| drop(repo.try_git(args.iter().copied()));
    match deed {
        Deed::Write(name, text) => {
            clear(repo, NAMES[*name]);
            repo.write(NAMES[*name], format!("{text}\n"));
        }
        Deed::Touch(name) => {
            // To open a pipe for writing waits for a reader.
            let is_file = std::fs::metadata(path(name)).is_ok_and(|meta| meta.is_file());
            if is_file && let Ok(file) = std::fs::File::options().write(true).open(path(name)) {
                file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
            }
        }
        Deed::Remove(name) => remove(&path(name)),
        Deed::Link(name, to) => {
            clear(repo, NAMES[*name]);
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            symlink(NAMES[*to], path(name)).unwrap();
        }
        Deed::Folder(name) => {
            clear(repo, NAMES[*name]);
            std::fs::create_dir_all(path(name)).unwrap();
        }
        Deed::Pipe(name) => {
            clear(repo, NAMES[*name]);
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            repo.program("mkfifo").args([path(name).as_str()]).output().assert_success();
        }
        Deed::Executable(name, on) => {
            if std::fs::symlink_metadata(path(name)).is_ok_and(|meta| meta.is_file()) {
                repo.set_executable(NAMES[*name], *on);
            }
        }
        Deed::Commit => {
            git(&["add", "--all"]);
            git(&["commit", "--quiet", "--allow-empty", "--message", "a commit"]);
        }
        Deed::Add(name) => git(&["add", "--force", "--", NAMES[*name]]),
        Deed::IntendToAdd(name) => git(&["add", "--force", "--intent-to-add", "--", NAMES[*name]]),
        Deed::RemoveFromIndex(name) => {
            git(&["rm", "--quiet", "-r", "--force", "--cached", "--", NAMES[*name]]);
        }
        Deed::AssumeUnchanged(name) => git(&["update-index", "--assume-unchanged", "--", NAMES[*name]]),
        Deed::SkipWorktree(name) => git(&["update-index", "--skip-worktree", "--", NAMES[*name]]),
        Deed::Ignore(rules, file) => {
            let file = IGNORE_FILES[*file];
            clear(repo, file);
            repo.write(file, IGNORES[*rules]);
            git(&["config", "core.excludesFile", repo.join(IGNORE_FILES[3]).as_str()]);
        }
        Deed::Config(key, value) => git(&["config", key, value]),
        Deed::Nested(name, commit) => {
            clear(repo, NAMES[*name]);
            std::fs::create_dir_all(path(name)).unwrap();
            let nested = world.repo(path(name));
            nested.git(["init", "--quiet"]);
            nested.write("inside", "1\n");
            if *commit {
                nested.commit_all("nested");
            }
        }
        Deed::Sparse(cone) => {
            git(&["sparse-checkout", "set", if *cone { "--cone" } else { "--no-cone" }, "d"]);
        }
        Deed::SplitIndex => git(&["update-index", "--split-index"]),
        Deed::Conflict(name) => {
            let id = repo.git(["hash-object", "-w", "--stdin"]);
            let line = |stage| format!("100644 {} {stage}\t{}\0", id.trim(), NAMES[*name]);
            let stages = [1, 2, 3].map(line).concat();
            let delete = format!("0 {}\t{}\0", "0".repeat(40), NAMES[*name]);
            let input = delete + &stages;
            repo.program("git").args(["update-index", "-z", "--index-info"]).stdin(input).output();
        }
    }
}

/// Takes whatever is in the way of `name`, and what is there.
fn clear(repo: &Repo, name: &str) {
    for (at, _) in name.match_indices('/') {
        let parent = repo.join(&name[..at]);
        if std::fs::symlink_metadata(&parent).is_ok_and(|meta| !meta.is_dir()) {
            remove(&parent);
        }
    }
    remove(&repo.join(name));
}

fn remove(path: &camino::Utf8Path) {
    let is_folder = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
    let _ = if is_folder { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
}

/// What differs between index and work tree, path by path: `?` new, `D` gone, `U` unmerged, `M` changed.
type GitStatus = BTreeMap<Vec<u8>, char>;

fn as_git_says(repo: &Repo) -> GitStatus {
    let out = repo.git([
        "-c",
        "core.quotePath=false",
        "status",
        "--porcelain=v2",
        "-z",
        "--untracked-files=all",
        "--no-renames",
        "--ignore-submodules=dirty",
    ]);
    let mut status = GitStatus::new();
    for line in out.split_terminator('\0') {
        let mut fields = line.splitn(2, ' ');
        let (kind, rest) = (fields.next().unwrap(), fields.next().unwrap());
        let (fields, state) = match kind {
            "?" => {
                status.insert(rest.trim_end_matches('/').into(), '?');
                continue;
            }
            "1" => (8, rest.as_bytes()[1]),
            "u" => (10, b'U'),
            other => panic!("{other} is not expected"),
        };
        let path = rest.splitn(fields, ' ').last().unwrap();
        let state = match state {
            b'.' => continue,
            // Of a repository without a commit in its place git says that the file is deleted; a run is to refuse it.
            b'D' if repo.join(path).join(".git").is_dir() => 'M',
            b'D' => 'D',
            b'U' => 'U',
            _ => 'M',
        };
        status.insert(path.into(), state);
    }
    status
}

fn as_the_scan_says(repo: &Repo, interest: &dyn Interest) -> GitStatus {
    let gix = gix::open_opts(repo.path().as_std_path(), gix::open::Options::isolated()).unwrap();
    let index = scan::Index::read(&gix, &gix.index_path()).unwrap();
    let found = scan::scan(&gix, &index, interest, &|_| ()).unwrap().differences;
    let state = |path: &BStr, seen| match seen {
        Status::Untracked | Status::EmbeddedRepository => Some('?'),
        Status::Deleted => Some('D'),
        Status::Unmerged => Some('U'),
        Status::MaybeModified(doubt) => {
            let entry = index.find(path).unwrap();
            let is_sure = doubt.reason == Reason::Kind
                || entry.flags.contains(Flags::INTENT_TO_ADD)
                || entry.mode == Mode::COMMIT;
            let read = || id_of(repo, path.to_str().unwrap());
            (is_sure || read().as_ref() != entry.id).then_some('M')
        }
    };
    found.iter().filter_map(|one| Some((one.path.to_vec(), state(one.path.as_bstr(), one.seen)?))).collect()
}

fn id_of(repo: &Repo, path: &str) -> gix::ObjectId {
    let full = repo.join(path);
    let content = match std::fs::read_link(&full) {
        Ok(target) => target.into_os_string().into_encoded_bytes(),
        Err(_) => std::fs::read(&full).unwrap(),
    };
    gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, &content).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("LOCKSTEP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_was_done_to_a_work_tree_the_scan_says_what_git_says(deeds in deeds()) {
        let world = World::new();
        let repo = world.init("mike");
        for deed in &deeds {
            act(&world, &repo, deed);
        }
        let mut ours = as_the_scan_says(&repo, &Everything);
        // Of what lies behind links that lead in a circle git tells an error, and no state.
        ours.retain(|path, state| *state != 'D' || !is_behind_a_circle(&repo, path));
        let gits = as_git_says(&repo);
        prop_assert_eq!(show(&ours), show(&gits));
    }
}

#[test]
fn rules_for_all_directories_that_let_only_some_in_let_those_in() {
    for rules in IGNORES {
        for file in &IGNORE_FILES[2..] {
            let world = World::new();
            let repo = world.init("mike");
            for name in ["a", "b.txt", "d/y.bin", "d/z"] {
                repo.write(name, "1\n");
            }
            repo.write(file, rules);
            repo.git(["config", "core.excludesFile", repo.join(IGNORE_FILES[3]).as_str()]);
            let status = show(&as_the_scan_says(&repo, &Everything));
            assert_eq!(status, show(&as_git_says(&repo)), "{rules:?} in {file}");
            assert!(!status.is_empty(), "{rules:?} in {file}");
        }
    }
}

fn is_behind_a_circle(repo: &Repo, path: &[u8]) -> bool {
    let looked = std::fs::symlink_metadata(repo.join(path.to_str().unwrap()));
    looked.is_err_and(|error| error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()))
}

#[test]
fn what_lies_behind_links_that_lead_in_a_circle_is_gone() {
    let world = World::new();
    let repo = world.init("mike");
    for deed in [Deed::Write(1, 0), Deed::Commit, Deed::Link(0, 0)] {
        act(&world, &repo, &deed);
    }
    assert_eq!(show(&as_the_scan_says(&repo, &Everything)), ["? a", "D a/b"]);
    assert_eq!(show(&as_git_says(&repo)), ["? a"]);
    // What git commits is what the scan says.
    repo.git(["add", "--all"]);
    assert_eq!(repo.git(["ls-files", "--stage"]).split_whitespace().last(), Some("a"));
}

fn show(status: &GitStatus) -> Vec<String> {
    status.iter().map(|(path, state)| format!("{state} {}", path.as_bstr())).collect()
}
