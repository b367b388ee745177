//! Whether the programs compile for Windows, wherever one works on them.
//!
//! Tests need a system to run on; types do not. What is written for Windows alone, by those who have none at hand, is
//! held against its types here.

use phase::{Console, programs::program};

use crate::{
    cargo::{self, Workspace},
    steps,
};

const TARGET: &str = "x86_64-pc-windows-gnu";
/// One dependency brings C along.
const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// Checks the programs, without what only tests need; says so where there is nothing to check them with.
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
