//! Finds the project's binaries.
//!
//! Cargo builds the binaries of the package whose tests it runs, and not those of other packages. `cargo xtask test`
//! builds all of them first; a test that runs without it fails here and says so.

use camino::Utf8PathBuf;

/// Returns the path of one of the project's binaries, by its name: in the directory of the running test or above it.
///
/// # Panics
/// If it was not built.
pub fn binary(name: &str) -> Utf8PathBuf {
    let test = std::env::current_exe().expect("the test knows where it is");
    let path = test
        .ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("the binary `{name}` was not built: run `cargo xtask test`"));
    Utf8PathBuf::try_from(path).expect("a target folder with a UTF-8 path")
}
