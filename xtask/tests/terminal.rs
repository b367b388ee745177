//! Tests what a user at a terminal sees and types; `script` provides the terminal.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]
#![cfg(unix)]

use std::io::{Read as _, Write as _};

use testkit::{Output, Repo, Terminal, World};

/// A full run on a terminal, where the shell line `typing` says what is typed; stdout is the screen.
fn on_a_terminal(repo: &Repo, typing: &str, options: &str) -> Output {
    let run = format!("'{}' full-run {options}", env!("CARGO_BIN_EXE_lockstep"));
    let line = format!("{{ {typing}; }} | script -qec \"{run}\" /dev/null");
    repo.program("sh").args(["-c", &line]).env("TERM", "xterm").output()
}

#[test]
fn session_logs_are_asked_about_in_the_middle_of_the_run() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.write("session-logs/2026-06-05-a1b2.md", "# What I did\n");

    let screen = on_a_terminal(&mike, "printf 'p\\n'; sleep 1", "");

    assert!(screen.stdout.contains("[S]ave or [p]roceed?"), "{screen}");
    assert!(screen.stdout.contains("in step with origin/main"), "{screen}");
    assert_eq!(origin.head(), mike.head());
    assert!(mike.files("HEAD").contains(&"session-logs/2026-06-05-a1b2.md".to_owned()));
}

#[test]
fn a_run_in_the_background_of_a_terminal_asks_nobody() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("session-logs/2026-06-05-a1b2.md", "# What I did\n");

    let run = format!("set -m; '{}' full-run & wait %1", env!("CARGO_BIN_EXE_lockstep"));
    let line = format!("sleep 3 | script -qec \"bash -c \\\"{run}\\\"\" /dev/null");
    let screen = mike.program("sh").args(["-c", &line]).env("TERM", "xterm").output();

    screen.assert_code(3);
    assert!(!screen.stdout.contains("[S]ave or [p]roceed?"), "{screen}");
    mike.assert_unlocked();
}

#[test]
fn ctrl_c_ends_the_run_and_gives_the_lock_back() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let hanging = mike.git_dir().join("hanging");
    mike.hook("pre-push", &format!("#!/bin/sh\ntouch '{hanging}'\nexec sleep 600\n"));
    mike.write("new.md", "new\n");

    let typing = format!("until test -e '{hanging}'; do sleep 0.05; done; printf '\\003'; sleep 2");
    let screen = on_a_terminal(&mike, &typing, "");

    screen.assert_code(130);
    assert!(screen.stdout.contains("interrupted"), "{screen}");
    mike.assert_unlocked();
    mike.assert_sound();
    mike.assert_clean();
}

#[test]
fn a_terminal_gets_colour_unless_it_is_dumb_or_nobody_wants_it() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let colour = |screen: &Output| screen.stdout.contains("\u{1b}[");
    let screen = on_a_terminal(&mike, "sleep 0.1", "");
    assert!(colour(&screen), "{screen}");
    let screen = on_a_terminal(&mike, "sleep 0.1", "--color never");
    assert!(!colour(&screen), "{screen}");
}

/// A server that wants a password of whoever comes; its address.
fn asking_server() -> std::net::SocketAddr {
    const ANSWER: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\
                            Content-Length: 0\r\nConnection: close\r\n\r\n";
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(ANSWER);
        }
    });
    address
}

#[test]
fn whoever_is_asked_for_a_password_and_hits_ctrl_c_sees_again_what_they_type() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    let url = format!("http://mike@{}/x.git", asking_server());
    mike.git(["config", "remote.origin.url", &url]);
    let stty = "stty -a | tr ' ' '\\n' | grep -x -e '-*echo'";
    let run = format!("GIT_TERMINAL_PROMPT=1 '{}' full-run", env!("CARGO_BIN_EXE_lockstep"));
    let command = format!("trap : INT; {run}; {stty}");
    let terminal = Terminal::open(&mike, 80, &command);
    terminal.look_until(|screen| screen.contains("Password for"));

    terminal.type_keys(&["C-c"]);
    terminal.wait();

    let screen = terminal.screen();
    assert!(screen.contains("interrupted"), "{screen}");
    assert!(screen.lines().any(|line| line.trim() == "echo"), "{screen}");
}
