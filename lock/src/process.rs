//! Identifies the process that owns a lock, so that no later process can be mistaken for it.
//!
//! A pid alone is not enough: pids are reused, and the same pid means another process in another container or on
//! another machine.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::platform::{self, Found};

/// A process, identified uniquely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its pid.
    pub pid: u32,
    /// When it started, in the platform's own units; null if the platform does not report it.
    pub start: Option<u64>,
    /// The boot of the machine that it runs on; null if the platform has no id for it.
    pub boot: Option<String>,
    /// The space in which its pid is valid: on Linux, the pid namespace.
    pub pid_space: Option<String>,
}

/// Whether a process still lives, as far as can be told from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Life {
    /// It lives.
    Alive,
    /// It does not live any more.
    Dead,
    /// It belongs to another machine, another boot or another container, so this process cannot tell.
    Unknown,
}

impl Process {
    /// Returns this process.
    pub fn current() -> Self {
        Self::child(std::process::id())
    }

    /// Returns the process with the pid of a child that was not waited for yet, so that no other process can have it.
    pub fn child(pid: u32) -> Self {
        // If it has ended already, its start time is unknown, but so is the need to tell it from a later process.
        Self::running(pid).unwrap_or_else(|| Self::numbered(pid, None))
    }

    /// Returns the living process with this pid, if there is one.
    pub fn running(pid: u32) -> Option<Self> {
        match platform::find(pid) {
            Found::Nothing => None,
            Found::Running { start } => Some(Self::numbered(pid, start)),
        }
    }

    fn numbered(pid: u32, start: Option<u64>) -> Self {
        let Here { boot, pid_space } = here().clone();
        Self { pid, start, boot, pid_space }
    }

    /// Returns whether it still lives.
    pub fn life(&self) -> Life {
        if !self.is_of_here() {
            return Life::Unknown;
        }
        match (platform::find(self.pid), self.start) {
            (Found::Nothing, _) => Life::Dead,
            (Found::Running { start: Some(now) }, Some(then)) if now != then => Life::Dead,
            (Found::Running { .. }, _) => Life::Alive,
        }
    }

    /// Whether its pid refers to the same process here as where it was recorded.
    fn is_of_here(&self) -> bool {
        let here = here();
        let same_boot = match (&self.boot, &here.boot) {
            (Some(theirs), Some(ours)) => platform::same_boot(theirs, ours),
            _ => false,
        };
        same_boot && self.pid_space.is_some() && self.pid_space == here.pid_space
    }
}

/// What this process's pid is qualified with.
#[derive(Debug, Clone)]
struct Here {
    boot: Option<String>,
    pid_space: Option<String>,
}

/// Determines in advance where this process runs, for a caller that will soon judge another process.
pub(crate) fn look_around() {
    here();
}

/// Returns where this process runs. It is cached: it never changes, and a waiting process needs it ten times a
/// second.
fn here() -> &'static Here {
    static HERE: OnceLock<Here> = OnceLock::new();
    HERE.get_or_init(|| Here { boot: platform::boot_id(), pid_space: platform::pid_space() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives() {
        assert_eq!(Process::current().life(), Life::Alive);
    }

    #[test]
    fn a_reused_number_is_not_mistaken_for_its_earlier_owner() {
        let me = Process::current();
        let earlier = Process { start: me.start.map(|start| start - 1), ..me };
        assert_eq!(earlier.life(), Life::Dead);
    }

    #[test]
    fn a_process_of_another_boot_machine_or_container_cannot_be_judged() {
        let me = Process::current();
        assert_eq!(Process { boot: Some("another".into()), ..me.clone() }.life(), Life::Unknown);
        assert_eq!(Process { boot: None, ..me.clone() }.life(), Life::Unknown);
        assert_eq!(Process { pid_space: Some("pid:[1]".into()), ..me.clone() }.life(), Life::Unknown);
        assert_eq!(Process { pid_space: None, ..me }.life(), Life::Unknown);
    }

    #[test]
    fn a_process_of_another_user_lives() {
        // Process 1 belongs to the superuser, and no other user may signal it.
        assert_ne!(platform::find(1), Found::Nothing);
    }
}
