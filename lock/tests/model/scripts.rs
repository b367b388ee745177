//! Models a shell script that acquires the lock by its own rules: `mkdir`, and `rm -rf` of a stale lock.

use crate::state::{State, Who};

/// A script that follows today's rules: `mkdir`, and `rm -rf` of a lock whose process is dead or whose age is too
/// great.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Script {
    Wants,
    /// It has made the directory, and not yet written its number.
    Made,
    Holds,
    /// It has found this number's process dead, or the lock too old.
    SeenStale(Option<Who>),
    /// It has found the same number at its second look, and `rm -rf` is about to empty the directory.
    Clears,
    /// It has emptied the directory, and is about to remove it.
    Emptied,
    /// The same at the end of its work.
    Unlocks,
    Ended,
    Killed,
}

impl Script {
    pub fn is_about_to_clear(&self) -> bool {
        matches!(self, Self::SeenStale(_) | Self::Clears | Self::Emptied)
    }

    pub fn is_busy(&self) -> bool {
        self.is_about_to_clear() || matches!(self, Self::Made | Self::Unlocks)
    }
}

impl State {
    pub fn script_step(&mut self, script: usize) -> Option<()> {
        self.scripts[script] = match self.scripts[script] {
            Script::Wants => match self.lock {
                None => {
                    self.make();
                    Script::Made
                }
                Some(lock) => {
                    let dead = lock.pid.is_some() && !self.is_alive(lock.pid);
                    if !dead && !lock.silent {
                        return None;
                    }
                    Script::SeenStale(lock.pid)
                }
            },
            Script::Made => {
                if let Some(lock) = &mut self.lock {
                    (lock.pid, lock.silent) = (Some(Who::Script(script)), false);
                }
                Script::Holds
            }
            Script::SeenStale(pid) => {
                if self.lock.is_some_and(|lock| lock.pid == pid) {
                    Script::Clears
                } else {
                    Script::Wants
                }
            }
            Script::Clears => {
                self.empty();
                Script::Emptied
            }
            Script::Emptied => {
                self.remove_empty();
                Script::Wants
            }
            Script::Holds => {
                self.empty();
                Script::Unlocks
            }
            Script::Unlocks => {
                self.remove_empty();
                Script::Ended
            }
            Script::Ended | Script::Killed => return None,
        };
        Some(())
    }

    pub fn empty(&mut self) {
        if let Some(lock) = &mut self.lock {
            (lock.pid, lock.owner, lock.silent) = (None, None, false);
        }
    }

    pub fn remove_empty(&mut self) {
        if self.lock.is_some_and(|lock| lock.pid.is_none() && lock.owner.is_none()) {
            self.lock = None;
        }
    }

    pub fn kill_script(&mut self, script: usize) -> Option<()> {
        match self.scripts[script] {
            Script::Ended | Script::Killed | Script::Wants => None,
            _ => {
                self.scripts[script] = Script::Killed;
                Some(())
            }
        }
    }
}
