//! Represents the exit code and the output of a program.

use std::process::ExitStatus;

/// How a program ended and what it wrote.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its exit code; 128 plus the signal's number if a signal ended it, as in shells.
    pub code: i32,
    /// Its stdout.
    pub stdout: String,
    /// Its stderr.
    pub stderr: String,
    program: String,
}

impl Output {
    pub(crate) fn new(program: String, output: std::process::Output) -> Self {
        Self {
            code: code(output.status),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            program,
        }
    }

    /// Panics unless it exited with 0.
    #[track_caller]
    pub fn assert_success(&self) {
        self.assert_code(0);
    }

    /// Panics unless it exited with `code`.
    #[track_caller]
    pub fn assert_code(&self, code: i32) {
        assert_eq!(self.code, code, "the exit code of {self}");
    }

    /// Panics unless stderr contains `text`.
    #[track_caller]
    pub fn assert_says(&self, text: &str) {
        assert!(self.stderr.contains(text), "stderr should say {text:?}: {self}");
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, stdout, stderr, program } = self;
        write!(f, "{program}, which exited with {code}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

#[cfg(unix)]
fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

#[cfg(not(unix))]
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}
