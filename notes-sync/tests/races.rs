//! Tests concurrent writers of notes, one step at a time in a generated order.
//!
//! Races that real writers meet once in a minute occur here every second, and again with the same seed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use gix::{
    ObjectId,
    refs::{
        Target,
        transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog},
    },
};
use notes_sync::{
    commits,
    tree::{NotesTree, layout::Annotated},
};
use testkit::{Repo, World};

const REF: &str = "refs/notes/mem/decisions";
const TRACKING: &str = "refs/notes/origin/mem/decisions";

/// How many stories are told; `NOTES_SYNC_RACES` names another number.
const STORIES: u64 = 8;

/// How many steps each has, apart from its end.
const STEPS: usize = 60;

/// A line, and the object whose note it is in.
type Line = (ObjectId, String);

/// What a command of git does, in the order in which it does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    /// Puts a line behind a note that many write.
    Append,
    /// Replaces a note that nobody else writes.
    Replace,
}

/// How far a command of git has come.
#[derive(Debug, Clone)]
enum Doing {
    Nothing,
    /// It has read the notes, and made new ones of them.
    Read {
        tree: ObjectId,
        command: Command,
        line: Line,
    },
    /// It has asked once more where the ref is, to name that as its parent, and will move the ref from wherever it is
    /// by then.
    Committed {
        commit: ObjectId,
        command: Command,
        line: Line,
    },
}

struct Writer {
    clone: usize,
    /// What only this one has notes about.
    own: ObjectId,
    doing: Doing,
    steps: u32,
}

/// A clone, as the writers in its work trees see it.
struct Place {
    repo: Repo,
    git: gix::Repository,
}

struct Story {
    places: Vec<Place>,
    origin: Repo,
    objects: Vec<ObjectId>,
    writers: Vec<Writer>,
    dice: Dice,
    /// The lines whose writers were told that they are written.
    promised: BTreeSet<Line>,
    told: Vec<String>,
    _world: World,
}

/// Random enough, and the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % limit
    }
}

impl Place {
    fn tip(&self) -> Option<ObjectId> {
        self.git.try_find_reference(REF).unwrap().map(|found| found.id().detach())
    }

    /// The notes of `commit` with a line added or a note replaced.
    fn changed(&self, commit: Option<ObjectId>, command: Command, (object, line): &Line) -> ObjectId {
        let tree = commit.map_or(ObjectId::empty_tree(self.git.object_hash()), |commit| {
            self.git.find_commit(commit).unwrap().tree_id().unwrap().detach()
        });
        let mut notes = NotesTree::open(&self.git, tree).unwrap();
        let mut note = match notes.get(Annotated(*object)).unwrap().filter(|_| command == Command::Append) {
            Some(blob) => [&self.git.find_blob(blob).unwrap().data[..], b"\n"].concat(),
            None => Vec::new(),
        };
        note.extend_from_slice(format!("{line}\n").as_bytes());
        let blob = self.git.write_blob(note).unwrap().detach();
        notes.set(Annotated(*object), Some(blob)).unwrap();
        notes.write().unwrap()
    }

    fn commit(&self, tree: ObjectId, by: &str) -> ObjectId {
        commits::write(&self.git, tree, self.tip().as_slice(), &format!("Notes added by '{by}'\n")).unwrap()
    }

    /// Moves the ref, whatever it is.
    fn move_to(&self, commit: ObjectId, by: &str) {
        let log = LogChange {
            mode: RefLog::AndReference,
            force_create_reflog: true,
            message: format!("notes: Notes added by '{by}'").into(),
        };
        let change = Change::Update { log, expected: PreviousValue::Any, new: Target::Object(commit) };
        self.git.edit_reference(RefEdit { change, name: REF.try_into().unwrap(), deref: false }).unwrap();
    }
}

impl Command {
    fn name(self) -> &'static str {
        match self {
            Self::Append => "git notes append",
            Self::Replace => "git notes add",
        }
    }
}

impl Story {
    fn begin(seed: u64) -> Self {
        let (world, origin, repos) = World::with_clones(["howard", "mike"]);
        let object = |text: &str| {
            let id = repos[0].rev("HEAD");
            gix::objs::compute_hash(
                gix::hash::Kind::Sha1,
                gix::objs::Kind::Blob,
                format!("{id}{text}").as_bytes(),
            )
            .unwrap()
        };
        let objects = (0..3).map(|number| object(&number.to_string())).collect();
        let writers = (0..6)
            .map(|number| Writer {
                clone: number % 2,
                own: object(&format!("of {number}")),
                doing: Doing::Nothing,
                steps: 0,
            })
            .collect();
        let places = repos
            .into_iter()
            .map(|repo| {
                let git = gix::open_opts(repo.path(), gix::open::Options::isolated()).unwrap();
                Place { repo, git }
            })
            .collect();
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (seed + 1) << 32);
        dice.below(2);
        Self {
            places,
            origin,
            objects,
            writers,
            dice,
            promised: BTreeSet::new(),
            told: Vec::new(),
            _world: world,
        }
    }

    fn sync(&mut self, clone: usize) {
        let out = self.places[clone]
            .repo
            .program(env!("CARGO_BIN_EXE_notes-sync"))
            .args(["--fresh", "--json", "-q"])
            .output();
        assert_eq!(out.code, 0, "{}", out.stderr);
        self.told.push(format!("{clone}: sync, {:?}", self.places[clone].tip()));
    }

    /// A run that is killed, before it pushes or before it notes down that it did.
    fn sync_and_die(&mut self, clone: usize) {
        let (local, origin) = (&self.places[clone].repo, &self.origin);
        let (tracked, there) = (local.try_rev(TRACKING), origin.try_rev(REF));
        self.sync(clone);
        let set = |repo: &Repo, name: &str, value: Option<String>| match value {
            Some(value) => repo.git(["update-ref", name, &value]),
            None => repo.git(["update-ref", "-d", name]),
        };
        let (local, origin) = (&self.places[clone].repo, &self.origin);
        set(local, TRACKING, tracked);
        if self.dice.below(2) == 0 {
            set(origin, REF, there);
        }
        self.told.push(format!("{clone}: that run was killed, {:?} is there", self.origin.try_rev(REF)));
    }

    /// One step of somebody.
    fn step(&mut self) {
        let number = self.dice.below(self.writers.len());
        let clone = self.writers[number].clone;
        match self.dice.below(32) {
            0 | 1 => self.sync(clone),
            2 => self.sync_and_die(clone),
            3 | 4 => self.append_of_ours(number),
            _ => self.go_on(number),
        }
    }

    fn line_of(&mut self, number: usize, command: Command) -> Line {
        let object = self.objects[self.dice.below(self.objects.len())];
        let writer = &mut self.writers[number];
        writer.steps += 1;
        let object = match command {
            Command::Append => object,
            Command::Replace => writer.own,
        };
        (object, format!("writer {number} step {}", writer.steps))
    }

    /// What `notes-sync append` does, which is done in one step.
    fn append_of_ours(&mut self, number: usize) {
        let line = self.line_of(number, Command::Append);
        let place = &self.places[self.writers[number].clone];
        let tree = place.changed(place.tip(), Command::Append, &line);
        let commit = place.commit(tree, "notes-sync append");
        place.move_to(commit, "notes-sync append");
        self.told.push(format!("{}: {number} appends {} with {commit}", self.writers[number].clone, line.1));
        self.promised.insert(line);
    }

    /// The next step of a writer's command of git.
    fn go_on(&mut self, number: usize) {
        let clone = self.writers[number].clone;
        let doing = match self.writers[number].doing.clone() {
            Doing::Nothing => {
                let command = if self.dice.below(5) == 0 { Command::Replace } else { Command::Append };
                let line = self.line_of(number, command);
                let place = &self.places[clone];
                self.told.push(format!("{clone}: {number} reads {:?} for {}", place.tip(), line.1));
                Doing::Read { tree: place.changed(place.tip(), command, &line), command, line }
            }
            Doing::Read { tree, command, line } => {
                let commit = self.places[clone].commit(tree, command.name());
                self.told
                    .push(format!("{clone}: {number} commits {commit} on {:?}", self.places[clone].tip()));
                Doing::Committed { commit, command, line }
            }
            Doing::Committed { commit, command, line } => {
                self.places[clone].move_to(commit, command.name());
                self.told.push(format!("{clone}: {number} moves to {commit}"));
                if command == Command::Append {
                    self.promised.insert(line);
                }
                Doing::Nothing
            }
        };
        self.writers[number].doing = doing;
    }

    /// All finish what they are at, and each clone is synced twice.
    fn end(&mut self) {
        for number in 0..self.writers.len() {
            while !matches!(self.writers[number].doing, Doing::Nothing) {
                self.go_on(number);
            }
        }
        for clone in [0, 1, 0, 1] {
            self.sync(clone);
        }
    }

    fn lost(&self) -> Vec<&Line> {
        let notes = self.origin.notes(REF);
        let has = |(object, line): &Line| {
            notes.get(&object.to_string()).is_some_and(|note| note.lines().any(|found| found == line))
        };
        self.promised.iter().filter(|line| !has(line)).collect()
    }
}

#[test]
fn no_line_is_lost_in_whatever_order_the_writers_take_their_steps() {
    let stories = std::env::var("NOTES_SYNC_RACES").map_or(STORIES, |number| number.parse().unwrap());
    for seed in 0..stories {
        let mut story = Story::begin(seed);
        for _ in 0..STEPS {
            story.step();
        }
        story.end();
        let told = || format!("story {seed}:\n{}", story.told.join("\n"));
        let [one, other] = [&story.places[0], &story.places[1]].map(Place::tip);
        assert_eq!(one, other, "the clones have different notes; {}", told());
        let lost = story.lost();
        assert!(lost.is_empty(), "{lost:?} of {} lines are lost; {}", story.promised.len(), told());
    }
}
