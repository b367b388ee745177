//! Causes the errors for which logcheck stops a run.

use std::os::unix::ffi::OsStrExt as _;

use testkit::Output;

use super::{Cause, cause, mike};

/// The causes.
pub const CAUSES: &[Cause] = &[
    cause("one session log is not committed", || with_logs(1, &[])),
    cause("several are not", || with_logs(2, &["--on-found", "stop"])),
    cause("they are to be saved, and nothing says how", || with_logs(1, &["--on-found", "save"])),
    cause("the save command failed", || {
        with_logs(1, &["--on-found", "save", "--save-command", "echo 'no disk' >&2; exit 7"])
    }),
    cause("a session log's name is not UTF-8", || {
        let (_world, _origin, mike) = mike();
        let folder = mike.join("session-logs");
        std::fs::create_dir(&folder).unwrap();
        let name = std::ffi::OsStr::from_bytes(b"caf\xe9.md");
        std::fs::write(folder.as_std_path().join(name), "x").unwrap();
        mike.binary("logcheck").output()
    }),
];

fn with_logs(count: u32, args: &[&str]) -> Output {
    let (_world, _origin, mike) = mike();
    (0..count).for_each(|number| mike.write(&format!("session-logs/{number}.md"), "# Log\n"));
    mike.binary("logcheck").args(args).output()
}
