//! `lockstep test`: runs all tests of the workspace.
//!
//! Tests of one package start the binaries of others, which cargo does not build for them: so those are built first.
//! With either runner, the last line printed is a summary.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use anyhow::Context as _;
use phase::{Console, Fault};

use crate::{
    cargo::{self, Profile, Workspace},
    servers::{self, Missing},
    steps,
};

/// Run all tests: build the binaries, then run `cargo nextest` if it is installed, else `cargo test`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Test {
    /// Fail if a program is missing that the tests against real servers and programs (ssh, HTTP, dulwich, git-lfs,
    /// gpg) need, instead of leaving them out.
    #[arg(long)]
    pub servers: bool,

    /// Arguments for the test runner, such as `-p lock` or a part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARG")]
    pub args: Vec<String>,
}

/// Builds what the tests need, and runs them.
pub fn run(args: &Test, console: &Console) -> anyhow::Result<u8> {
    let workspace = Workspace::find()?;
    let missing = Missing::look(&workspace);
    if args.servers && !missing.is_nothing() {
        return Err(missing.to_fault().into());
    }
    workspace.build_binaries(Profile::Dev)?;
    let whole =
        if args.args.iter().any(|arg| is_a_choice_of_packages(arg)) { None } else { Some("--workspace") };
    let runner = if workspace.has("nextest") { Runner::Nextest } else { Runner::Cargo };
    let mut tests = workspace.cargo(runner.words());
    tests.args(whole).args(&args.args);
    if !missing.is_nothing() {
        let remedy = missing.remedy();
        steps::done(
            console,
            &format!("the tests against real servers are left out; to have them: {remedy}"),
        )?;
        let separator = (!args.args.iter().any(|arg| arg == "--")).then_some("--");
        tests.args(separator).args(servers::TESTS.iter().flat_map(|tests| ["--skip", tests]));
    }
    match runner {
        Runner::Nextest => cargo::run(&mut tests).map(|()| 0),
        Runner::Cargo => sum_up(&mut tests, console),
    }
}

fn is_a_choice_of_packages(arg: &str) -> bool {
    matches!(arg, "-p" | "--package" | "--workspace") || arg.starts_with("--package=")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runner {
    Nextest,
    Cargo,
}

impl Runner {
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Nextest => &["nextest", "run"],
            Self::Cargo => &["test", "--no-fail-fast"],
        }
    }
}

/// Runs `cargo test` and prints a total, since cargo sums up each test binary only by itself.
fn sum_up(tests: &mut Command, console: &Console) -> anyhow::Result<u8> {
    let mut child = tests.stdout(Stdio::piped()).spawn().context("cargo could not be started")?;
    let mut total = Total::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.context("the tests' output could not be read")?;
            total.add(&line);
            steps::done(console, &line)?;
        }
    }
    let status = child.wait().context("cargo cannot be waited for")?;
    steps::done(
        console,
        &format!("Summary {} passed, {} failed, {} ignored", total.passed, total.failed, total.ignored),
    )?;
    if status.success() { Ok(0) } else { Err(Fault::failed("tests failed").into()) }
}

/// The sum over all test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Total {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Total {
    /// Adds a line such as `test result: ok. 8 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ').map(|(number, what)| (number.parse::<u64>().unwrap_or(0), what)) {
                Some((number, "passed")) => self.passed += number,
                Some((number, "failed")) => self.failed += number,
                Some((number, "ignored")) => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_test_binaries_are_added_up() {
        let mut total = Total::default();
        total.add("running 8 tests");
        total.add(
            "test result: ok. 8 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s",
        );
        total.add("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!(total, Total { passed: 10, failed: 3, ignored: 1 });
    }
}
