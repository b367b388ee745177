//! Runs commands in a terminal, which is tmux, and reads the screen and types keys as a user would.
//!
//! The final screen is not simply what a program wrote: lines are overwritten, colours are escape sequences, and long
//! lines are wrapped. Only a terminal can tell.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use camino::Utf8PathBuf;

use crate::{Invocation, Repo};

/// The time limit of a command; the tests' own limit is only a little longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal in which a command was started, in a repository's directory. It is closed when this is dropped.
#[derive(Debug)]
pub struct Terminal {
    repo: Repo,
    socket: Utf8PathBuf,
    ended: Utf8PathBuf,
}

impl Terminal {
    /// Opens a terminal and runs the shell command line `command` in it.
    pub fn open(repo: &Repo, columns: u32, command: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("tty-").tempdir_in(repo.surroundings().temporary());
        let folder = folder.expect("a folder for a terminal").keep();
        let folder = Utf8PathBuf::from_path_buf(folder).expect("a path that is UTF-8");
        let terminal = Self { repo: repo.clone(), socket: folder.join("tmux"), ended: folder.join("ended") };
        let line = format!("{command}\necho $? >'{0}.new'; mv '{0}.new' '{0}'; sleep 600", terminal.ended);
        let columns = columns.to_string();
        terminal.tmux(&["new-session", "-d", "-x", &columns, "-y", "60", &line]).success();
        terminal
    }

    /// Waits until the screen satisfies `is_wanted`, and returns it.
    pub fn look_until(&self, mut is_wanted: impl FnMut(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if is_wanted(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "it takes for ever:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the command's end, and returns its exit code.
    pub fn wait(&self) -> i32 {
        self.look_until_the_end(|_| ())
    }

    /// Waits for the command's end, and returns every line that was visible meanwhile.
    pub fn lines_meanwhile(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        self.look_until_the_end(|screen| lines.extend(screen.lines().map(|line| line.trim_end().to_owned())));
        lines
    }

    /// Returns the current screen.
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"]).success().stdout
    }

    /// Returns the current screen with its colours.
    pub fn coloured_screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-e"]).success().stdout
    }

    /// Types keys, given by name or literally.
    pub fn type_keys(&self, keys: &[&str]) {
        self.tmux(&["send-keys"]).args(keys).success();
    }

    fn look_until_the_end(&self, mut look: impl FnMut(&str)) -> i32 {
        let mut code = None;
        self.look_until(|screen| {
            look(screen);
            code = std::fs::read_to_string(&self.ended).ok();
            code.is_some()
        });
        code.and_then(|code| code.trim().parse().ok()).expect("an exit code")
    }

    fn tmux(&self, words: &[&str]) -> Invocation {
        let tmux = self.repo.program("tmux").args(["-S", self.socket.as_str(), "-f", "/dev/null"]);
        tmux.args(words).env("SHELL", "/bin/sh")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // If a test failed before, it has reported that.
        let _ = self.tmux(&["kill-server"]).output();
    }
}
