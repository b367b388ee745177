//! The `gitsync` program: runs the phase that the library implements.

fn main() -> std::process::ExitCode {
    phase::main::<gitsync::Gitsync>(&lock::LockManager)
}
