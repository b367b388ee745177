//! `gitsync`: see the library.

fn main() -> std::process::ExitCode {
    phase::main::<gitsync::Gitsync>(&lock::Keeper)
}
