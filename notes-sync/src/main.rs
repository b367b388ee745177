//! `notes-sync`: fetches, merges and pushes notes refs. All of it is in the library.

fn main() -> std::process::ExitCode {
    notes_sync::main(&lock::Keeper)
}
