//! Provides a repository of session logs that two users share and sync with git.
#![allow(dead_code, reason = "each test file uses a part of it")]

use serde_json::{Value, json};
use testkit::{Output, Repo, Sections as _, World};

/// A note for Mike.
pub const NOTE: &str = "## Note for Mike\n\nThe firewall at Acme is *ours* now.\n";

/// A world in which Mike's identity is known and Howard is somebody else.
pub fn mike_and_howard() -> (World, Repo, Repo) {
    let (world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    identify(&mike);
    (world, mike, howard)
}

/// Says in identity.json that the user is Mike; the file stays out of commits.
pub fn identify(repo: &Repo) {
    repo.write(".claude/identity.json", r#"{"user": "mike"}"#);
    let exclude = repo.common_dir().join("info/exclude");
    std::fs::create_dir_all(exclude.parent().unwrap()).unwrap();
    std::fs::write(exclude, ".claude/identity.json\n").unwrap();
}

/// Writes a log, commits it and pushes it.
pub fn publish(repo: &Repo, path: &str, content: &str) -> String {
    repo.write(path, content);
    let commit = repo.commit_all(&format!("work on {path}"));
    repo.pull();
    repo.push();
    let head = repo.head();
    if head != commit { head } else { commit }
}

/// Pulls with git, and writes the document that gitsync would write about it.
pub fn sync(repo: &Repo) -> Value {
    let from = repo.try_rev("origin/main");
    repo.pull();
    let to = repo.rev("origin/main");
    let pulled = (from.as_ref() != Some(&to))
        .then(|| json!({"from": from, "to": to, "count": 1, "authors": [], "commits": []}));
    json!({
        "lockstep": 1,
        "run": "01JD3W",
        "repo": {"worktree": repo.path(), "common_dir": repo.common_dir()},
        "identity": {"user": "mike", "host": "desk"},
        "outcome": "ok", "ended": false, "error": null,
        "phases": {"gitsync": {"outcome": "ok", "elapsed_ms": 1, "vault": null, "main": {
            "worktree": repo.path(), "branch": "main", "remote": "origin", "upstream": "refs/remotes/origin/main",
            "state": "pulled", "committed": null, "pulled": pulled, "wiki": {}, "pushed": null, "conflicts": [],
            "attempts": 1, "head": repo.head(),
        }}},
    })
}

/// Runs notesurface on a document.
pub fn surface(repo: &Repo, document: &Value) -> Output {
    repo.program(env!("CARGO_BIN_EXE_notesurface")).stdin(document.to_string()).success()
}

/// Pulls, and gives the bodies of the notes that are then shown.
pub fn shown_after_sync(repo: &Repo) -> Vec<String> {
    bodies(&surface(repo, &sync(repo)))
}

/// Runs notesurface by itself, and gives the bodies of the notes that are shown.
pub fn shown(repo: &Repo, arguments: &[&str]) -> Vec<String> {
    bodies(&repo.program(env!("CARGO_BIN_EXE_notesurface")).args(arguments).success())
}

/// The bodies of the notes that were shown.
pub fn bodies(output: &Output) -> Vec<String> {
    output.document().notesurface().notes.iter().map(|note| note.body.trim().to_owned()).collect()
}
