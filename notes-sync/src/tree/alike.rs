//! Skips the entries that two versions of a tree have in common at the beginning and at the end.
//!
//! A commit of `git notes` changes one note, and so one of hundreds of entries in each tree on the path to it.

use gix::bstr::ByteSlice;

/// Returns the entries of both versions that may differ. Entries whose names begin with the same two characters stay
/// together, since they may be a subtree and notes that belong into it. If names are spelled or ordered as git never
/// does it, all entries are returned.
pub(super) fn trimmed<'a>(old: &'a [u8], new: &'a [u8], kind: gix::hash::Kind) -> (&'a [u8], &'a [u8]) {
    let id = kind.len_in_bytes();
    let (Some(before), Some(after)) = (groups(old, id), groups(new, id)) else { return (old, new) };
    let bytes = |tree: &'a [u8], groups: &[Group], at: usize| {
        let end = groups.get(at + 1).map_or(tree.len(), |next| next.begin);
        &tree[groups[at].begin..end]
    };
    let most = before.len().min(after.len());
    let head = (0..most).take_while(|at| bytes(old, &before, *at) == bytes(new, &after, *at)).count();
    let tail = (1..=most - head).take_while(|back| {
        bytes(old, &before, before.len() - back) == bytes(new, &after, after.len() - back)
    });
    let tail = tail.count();
    let rest = |tree: &'a [u8], groups: &[Group]| {
        let place = |at: usize| groups.get(at).map_or(tree.len(), |group| group.begin);
        &tree[place(head)..place(groups.len() - tail)]
    };
    (rest(old, &before), rest(new, &after))
}

/// The entries whose names begin with the same two characters.
struct Group {
    begin: usize,
    name: [u8; 2],
}

/// Returns the groups of a tree; `None` if the same two digits may occur again elsewhere in it.
fn groups(tree: &[u8], id: usize) -> Option<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::with_capacity(256);
    let mut begin = 0;
    while begin < tree.len() {
        let entry = &tree[begin..];
        let end = entry.find_byte(0)?;
        let path = &entry[entry[..end].find_byte(b' ')? + 1..end];
        let name = [path.first().copied()?, path.get(1).copied().unwrap_or(0)];
        if name.iter().any(|digit| matches!(digit, b'A'..=b'F')) && name.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        match groups.last() {
            Some(last) if last.name == name => {}
            Some(last) if last.name > name => return None,
            _ => groups.push(Group { begin, name }),
        }
        begin += end + 1 + id;
    }
    (begin == tree.len()).then_some(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str, u8)]) -> Vec<u8> {
        let raw = |(mode, name, id): &(&str, &str, u8)| {
            [format!("{mode} {name}\0").as_bytes(), &[*id; 20]].concat()
        };
        entries.iter().flat_map(raw).collect()
    }

    fn left(old: &[(&str, &str, u8)], new: &[(&str, &str, u8)]) -> (Vec<u8>, Vec<u8>) {
        let (old, new) = (tree(old), tree(new));
        let (old, new) = trimmed(&old, &new, gix::hash::Kind::Sha1);
        (old.to_vec(), new.to_vec())
    }

    #[test]
    fn one_changed_entry_is_all_that_is_left() {
        let old = [("40000", "0a", 1), ("40000", "1b", 2), ("40000", "2c", 3)];
        let new = [old[0], ("40000", "1b", 9), old[2]];
        assert_eq!(left(&old, &new), (tree(&old[1..2]), tree(&new[1..2])));
        assert_eq!(left(&old, &old[..2]), (tree(&old[2..]), Vec::new()));
        assert_eq!(left(&old, &old), (Vec::new(), Vec::new()));
        assert_eq!(left(&[], &old), (Vec::new(), tree(&old)));
    }

    #[test]
    fn notes_beside_the_folder_that_they_belong_into_stay_with_it() {
        let old = [("40000", "0a", 1), ("100644", "0a11", 2), ("100644", "1b11", 3)];
        let new = [("40000", "0a", 9), old[1], old[2]];
        assert_eq!(left(&old, &new), (tree(&old[..2]), tree(&new[..2])));
        let new = [old[0], ("100644", "0a11", 9), old[2]];
        assert_eq!(left(&old, &new), (tree(&old[..2]), tree(&new[..2])));
    }

    #[test]
    fn spellings_and_orders_that_git_never_writes_are_left_as_they_are() {
        for old in [
            [("40000", "0A", 1), ("40000", "0a", 2), ("40000", "1b", 3)],
            [("40000", "1b", 1), ("40000", "0a", 2), ("40000", "1b", 3)],
        ] {
            let mut new = old;
            new[2].2 = 9;
            assert_eq!(left(&old, &new), (tree(&old), tree(&new)));
        }
    }
}
