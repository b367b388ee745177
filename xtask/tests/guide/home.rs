//! Creates a reader's world: a home directory with a clone, a vault and the programs, and an active colleague.
//!
//! It has stand-ins for what a page may only assume.

use testkit::{Output, Repo, World};

use crate::blocks::Stdin;

/// Where the pages say that remotes are.
const HOST: &str = "git@git.example.com:";

/// What the pages assume to be there, and what stands for it: `cargo xtask` is `lockstep`, a mailer keeps what it gets,
/// an agent saves session logs, the table of cron is a file.
const STAND_INS: [(&str, &str); 5] = [
    ("cargo", "test \"$1\" = xtask && shift && exec lockstep \"$@\""),
    ("mail", "cat >>\"$HOME/mail.txt\""),
    ("logger", "exit 0"),
    ("claude", "git add --all && git commit -q -m 'session: saved' && exec gitsync --fresh -q >/dev/null"),
    (
        "crontab",
        "case $1 in -l) cat \"$HOME/crontab.txt\" ;; -r) rm \"$HOME/crontab.txt\" ;; -) cat >\"$HOME/crontab.txt\" ;; esac",
    ),
];

/// A reader's home.
#[derive(Debug)]
pub struct Home {
    world: World,
    howard: Repo,
    mike: Repo,
    number: std::cell::Cell<u32>,
}

impl Home {
    /// All that the pages assume, as their reader has it who has read the guide.
    pub fn new() -> Self {
        let world = World::new();
        let clone = |of: &str, name: &str, user: &str| {
            let path = world.path().join(name);
            world.git(["clone", "--quiet", world.path().join(of).as_str(), path.as_str()]);
            let repo = world.repo(path);
            repo.belongs_to(user);
            repo
        };
        for remote in ["team/claudetools.git", "mike/vault.git"] {
            world.git(["init", "--quiet", "--bare", &format!("remotes/{remote}")]);
        }
        let howard = clone("remotes/team/claudetools.git", "howard", "howard");
        howard.write("README.md", "# Tools\n");
        howard.write(".claude/commands/sync.md", "Sync.\n");
        for script in ["sync.sh", "save.sh", "checkpoint.sh"] {
            howard.write(
                script,
                "#!/bin/sh\ngit add --all\ngit diff --cached --quiet || git commit -q -m script\n",
            );
            howard.set_executable(script, true);
        }
        howard.commit_all("the beginning");
        let years = "for day in $(seq 30); do git commit --quiet --allow-empty --message \"day $day\"; done";
        howard.program("sh").args(["-c", years]).success();
        howard.push();
        let laptop = clone("remotes/mike/vault.git", "laptop", "mike");
        laptop.write("reading.md", "# To read\n");
        laptop.commit_all("the beginning");
        laptop.push();

        let mike = clone("remotes/team/claudetools.git", "home/claudetools", "mike");
        mike.write(".claude/identity.json", "{\"user\": \"mike\", \"vault_path\": \"~/vault\"}");
        std::fs::write(mike.join(".git/info/exclude"), ".claude/identity.json\n").unwrap();
        clone("remotes/mike/vault.git", "home/vault", "mike");
        clone("remotes/mike/vault.git", "home/notes", "mike");

        let programs = world.path().join("programs");
        std::fs::create_dir(&programs).unwrap();
        for (name, script) in STAND_INS {
            std::fs::write(programs.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        }
        world.program("chmod").args(["-R", "a+x", programs.as_str()]).success();
        let remotes = format!("url.{}/remotes/.insteadOf", world.path());
        world.git(["config", "--global", &remotes, HOST]);
        Self { world, howard, mike, number: 0.into() }
    }

    /// Leaves the home without clones, and git without a name, as it is before one has read the guide.
    pub fn forget_the_clone(&self) {
        for key in ["user.name", "user.email"] {
            self.world.git(["config", "--global", "--unset", key]);
        }
        for clone in ["claudetools", "vault"] {
            std::fs::remove_dir_all(self.world.home().join(clone)).unwrap();
        }
    }

    /// Lets a day pass, on which everybody does something; and makes what a block says that it needs.
    pub fn prepare(&self, setup: Option<&str>) {
        let number = self.number.get() + 1;
        self.number.set(number);
        self.howard.pull();
        self.howard.write("wiki/clients/acme.md", format!("# Acme\n\nDay {number}\n"));
        let log = format!("## Note for Mike\n\nIt is day {number}.\n");
        self.howard.write(&format!("session-logs/2026-06-05-h{number}.md"), log);
        self.howard.commit_all("session: Howard's day");
        if setup == Some("conflict") {
            self.howard.write("README.md", format!("# Howard's, day {number}\n"));
            self.howard.commit_all("README: as Howard likes it");
        }
        self.howard.push();
        if !self.mike.path().exists() {
            return;
        }
        self.mike.write("mine.md", format!("Day {number}\n"));
        match setup {
            // The page names it.
            None => self.mike.write("session-logs/2026-06-05-a1b2.md", format!("# Day {number}\n")),
            Some("log") => self.mike.write(&format!("session-logs/{number}.md"), "# Log\n"),
            Some("conflict") => self.mike.write("README.md", format!("# Mike's, day {number}\n")),
            Some("held") => drop(self.mike.binary("lock").args(["acquire", "--wait", "0"]).success()),
            Some("script") => {}
            Some(other) => panic!("there is no set-up {other:?}"),
        }
        if setup.is_none() {
            // Only what stops a run for session logs is to find some.
            self.mike.git(["add", "--all"]);
            self.mike.git(["commit", "--quiet", "--message", "session: Mike's day"]);
            self.mike.append("session-logs-are-elsewhere.md", "More.\n");
        }
    }

    /// Runs a script as a reader's shell does, and stops it at the first command that fails. A lock that was taken by a
    /// set-up is given back.
    pub fn shell(&self, script: &str, stdin: Stdin) -> Output {
        let binaries = testkit::binary("lockstep").parent().unwrap().to_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        let here = if self.mike.path().exists() { self.mike.path().to_owned() } else { self.world.home() };
        let mut shell = self
            .world
            .program("bash")
            .args(["-e", "-o", "pipefail", "-c", script])
            .in_dir(&here)
            .env("PATH", format!("{}/programs:{binaries}:{path}", self.world.path()));
        shell = match stdin {
            Stdin::Nothing => shell,
            Stdin::Empty => shell.stdin(""),
            Stdin::OfAHook => {
                let told = serde_json::json!({"session_id": "1", "hook_event_name": "Stop", "cwd": here});
                shell.stdin(told.to_string())
            }
        };
        let output = shell.output();
        let _ = std::fs::remove_dir_all(self.mike.path().join(".git/claudetools-sync.lock"));
        output
    }

    /// What was mailed to the reader.
    pub fn mail(&self) -> String {
        std::fs::read_to_string(self.world.home().join("mail.txt")).unwrap_or_default()
    }

    /// The help of a command, and of the program that it is a part of.
    pub fn help(&self, command: &[String]) -> String {
        let own = self.world.binary(&command[0]).args(&command[1..]).arg("--help").output();
        let whole = self.world.binary(&command[0]).arg("--help").success();
        format!("{}\n{}", own.stdout, whole.stdout)
    }
}
