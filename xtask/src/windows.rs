//! Checks that the programs compile for Windows, on any system.
//!
//! Tests need a Windows machine; type checks do not. This type-checks the code for Windows that was written without
//! one.

use phase::{Console, programs::program};

use crate::{
    cargo::{self, Workspace},
    steps,
};

const TARGET: &str = "x86_64-pc-windows-gnu";
/// One dependency contains C code.
const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// Type-checks the programs without their tests; prints a message if the toolchain for it is missing.
pub fn check(workspace: &Workspace, console: &Console) -> anyhow::Result<()> {
    if !has_standard_library() || !has_compiler() {
        return steps::done(
            console,
            &format!(
                "{TARGET} is not there, so what is for Windows was not checked: `rustup target add {TARGET}`, and {COMPILER}"
            ),
        );
    }
    let mut check = workspace.cargo(["check", "--workspace", "--exclude", "testkit", "--target", TARGET]);
    cargo::run(check.env("RUSTFLAGS", "--deny warnings"))
}

fn has_standard_library() -> bool {
    let output = program("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        std::path::Path::new(folder.trim()).is_dir()
    })
}

fn has_compiler() -> bool {
    program(COMPILER).arg("--version").output().is_ok_and(|output| output.status.success())
}
