//! Property test: the union of generated texts is the same as that of git's merge.

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

/// Changes that insert parts of the same few blocks. As in the base, no line occurs twice in a text: how equal lines
/// are paired depends on the diff algorithm, and git's differs slightly from the one here.
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
    let base = (0..30u8).prop_map(|count| (0..count).collect());
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

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20),
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

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
