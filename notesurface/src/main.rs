//! The `notesurface` binary: shows the notes that other people left for this user.

use std::process::ExitCode;

fn main() -> ExitCode {
    phase::main::<notesurface::Notesurface>(&lock::LockManager)
}
