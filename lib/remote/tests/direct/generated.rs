//! Generates histories with `git fast-import`, in few processes.

use std::fmt::Write as _;

use proptest::prelude::*;
use testkit::Repo;

pub const REFS: [&str; 4] = ["refs/heads/main", "refs/heads/topic", "refs/heads/deep/er", "refs/notes/mem/x"];
const FILES: [&str; 5] = ["a.md", "b.md", "folder/c.md", "folder/deep/d.md", "other/e.md"];

/// What happens where the history is made.
#[derive(Debug, Clone)]
pub enum Event {
    /// One commit that changes one file.
    Commit {
        on: usize,
        file: usize,
        text: u32,
    },
    /// So many of them.
    Grow {
        on: usize,
        commits: u32,
        text: u32,
    },
    /// A commit that removes a file.
    Remove {
        on: usize,
        file: usize,
    },
    /// A commit with the parents of both.
    Merge {
        on: usize,
        other: usize,
        text: u32,
    },
    Tag {
        on: usize,
        kind: Kind,
    },
    /// A branch goes to where some branch was before.
    Rewind {
        on: usize,
        to: usize,
    },
    /// A branch goes, its commits stay.
    Forget {
        on: usize,
    },
    /// The objects are put together in another way.
    Pack {
        how: Packing,
    },
    /// All that is new so far is fetched, or pushed.
    Sync,
}

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Light,
    Annotated,
    /// A tag of a tag.
    Nested,
}

#[derive(Debug, Clone, Copy)]
pub enum Packing {
    Gc,
    New,
    All,
    Refs,
    /// All in files of their own.
    Loose,
}

impl Packing {
    pub fn apply(self, repo: &Repo) {
        match self {
            Self::Gc => repo.git(["gc", "-q"]),
            Self::New => repo.git(["repack", "-dq"]),
            Self::All => repo.git(["repack", "-adq"]),
            Self::Refs => repo.git(["pack-refs", "--all"]),
            Self::Loose => {
                let script = "mkdir was && mv objects/pack/* was/ 2>/dev/null; \
                              for pack in was/*.pack; do test -e $pack && git unpack-objects -q <$pack; done; rm -rf was";
                repo.program("sh").args(["-c", script]).output().stdout
            }
        };
    }
}

pub fn event() -> impl Strategy<Value = Event> {
    let on = 0..REFS.len();
    let file = 0..FILES.len();
    let text = 0..10_000u32;
    let kind = prop_oneof![Just(Kind::Light), Just(Kind::Annotated), Just(Kind::Nested)];
    let how = prop_oneof![
        Just(Packing::Gc),
        Just(Packing::New),
        Just(Packing::All),
        Just(Packing::Refs),
        Just(Packing::Loose)
    ];
    prop_oneof![
        6 => (on.clone(), file.clone(), text.clone()).prop_map(|(on, file, text)| Event::Commit { on, file, text }),
        3 => (on.clone(), 20..45u32, text.clone()).prop_map(|(on, commits, text)| Event::Grow { on, commits, text }),
        1 => (on.clone(), file).prop_map(|(on, file)| Event::Remove { on, file }),
        3 => (on.clone(), on.clone(), text).prop_map(|(on, other, text)| Event::Merge { on, other, text }),
        2 => (on.clone(), kind).prop_map(|(on, kind)| Event::Tag { on, kind }),
        1 => (on.clone(), 0..20usize).prop_map(|(on, to)| Event::Rewind { on, to }),
        1 => on.prop_map(|on| Event::Forget { on }),
        2 => how.prop_map(|how| Event::Pack { how }),
        4 => Just(Event::Sync),
    ]
}

/// Makes a history in a repository.
pub struct Maker<'a> {
    repo: &'a Repo,
    stream: String,
    there: [bool; REFS.len()],
    /// Those that the stream has moved.
    moved: [bool; REFS.len()],
    seen: Vec<String>,
    commits: u32,
    tags: u32,
}

impl<'a> Maker<'a> {
    /// Of a repository that has `main`, and no other of [`REFS`].
    pub fn new(repo: &'a Repo) -> Self {
        let seen = vec![repo.rev(REFS[0])];
        Self {
            repo,
            stream: String::new(),
            there: [true, false, false, false],
            moved: [false; 4],
            seen,
            commits: 0,
            tags: 0,
        }
    }

    /// Adds what is to happen, as far as it is about the history.
    pub fn add(&mut self, event: &Event) {
        match *event {
            Event::Commit { on, file, text } => self.commit(on, None, &write(file, text)),
            Event::Grow { on, commits, text } => {
                for one in 0..commits {
                    self.commit(on, None, &write((text + one) as usize % FILES.len(), text + one));
                }
            }
            Event::Remove { on, file } => self.commit(on, None, &format!("D {}\n", FILES[file])),
            Event::Merge { on, other, text } => {
                let other = (on != other && self.there[other] && self.there[on]).then_some(other);
                self.commit(on, other, &write(text as usize % FILES.len(), text));
            }
            Event::Tag { on, kind } if self.there[on] => self.tag(&self.tip(on), kind),
            Event::Rewind { on, to } => {
                let to = self.seen[to % self.seen.len()].clone();
                write!(self.stream, "reset {}\nfrom {to}\n\n", REFS[on]).unwrap();
                (self.there[on], self.moved[on]) = (true, true);
            }
            // The branch that HEAD names stays.
            Event::Forget { on } if on > 0 && self.there[on] => {
                self.flush();
                self.seen.push(self.repo.rev(REFS[on]));
                self.repo.git(["update-ref", "-d", REFS[on]]);
                self.there[on] = false;
            }
            Event::Tag { .. } | Event::Forget { .. } | Event::Pack { .. } | Event::Sync => {}
        }
    }

    fn commit(&mut self, on: usize, other: Option<usize>, change: &str) {
        self.commits += 1;
        let name = REFS[on];
        // Clocks differ between machines.
        let time = 1_780_000_000 + self.commits * 60 - (self.commits * 7919) % 1000;
        write!(self.stream, "commit {name}\ncommitter A <a@example.com> {time} +0000\ndata 2\nx\n").unwrap();
        if self.there[on] && !self.moved[on] {
            writeln!(self.stream, "from {}", self.tip(on)).unwrap();
        }
        if let Some(other) = other {
            writeln!(self.stream, "merge {}", self.tip(other)).unwrap();
        }
        writeln!(self.stream, "{change}").unwrap();
        (self.there[on], self.moved[on]) = (true, true);
    }

    /// The commit of a branch, as the stream calls it.
    fn tip(&self, on: usize) -> String {
        format!("{}{}", REFS[on], if self.moved[on] { "" } else { "^0" })
    }

    fn tag(&mut self, of: &str, kind: Kind) {
        self.tags += 1;
        let name = format!("v{}", self.tags);
        let annotated = |name: &str, of: &str| {
            format!("tag {name}\nfrom {of}\ntagger A <a@example.com> 1780000000 +0000\ndata 2\nx\n")
        };
        match kind {
            Kind::Light => write!(self.stream, "reset refs/tags/{name}\nfrom {of}\n\n").unwrap(),
            Kind::Annotated => self.stream += &annotated(&name, of),
            Kind::Nested => {
                self.stream += &annotated(&format!("{name}-inner"), of);
                self.flush();
                self.repo.git(["tag", "-a", "-m", "x", &name, &format!("{name}-inner")]);
            }
        }
    }

    /// Makes all that was added: as objects of their own, or as a pack.
    pub fn flush(&mut self) {
        if self.stream.is_empty() {
            return;
        }
        self.moved = [false; REFS.len()];
        let limit = ["100", "1", "100000"][self.stream.len() % 3];
        let import = self.repo.git_invocation();
        let limit = format!("fastimport.unpackLimit={limit}");
        let import = import.args(["-c", &limit, "fast-import", "--quiet", "--force"]);
        import.stdin(std::mem::take(&mut self.stream)).success();
    }

    /// Remembers where the branches are now.
    pub fn remember(&mut self) {
        let there = REFS.iter().zip(self.there).filter(|(_, there)| *there);
        self.seen.extend(there.map(|(name, _)| self.repo.rev(name)));
    }
}

/// A file of some lines, of which one is changed.
fn write(file: usize, text: u32) -> String {
    let lines: String = (0..30)
        .map(|line| format!("line {line} of {file} {}\n", if line == text % 30 { text } else { line * 7919 }))
        .collect();
    format!("M 100644 inline {}\ndata {}\n{lines}", FILES[file], lines.len())
}
