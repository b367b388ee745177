//! Lays the binaries out so that what runs use lies together, and little else has to be loaded.
//!
//! Linux maps a program's file in pieces of 64 KiB around each first use. The functions that a run needs, a tenth of
//! the program, are scattered by the linker over nearly all such pieces, so that nearly the whole program would be
//! counted as memory in use: more than all that a run with nothing to do has in memory besides. `used.txt` says which
//! they are; `trace.py` finds that out. Where the list is older than the program, only memory is lost.
//!
//! The build script of every phase; only a build for use asks for a layout.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo by its stdout")]

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

/// What the line of the list begins with that names the phases in the order of their letters.
const PHASES: &str = "# phases: ";

/// Where compilers keep the functions that unwind the stack of a thread that panics, in a folder for each version.
const UNWINDERS: [&str; 4] = [
    "/usr/lib/gcc/x86_64-linux-gnu",
    "/usr/lib/gcc/x86_64-redhat-linux",
    "/usr/lib/gcc/x86_64-pc-linux-gnu",
    "/usr/lib64/gcc/x86_64-suse-linux",
];

fn main() {
    println!("cargo::rerun-if-changed=../layout/build.rs");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let is_for_use = is("PROFILE", "release");
    // Rust brings its own linker for these, which knows what follows.
    let is_known = is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && is("CARGO_CFG_TARGET_ARCH", "x86_64");
    if !is_for_use || !is_known || has_linker_of_its_own() {
        return;
    }
    let Ok(package) = env::var("CARGO_MANIFEST_DIR") else { return };
    println!("cargo::rerun-if-changed=../layout/used.txt");
    if let Some(script) = script(&package) {
        println!("cargo::rustc-link-arg-bins=-T{}", script.display());
    }
    if !has_place_of_its_own() {
        // At an address that is known beforehand nothing has to be relocated: else each start writes to all pages that
        // hold the address of something, which is a quarter of what it takes. Heap, stack and libraries are still
        // wherever the system puts them.
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    if is_for_this_machine() && has_unwinder() {
        // One shared library less to load, for a few functions that no run calls: a tenth of what a start takes.
        println!("cargo::rustc-link-lib=dylib:+verbatim=libgcc_eh.a");
    }
}

/// Whether what unwinds stacks can become a part of the program.
fn has_unwinder() -> bool {
    let versions = UNWINDERS.iter().filter_map(|folder| Path::new(folder).read_dir().ok()).flatten();
    versions.flatten().any(|version| version.path().join("libgcc_eh.a").exists())
}

/// A linker script for the phase in that folder: what its runs use, first what those with nothing to do use.
fn script(package: &str) -> Option<PathBuf> {
    let list = std::fs::read_to_string(Path::new(package).join("../layout/used.txt")).ok()?;
    let phase = Path::new(package).file_name()?.to_str()?;
    let phases = list.lines().find_map(|line| line.strip_prefix(PHASES))?;
    let at = phases.split(' ').position(|one| one == phase)?;
    let mut situations: BTreeMap<u8, String> = BTreeMap::new();
    let mut archive = "";
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let Some((marks, names)) = line.split_once(' ') else {
            archive = line;
            continue;
        };
        let mark = *marks.as_bytes().get(at)?;
        if mark == b'-' {
            continue;
        }
        let mut lay = |mark, name: &str| {
            let line = format!("    *{archive}*.rlib:*({name}*)\n");
            situations.entry(mark).or_default().push_str(&line);
        };
        match names.split_once(' ') {
            None => lay(mark, names),
            Some((name, hashes)) => {
                hashes.split(' ').for_each(|hash| lay(mark, &format!("{name}{hash}")));
                // Another compiler makes other hashes: the rest of that name is near at hand, behind all that is used.
                lay(u8::MAX, name);
            }
        }
    }
    let used: String = situations.into_values().collect();
    let script = format!("SECTIONS\n{{\n  .text.used :\n  {{\n{used}  }}\n}}\nINSERT BEFORE .text;\n");
    let path = PathBuf::from(env::var_os("OUT_DIR")?).join("used.ld");
    std::fs::write(&path, script).ok()?;
    Some(path)
}

/// Another linker may know no such script.
fn has_linker_of_its_own() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    env::var_os("RUSTC_LINKER").is_some() || flags.contains("link")
}

/// Somebody may have said where programs are to be, and whether the C library is a part of them.
fn has_place_of_its_own() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    flags.contains("relocation-model") || features.split(',').any(|feature| feature == "crt-static")
}

fn is_for_this_machine() -> bool {
    env::var("HOST").is_ok_and(|host| is("TARGET", &host))
}

fn is(name: &str, value: &str) -> bool {
    env::var(name).is_ok_and(|is| is == value)
}
