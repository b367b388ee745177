//! The `notes-sync` binary: fetches, merges and pushes notes refs. All of its code is in the library.

fn main() -> std::process::ExitCode {
    notes_sync::main(&lock::LockManager)
}
