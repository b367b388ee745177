//! Finds processes with the `sysinfo` crate, on platforms without `/proc`.

use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};

use super::Found;

/// Looks up a process. A zombie counts as nothing: it still has its pid, but does no more work.
pub fn find(pid: u32) -> Found {
    let pid = Pid::from_u32(pid);
    // If the table cannot be read, no process is declared dead.
    let Ok(mut system) = System::new() else { return Found::Running { start: None } };
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, ProcessRefreshKind::nothing());
    match system.process(pid) {
        None => Found::Nothing,
        Some(process) if matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead) => {
            Found::Nothing
        }
        // Seconds since 1970; 0 if the operating system did not permit the query.
        Some(process) => Found::Running { start: Some(process.start_time()).filter(|start| *start != 0) },
    }
}

/// Returns when the machine started, in seconds since 1970: these platforms have no better id for a boot.
pub fn boot_id() -> Option<String> {
    System::boot_time().ok().filter(|time| *time != 0).map(|time| time.to_string())
}

/// Whether two boot ids are of the same boot. The time is computed from a clock that may be set while the machine
/// runs, so a difference of a few seconds does not mean another boot; no machine boots twice within that time.
pub fn same_boot(one: &str, other: &str) -> bool {
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one.abs_diff(other) <= 5,
        _ => false,
    }
}
