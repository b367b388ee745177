//! Runs programs concurrently that are connected by real pipes.

use std::{
    io::Read,
    process::{Child, Stdio},
    thread::JoinHandle,
};

use contract::{Document, Envelope, Identity};

use crate::{Invocation, Output, Repo};

/// A pipeline to be run; the first program's stdin is `/dev/null`.
#[derive(Debug, Default)]
#[must_use = "it runs with `output`"]
pub struct Pipeline {
    parts: Vec<Invocation>,
}

/// The outputs of a pipeline's programs.
#[derive(Debug)]
pub struct Ran {
    /// Each program, in order; only the last one's stdout is kept.
    pub parts: Vec<Output>,
}

impl Ran {
    /// Returns the last program, whose exit code and stdout are the run's.
    pub fn last(&self) -> &Output {
        self.parts.last().expect("a pipeline has a part")
    }

    /// Returns the program with this index.
    pub fn part(&self, index: usize) -> &Output {
        &self.parts[index]
    }
}

impl Pipeline {
    /// Returns an empty pipeline.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a pipeline whose first program runs `meanwhile`, in a shell in the working tree of `repo`, and then
    /// writes a new document: the phases after it have started by then, and wait. Examining a few files takes
    /// milliseconds.
    pub fn after(repo: &Repo, meanwhile: &str) -> Self {
        let (worktree, common_dir) = (Some(repo.path().to_string()), repo.common_dir().to_string());
        let place = contract::Repo { worktree, common_dir };
        let identity = Identity { user: None, host: "here".into() };
        let document = Document::begin("01ARZ3NDEKTSV4RRFFQ69G5FAV".into(), Some(place), identity);
        let script = format!("sleep 0.5; {meanwhile}; printf '%s\\n' \"$DOCUMENT\"");
        let line = Envelope::new(document).to_line();
        Self::new().then(repo.program("sh").args(["-c", &script]).env("DOCUMENT", line))
    }

    /// Adds a program at its end.
    pub fn then(mut self, part: Invocation) -> Self {
        self.parts.push(part);
        self
    }

    /// Runs it until all its programs have ended.
    pub fn output(self) -> Ran {
        let mut previous = Stdio::null();
        let mut started: Vec<(String, Child, JoinHandle<Vec<u8>>)> = Vec::new();
        let last = self.parts.len() - 1;
        for (index, Invocation { mut command, name, .. }) in self.parts.into_iter().enumerate() {
            command.stdin(previous).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child =
                command.spawn().unwrap_or_else(|error| panic!("{name} could not be started: {error}"));
            // If the command were kept, it would hold the read end of the previous pipe open.
            drop(command);
            let stderr = collect(child.stderr.take().expect("a pipe"));
            previous = match child.stdout.take() {
                Some(stdout) if index < last => stdout.into(),
                stdout => {
                    child.stdout = stdout;
                    Stdio::null()
                }
            };
            started.push((name, child, stderr));
        }
        let finish = |(name, child, stderr): (String, Child, JoinHandle<Vec<u8>>)| {
            let mut output = child.wait_with_output().expect("a child can be waited for");
            output.stderr = stderr.join().expect("stderr was read");
            Output::new(name, output)
        };
        // The last one first: its stdout must be read while the others still write.
        let mut parts: Vec<Output> = started.into_iter().rev().map(finish).collect();
        parts.reverse();
        Ran { parts }
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is still worth showing.
        let _ = stream.read_to_end(&mut bytes);
        bytes
    })
}
