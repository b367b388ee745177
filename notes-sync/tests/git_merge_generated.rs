//! Tests generated notes histories, merged by git and by us.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod twin;

use notes_sync::{
    merge::{self, Trees},
    strategy::Strategy,
};
use proptest::{prelude::*, sample::select, strategy::Strategy as Generates};
use twin::{Layout, Notes, Twin, spread};

/// What happens to the note about one object: its version at the base, here, and there.
#[derive(Debug, Clone)]
struct Story {
    object: String,
    base: Option<&'static str>,
    local: Option<&'static str>,
    remote: Option<&'static str>,
}

const NOTES: [&str; 9] =
    ["a\n", "b\n", "a\nb\n", "b\na", "", "\n", " \n\r\n\nc\n", "c\n\n\nc\n", "{\"json\": 1}\n"];

fn version() -> impl Generates<Value = Option<&'static str>> {
    prop_oneof![1 => Just(None), 4 => select(&NOTES[..]).prop_map(Some)]
}

/// Ids that are spread like those of real objects, or crowd below a few bytes.
fn object() -> impl Generates<Value = String> {
    prop_oneof![
        4 => (0u64..10_000).prop_map(spread),
        2 => (0u64..10_000).prop_map(|number| format!("ab{}", &spread(number)[2..])),
        1 => (0u64..10_000).prop_map(|number| format!("ab00{}", &spread(number)[4..])),
        1 => (0u64..10_000).prop_map(|number| format!("0000{}", &spread(number)[4..])),
    ]
}

fn story() -> impl Generates<Value = Story> {
    let unchanged = (object(), version()).prop_map(|(object, note)| Story {
        object,
        base: note,
        local: note,
        remote: note,
    });
    let any = (object(), version(), version(), version()).prop_map(|(object, base, local, remote)| Story {
        object,
        base,
        local,
        remote,
    });
    prop_oneof![2 => unchanged, 1 => any]
}

fn layout() -> impl Generates<Value = Layout> {
    select(&[Layout::Flat, Layout::Fanned, Layout::FannedTwice, Layout::Mixed][..])
}

fn notes(stories: &[Story], version: impl Fn(&Story) -> Option<&'static str>) -> Notes {
    stories
        .iter()
        .filter_map(|story| Some((story.object.clone(), version(story)?.as_bytes().to_vec())))
        .collect()
}

/// Entries that are no notes, the same on all sides: git drops what the remote does to them.
const OTHERS: [(&str, &str); 4] = [
    ("README.md", "about"),
    ("ab/README.md", "about ab"),
    ("docs/a/b", "text"),
    ("0123", "hex, but no note"),
];

fn commit(twin: &mut Twin, name: &str, parent: Option<&str>, layout: Layout, notes: &Notes, others: usize) {
    let mut files: Vec<_> = notes.iter().map(|(object, note)| (layout.path(object), note.clone())).collect();
    files.extend(
        OTHERS.iter().take(others).map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())),
    );
    twin.commit_files(name, parent, &files);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_two_histories_merge_to_gits_tree(
        stories in prop::collection::vec(story(), 1..400),
        layouts in (layout(), layout(), layout()),
        related in prop::bool::weighted(0.8),
        others in prop_oneof![Just(0), 1..=OTHERS.len()],
        strategy in select(&[Strategy::Ours, Strategy::Theirs, Strategy::Union, Strategy::CatSortUniq][..]),
    ) {
        let mut twin = Twin::new();
        let base = related.then_some("refs/notes/base");
        commit(&mut twin, "refs/notes/base", None, layouts.0, &notes(&stories, |story| story.base), others);
        commit(&mut twin, "refs/notes/local", base, layouts.1, &notes(&stories, |story| story.local), others);
        commit(&mut twin, "refs/notes/remote", base, layouts.2, &notes(&stories, |story| story.remote), others);
        let tree = |name: &str| twin.id(&format!("{name}^{{tree}}"));
        let trees = Trees {
            base: base.map(tree),
            local: tree("refs/notes/local"),
            remote: tree("refs/notes/remote"),
        };
        let ours = merge::merge(&twin.repo(), trees, strategy).unwrap().tree;
        let gits = twin.git_merges(strategy.name(), "refs/notes/local", "refs/notes/remote");
        let difference = || twin.git(&["diff-tree", "-r", "-p", &gits.to_string(), &ours.to_string()]);
        prop_assert_eq!(ours, gits, "from git's tree to ours:\n{}", difference());

        // What was merged merges again, with the layout that git gave it.
        twin.git(&["update-ref", "refs/notes/local", "refs/notes/result"]);
        let more: Notes = (0..30).map(|number| (spread(number), b"later\n".to_vec())).collect();
        commit(&mut twin, "refs/notes/remote", Some("refs/notes/remote"), layouts.0, &more, others);
        let trees = Trees { base: Some(trees.remote), local: ours, remote: twin.id("refs/notes/remote^{tree}") };
        let ours = merge::merge(&twin.repo(), trees, strategy).unwrap().tree;
        let gits = twin.git_merges(strategy.name(), "refs/notes/local", "refs/notes/remote");
        prop_assert_eq!(ours, gits);
    }
}
