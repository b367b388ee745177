//! Runs the lock's stress test for a few seconds; the example `stress` runs it for as long as one likes.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "tests start programs")]

use std::process::Command;

#[test]
fn there_never_are_two_inside_whatever_is_done_to_them() {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(2).unwrap();
    let hammer = target.join("examples").join("stress");
    let output = Command::new(hammer).args(["--seconds", "2", "--workers", "8"]).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{stdout}");
    assert!(output.status.success(), "{stdout}\n{stderr}");
}
