//! Property tests: merges of generated texts, and their unions, are the same as git's.

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use proptest::prelude::*;
use testkit::{Repo, World};

use crate::rebase::merge::{Merged, Merger};

/// A change that one side makes to a text.
#[derive(Debug, Clone)]
struct Edit {
    /// The position, in hundredths of the text.
    at: usize,
    /// The number of lines that it removes.
    removed: usize,
    /// What it inserts in their place.
    added: Vec<u8>,
}

/// A file, and its versions on both sides.
#[derive(Debug, Clone)]
struct File {
    base: Vec<u8>,
    ours: Vec<Edit>,
    theirs: Vec<Edit>,
    /// Whether the last line of the base, ours and theirs has a line ending, and whether that is CR LF.
    ends: [(bool, bool); 3],
}

/// Changes that insert parts of the same few blocks.
fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = |block: u8| {
        let added = (0..10u8, 0..9u8)
            .prop_map(move |(first, count)| (0..count).map(|line| block + first + line).collect::<Vec<u8>>());
        (0..100usize, 0..5usize, added).prop_map(|(at, removed, added)| Edit { at, removed, added })
    };
    prop_oneof![
        Just(Vec::new()),
        edit(100).prop_map(|edit| vec![edit]),
        (edit(100), edit(120)).prop_map(|(one, two)| vec![one, two]),
        (edit(100), edit(120), edit(140)).prop_map(|(one, two, three)| vec![one, two, three]),
    ]
}

fn file() -> impl Strategy<Value = File> {
    let end = || (prop::bool::weighted(0.8), prop::bool::weighted(0.1));
    // In some texts each line occurs once, in others many times.
    let base = prop_oneof![
        (0..30u8).prop_map(|count| (0..count).collect()),
        prop::collection::vec(prop::sample::select(vec![0, 1, 2, 100, 101, 120, 140]), 0..40),
        prop::collection::vec(0..30u8, 0..80),
    ];
    (base, edits(), edits(), (end(), end(), end())).prop_map(|(base, ours, theirs, ends)| File {
        base,
        ours,
        theirs,
        ends: ends.into(),
    })
}

impl File {
    fn side(&self, edits: &[Edit], (is_ended, is_crlf): (bool, bool)) -> String {
        let mut lines = self.base.clone();
        for Edit { at, removed, added } in edits {
            let at = lines.len() * at / 100;
            lines.splice(at..(at + removed).min(lines.len()), added.iter().copied());
        }
        let end = if is_crlf { "\r\n" } else { "\n" };
        let text: String = lines.iter().map(|line| format!("line {line}{end}")).collect();
        if is_ended { text } else { text.trim_end().to_owned() }
    }
}

/// Creates a tree of such files. None is empty: an empty one might be taken for another.
fn tree(repo: &gix::Repository, texts: impl Iterator<Item = String>) -> ObjectId {
    let mut editor = repo.edit_tree(repo.object_hash().empty_tree()).unwrap();
    for (number, text) in texts.enumerate() {
        let id = repo.write_blob(text).unwrap();
        editor.upsert(format!("{number}.log"), EntryKind::Blob, id).unwrap();
    }
    editor.write().unwrap().detach()
}

/// Returns git's merge of these trees.
fn git_s(origin: &Repo, [base, ours, theirs]: [ObjectId; 3]) -> String {
    let base = format!("--merge-base={base}");
    origin.git(["merge-tree", "--write-tree", &base, &ours.to_string(), &theirs.to_string()])
}

/// Returns the paths of the files that git's merge of these trees has in conflict.
fn git_s_conflicts(origin: &Repo, [base, ours, theirs]: [ObjectId; 3]) -> Vec<String> {
    let base = format!("--merge-base={base}");
    let merge = ["merge-tree", "--write-tree", "--name-only", "--no-messages", &base];
    let output = origin.git_invocation().args(merge).args([ours.to_string(), theirs.to_string()]).output();
    output.stdout.lines().skip(1).map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20),
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn texts_are_merged_as_git_merges_them(
        files in prop::collection::vec(file(), 1..40),
        style in prop::sample::select(vec!["merge", "merge", "diff3", "zdiff3"]),
    ) {
        let world = World::new();
        let origin = world.init("mike");
        origin.git(["config", "merge.conflictStyle", style]);
        origin.git(["config", "merge.renames", "false"]);
        let repo = gix::open_opts(origin.path().as_std_path(), gix::open::Options::isolated()).unwrap();
        let of = |file: &File| {
            [file.side(&[], file.ends[0]), file.side(&file.ours, file.ends[1]), file.side(&file.theirs, file.ends[2])]
        };
        let trees = |wanted: &dyn Fn(usize) -> bool| {
            let wanted = || files.iter().enumerate().filter(|(number, _)| wanted(*number)).map(|(_, file)| of(file));
            [0, 1, 2].map(|side| tree(&repo, wanted().map(|texts| texts[side].clone())))
        };
        let conflicts = git_s_conflicts(&origin, trees(&|_| true));
        let name = |number: usize| format!("{number}.log");
        for (number, file) in files.iter().enumerate() {
            let [base, ours, theirs] = trees(&|one| one == number);
            let is_clean = matches!(Merger::new(&repo, &()).merge(base, ours, theirs).unwrap(), Merged::Clean(_));
            prop_assert_eq!(is_clean, !conflicts.contains(&name(number)), "{:?}", of(file));
        }
        let clean = trees(&|number| !conflicts.contains(&name(number)));
        let [base, ours, theirs] = clean;
        let Merged::Clean(merged) = Merger::new(&repo, &()).merge(base, ours, theirs).unwrap() else {
            return Err(TestCaseError::fail("each of these is clean"));
        };
        let git_s = git_s(&origin, clean);
        let differs = || origin.git(["diff", "--no-color", git_s.trim(), &merged.to_string()]);
        prop_assert_eq!(git_s.trim(), merged.to_string(), "from git's to ours: {}", differs());
    }

    #[test]
    fn a_union_is_that_of_git_s_merge(
        files in prop::collection::vec(file(), 1..40),
        style in prop::sample::select(vec!["merge", "merge", "diff3", "zdiff3"]),
    ) {
        let world = World::new();
        let origin = world.init("mike");
        origin.write(".git/info/attributes", "*.log merge=union\n");
        origin.git(["config", "merge.conflictStyle", style]);
        let repo = gix::open_opts(origin.path().as_std_path(), gix::open::Options::isolated()).unwrap();
        let trees = [
            tree(&repo, files.iter().map(|file| file.side(&[], file.ends[0]))),
            tree(&repo, files.iter().map(|file| file.side(&file.ours, file.ends[1]))),
            tree(&repo, files.iter().map(|file| file.side(&file.theirs, file.ends[2]))),
        ];
        let [base, ours, theirs] = trees;
        let Merged::Clean(merged) = Merger::new(&repo, &()).merge(base, ours, theirs).unwrap() else {
            return Err(TestCaseError::fail("a union has no conflicts"));
        };
        let git_s = git_s(&origin, trees);
        let differs = || origin.git(["diff", "--no-color", git_s.trim(), &merged.to_string()]);
        prop_assert_eq!(git_s.trim(), merged.to_string(), "from git's to ours: {}", differs());
    }
}
