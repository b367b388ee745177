//! Compares a tree with its older versions, and yields the entries that differ.
//!
//! The same comparison gives the delta against the first of these versions.

use std::sync::Arc;

use gix::ObjectId;

use super::{
    delta::Draft,
    tree_entries::{Entries, Entry},
};

/// Calls `differs` with each entry of `tree` that is not the same in the first of `olds`, and its older versions. The
/// delta of `tree` against that first one is written to `draft`.
pub(crate) fn differing(
    tree: &[u8],
    olds: &[Arc<[u8]>],
    hash: gix::hash::Kind,
    mut draft: Option<&mut Draft>,
    mut differs: impl FnMut(&Entry<'_>, &[ObjectId]),
) -> gix::Result<()> {
    let mut rest = Entries::of(tree, hash);
    let mut olds: Vec<Entries<'_>> = olds.iter().map(|old| Entries::of(old, hash)).collect();
    let mut versions = Vec::new();
    loop {
        // Nearly all entries are the same.
        if let Some(old) = olds.first_mut() {
            let from = old.passed();
            old.pass_same(&mut rest);
            if let Some(draft) = &mut draft {
                draft.copy(from..old.passed());
            }
        }
        let Some(entry) = rest.head()? else { return Ok(()) };
        rest.pass(&entry);
        versions.clear();
        let (name, id) = entry.raw.split_at(entry.raw.len() - hash.len_in_bytes());
        // The offset of the entry in the first old tree, if its mode and name are the same bytes there: a mode can be
        // written in several ways.
        let mut same_name = None;
        for (number, old) in olds.iter_mut().enumerate() {
            let Some((at, version)) = old.take(&entry)?.filter(|(_, old)| old.is_version_of(&entry)) else {
                continue;
            };
            versions.push(version.id);
            if number == 0 && version.raw.starts_with(name) {
                same_name = Some(at);
            }
        }
        if let Some(draft) = &mut draft {
            match same_name {
                Some(at) => draft.copy(at..at + name.len()),
                None => draft.insert(name),
            }
            draft.insert(id);
        }
        differs(&entry, &versions);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{delta, tree_entries::tree};
    use super::*;

    /// A name, and its older versions.
    type Differing = (String, Vec<u8>);

    /// Returns the entries that differ, and the delta.
    fn compare(new: &[u8], olds: &[&[u8]]) -> (Vec<Differing>, Option<Vec<u8>>) {
        let olds: Vec<Arc<[u8]>> = olds.iter().map(|old| Arc::from(*old)).collect();
        let mut draft = olds.first().map(|old| Draft::new(old.len(), new.len()));
        let mut found = Vec::new();
        differing(new, &olds, gix::hash::Kind::Sha1, draft.as_mut(), |entry, versions| {
            let name = String::from_utf8(entry.name.to_vec()).unwrap();
            found.push((name, versions.iter().map(|id| id.first_byte()).collect()));
        })
        .unwrap();
        (found, draft.and_then(|draft| draft.finish(usize::MAX)))
    }

    #[test]
    fn only_what_differs_is_looked_at_and_with_all_its_versions() {
        let one = tree(&[("100644", "a", 1), ("40000", "b", 2), ("100644", "c", 3), ("100644", "z", 9)]);
        let two = tree(&[("100644", "a", 1), ("40000", "b", 4), ("100644", "c", 5)]);
        let new = tree(&[("100644", "a", 1), ("40000", "b", 6), ("100644", "c", 5), ("100644", "d", 7)]);
        let named = |name: &str, versions: &[u8]| (name.to_owned(), versions.to_vec());
        let (found, _) = compare(&new, &[&one, &two]);
        assert_eq!(found, [named("b", &[2, 4]), named("c", &[3, 5]), named("d", &[])]);
    }

    #[test]
    fn a_folder_is_no_version_of_a_file_nor_a_repository_of_either() {
        let old = tree(&[("100644", "a", 1), ("160000", "b", 2), ("100644", "c", 3)]);
        let new = tree(&[("40000", "a", 4), ("100644", "b", 5), ("100755", "c", 6)]);
        let (found, delta) = compare(&new, &[&old]);
        assert_eq!(found.iter().map(|(_, versions)| versions.len()).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!(delta::tests::apply(&old, &delta.unwrap()), new);
    }

    #[test]
    fn an_entry_whose_mode_is_written_in_another_way_is_no_copy_of_the_old_one() {
        for (one, other) in [("644", "0644"), ("40000", "040000"), ("040000", "40000")] {
            let old = tree(&[("100644", "a", 1), (one, "b", 2), ("100644", "c", 3)]);
            let new = tree(&[("100644", "a", 1), (other, "b", 4), ("100644", "c", 3)]);
            let (found, delta) = compare(&new, &[&old]);
            assert_eq!(found, [("b".to_owned(), vec![2])]);
            assert_eq!(delta::tests::apply(&old, &delta.unwrap()), new, "{one}, {other}");
        }
    }

    #[test]
    fn the_delta_makes_the_new_tree_of_the_old_one_whatever_changed() {
        let entry = |name: u32, id: u8| ("100644", format!("{:05}", name * 7), id);
        for round in 0..300u32 {
            let random = |salt: u32, below: u32| (round * 2_654_435 + salt * 40_503) / 7 % below;
            let old: Vec<_> = (0..random(1, 60)).map(|name| entry(name, name as u8)).collect();
            let mut new = old.clone();
            for change in 0..random(2, 5) {
                let at = random(change + 3, new.len() as u32 + 1) as usize;
                match random(change + 9, 3) {
                    0 if at < new.len() => drop(new.remove(at)),
                    1 if at < new.len() => new[at].2 ^= 0x80,
                    _ => new.push((["100644", "100755"][at % 2], format!("9{round:04}{change}"), 200)),
                }
            }
            let bytes = |entries: &[(&'static str, String, u8)]| {
                let entries: Vec<_> = entries.iter().map(|(mode, name, id)| (*mode, &**name, *id)).collect();
                tree(&entries)
            };
            let (old, new) = (bytes(&old), bytes(&new));
            let (_, delta) = compare(&new, &[&old]);
            assert_eq!(delta::tests::apply(&old, &delta.unwrap()), new, "round {round}");
        }
    }

    #[test]
    fn one_changed_entry_costs_little_more_than_its_id() {
        let names: Vec<String> = (0..256).map(|byte| format!("{byte:02x}")).collect();
        let mut entries: Vec<_> = names.iter().map(|name| ("40000", &**name, 1)).collect();
        let old = tree(&entries);
        entries[100].2 = 2;
        let new = tree(&entries);
        let (found, delta) = compare(&new, &[&old]);
        assert_eq!(found.len(), 1);
        let delta = delta.unwrap();
        assert!(delta.len() < 40, "{}", delta.len());
        assert_eq!(delta::tests::apply(&old, &delta), new);
    }
}
