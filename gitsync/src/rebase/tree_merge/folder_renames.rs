//! Moves new files along with their directory if the other side renamed it.
//!
//! Somebody renames `old/` to `new/`, and meanwhile somebody else adds `old/d.txt`, or moves a file there. If that
//! file stayed where it is, it would be in a directory that no longer exists for anybody else. The rules are those of
//! git's merge-ort, see `check_for_directory_rename` there, and
//! <https://git-scm.com/docs/git-config#Documentation/git-config.txt-mergedirectoryRenames>.

use std::collections::{BTreeMap, HashMap, HashSet};

use gix::bstr::{BStr, BString, ByteSlice as _};

use super::detect::Renames;
use super::paths::{Each, Path, Side, folders};
use super::votes::Went;
use super::walk::Found;

/// The value of `merge.directoryRenames`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Files move along.
    Move,
    /// They do, and that is a conflict.
    Ask,
    /// They stay.
    Leave,
}

impl Wish {
    /// Reads the configuration.
    pub fn of(repo: &gix::Repository) -> Self {
        match repo.config_snapshot().boolean("merge.directoryRenames") {
            Some(true) => Self::Move,
            Some(false) => Self::Leave,
            // `conflict`, which is not a boolean and is git's default.
            None => Self::Ask,
        }
    }
}

/// Moves new files of both sides along, in the paths that were found and in the renames. Returns the paths that are
/// in conflict because they cannot be moved, or because it is unclear where to.
pub fn follow(found: &mut Found, renames: &mut Each<Renames>, wish: Wish) -> Vec<BString> {
    let mut disputed = Vec::new();
    if wish == Wish::Leave {
        return disputed;
    }
    let mut moves = Each::default();
    for side in Side::BOTH {
        *moves.of_mut(side) = moved(found, renames, side, &mut disputed);
    }
    leave_what_both_moved(&mut moves);
    let mut arriving = Each::default();
    for side in Side::BOTH {
        *arriving.of_mut(side) = Arriving::of(found, side, moves.of(side.other()));
    }
    for side in Side::BOTH {
        let mut way = Way { side, moves: &moves, arriving: &mut arriving, wish, disputed: &mut disputed };
        way.move_along(found, renames.of_mut(side));
    }
    disputed
}

/// Old and new path of each directory that a side renamed.
type Moves = HashMap<BString, BString>;

fn moved(found: &Found, renames: &Each<Renames>, side: Side, disputed: &mut Vec<BString>) -> Moves {
    let mut moves = Moves::new();
    for (path, went) in renames.of(side).votes.result(found.candidates.of(side)) {
        match went {
            Went::To(target) => drop(moves.insert(path, target)),
            Went::Apart => {
                let added = found.candidates.of(side.other()).new.iter().map(|(added, _)| added);
                let inside: Vec<BString> = added
                    .filter(|added| folders(added.as_bstr()).any(|folder| folder == path))
                    .cloned()
                    .collect();
                disputed.extend(if inside.is_empty() { vec![path] } else { inside });
            }
        }
    }
    moves
}

/// A directory that both sides renamed says nothing about its files.
fn leave_what_both_moved(moves: &mut Each<Moves>) {
    let is_theirs = |path: &BString| moves.of(Side::Theirs).contains_key(path);
    let both: Vec<BString> = moves.of(Side::Ours).keys().filter(|path| is_theirs(path)).cloned().collect();
    for path in both {
        moves.of_mut(Side::Ours).remove(&path);
        moves.of_mut(Side::Theirs).remove(&path);
    }
}

/// Returns the old and the new path of the innermost directory around `path` that was renamed.
fn rename_around<'m>(moves: &'m Moves, path: &BStr) -> Option<(&'m BString, &'m BString)> {
    folders(path).find_map(|folder| moves.get_key_value(folder))
}

/// The path of a file after the rename of a directory around it.
fn renamed(path: &BStr, (from, to): (&BString, &BString)) -> BString {
    let below = &path[from.len() + 1..];
    if to.is_empty() { below.into() } else { [to.as_slice(), b"/", below].concat().into() }
}

/// Where the new files of a side would arrive, and which ones they are.
#[derive(Debug, Default)]
struct Arriving {
    files: BTreeMap<BString, HashSet<BString>>,
    /// Where they cannot, because something is in the way or because there are several.
    is_blocked: HashSet<BString>,
}

impl Arriving {
    fn of(found: &Found, side: Side, moves: &Moves) -> Self {
        let mut arriving = Self::default();
        if moves.is_empty() {
            return arriving;
        }
        for (path, _) in &found.candidates.of(side).new {
            if let Some(rename) = rename_around(moves, path.as_bstr()) {
                let target = renamed(path.as_bstr(), rename);
                arriving.files.entry(target).or_default().insert(path.clone());
            }
        }
        arriving
    }
}

/// Moves the new files of one side.
struct Way<'a> {
    side: Side,
    moves: &'a Each<Moves>,
    arriving: &'a mut Each<Arriving>,
    wish: Wish,
    disputed: &'a mut Vec<BString>,
}

impl Way<'_> {
    fn move_along(&mut self, found: &mut Found, renames: &mut Renames) {
        if self.moves.of(self.side.other()).is_empty() {
            return;
        }
        let by_target: HashMap<BString, usize> =
            renames.files.iter().enumerate().map(|(index, (_, to))| (to.clone(), index)).collect();
        let new: Vec<BString> =
            found.candidates.of(self.side).new.iter().map(|(path, _)| path.clone()).collect();
        for path in new {
            let Some(target) = self.target(found, &path) else { continue };
            if !place(found, path.as_bstr(), target.as_bstr(), self.side, self.wish) {
                self.disputed.push(path.clone());
            }
            if let Some(index) = by_target.get(&path) {
                renames.files[*index].1 = target;
            }
        }
    }

    /// Returns where the new file at `path` belongs, or `None` if it stays where it is.
    fn target(&mut self, found: &Found, path: &BString) -> Option<BString> {
        if self.arriving.of(self.side.other()).files.contains_key(path) {
            return None;
        }
        let rename = rename_around(self.moves.of(self.side.other()), path.as_bstr())?;
        // What is in a directory that this side renamed itself would have to move twice.
        if self.moves.of(self.side).contains_key(rename.1) {
            return None;
        }
        let target = renamed(path.as_bstr(), rename);
        let arriving = self.arriving.of_mut(self.side);
        let is_alone = arriving.files.get(&target).is_some_and(|files| files.len() == 1);
        if arriving.is_blocked.contains(&target) || !is_alone || is_in_the_way(found, &target, self.side) {
            arriving.is_blocked.insert(target.clone());
            self.disputed.push(target);
            return None;
        }
        Some(target)
    }
}

/// Whether a side has something at a path already, or nothing is left to decide about it.
fn is_in_the_way(found: &Found, path: &BString, side: Side) -> bool {
    found.paths.get(path).is_some_and(|path| path.settled.is_some() || path.item(side.index()).is_some())
}

/// Puts the new file of a side at another path. Returns `false` if it was put in the place of a directory, and git
/// would lose it, as it does with such a file of the side that is merged into.
fn place(found: &mut Found, from: &BStr, to: &BStr, side: Side, wish: Wish) -> bool {
    let Some(old) = found.paths.get_mut(from) else { return false };
    let had_folder = old.has_folder();
    let file = old.files[side.index()].take();
    if !had_folder {
        found.paths.remove(from);
    }
    for around in folders(to) {
        found.paths.entry(around.to_owned()).or_insert_with(|| Path::open(&[None; 3]));
    }
    let new = found.paths.entry(to.to_owned()).or_insert_with(|| Path::open(&[None; 3]));
    new.files[side.index()] = file;
    let git_loses_it = had_folder && side == Side::Ours;
    new.is_disputed |= wish == Wish::Ask || git_loses_it;
    !git_loses_it
}
