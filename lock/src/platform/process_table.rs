//! Processes, by the `sysinfo` crate, on the platforms that have no `/proc`.

use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};

use super::Found;

/// Looks a process up. A zombie counts as nothing: it holds its number and does no work any more.
pub fn find(pid: u32) -> Found {
    let pid = Pid::from_u32(pid);
    // Where the table cannot be read, nobody is declared dead.
    let Ok(mut system) = System::new() else { return Found::Running { start: None } };
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, ProcessRefreshKind::nothing());
    match system.process(pid) {
        None => Found::Nothing,
        Some(process) if matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead) => {
            Found::Nothing
        }
        // Seconds since 1970; 0 where the operating system did not let us ask.
        Some(process) => Found::Running { start: Some(process.start_time()).filter(|start| *start != 0) },
    }
}

/// When the machine started, in seconds since 1970: these platforms have no better name for a boot.
pub fn boot_id() -> Option<String> {
    System::boot_time().ok().filter(|time| *time != 0).map(|time| time.to_string())
}

/// Whether two boot ids are of the same boot. The time is worked out from a clock that may be set while the machine
/// runs, so a few seconds do not tell two boots apart; no machine starts twice within them.
pub fn same_boot(one: &str, other: &str) -> bool {
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one.abs_diff(other) <= 5,
        _ => false,
    }
}
