//! Creates the playground's history: two people have made changes in the same places.

use super::{
    Playground,
    git::{Repo, write},
};

/// Creates the repositories and all changes in them.
pub fn tell(playground: &Playground) -> anyhow::Result<()> {
    write(&playground.home().join(".gitconfig"), GIT_CONFIG)?;
    let origin = Repo::bare(playground, "origin.git")?;
    let mike = origin.clone_for("Mike", "mike")?;
    beginning(&mike)?;
    let howard = origin.clone_for("Howard", "howard")?;
    howard_works(&howard)?;
    mike_works(&mike)?;
    vaults(playground)?;
    // Mike had a command of the same name before his team shared one: it must not be lost.
    write(&playground.home().join(".claude/commands/sync.md"), "Mike's own way to sync.\n")
}

const GIT_CONFIG: &str = "\
[user]
	name = Nobody
	email = nobody@example.com
[init]
	defaultBranch = main
";

/// Creates what both start from.
fn beginning(mike: &Repo<'_>) -> anyhow::Result<()> {
    mike.write("README.md", "# Tools\n\nWhat our team knows and uses.\n")?;
    mike.write(".gitignore", ".claude/identity.json\n")?;
    mike.write("wiki/overview.md", "# Overview\n\nOne page a client, project and system.\n")?;
    mike.write("wiki/clients/acme.md", "# Acme\n\nContact: Wile\n\nServers: two\n")?;
    mike.write(".claude/commands/sync.md", "Run `lockstep full-run` and tell me what came in.\n")?;
    mike.commit("the beginning")?;
    mike.git(&["notes", "--ref", "mem/decisions", "add", "-m", "one wiki page a client"])?;
    mike.push()?;
    mike.git(&["branch", "--quiet", "--set-upstream-to", "origin/main"])
}

/// Howard makes changes and pushes them.
fn howard_works(howard: &Repo<'_>) -> anyhow::Result<()> {
    howard.git(&["fetch", "--quiet", "origin", "refs/notes/mem/*:refs/notes/mem/*"])?;
    howard
        .write("wiki/clients/acme.md", "# Acme\n\nContact: Wile\n\nServers: three, the new one for mail\n")?;
    howard.write("wiki/systems/mail.md", "# Mail\n\nRuns on Acme's third server.\n")?;
    howard.commit("wiki: Acme's mail server")?;
    howard.write(".claude/commands/save.md", "Write up this session, commit it, then sync.\n")?;
    howard.write("clients/acme/session-logs/2026-06-05-mail.md", HOWARDS_LOG)?;
    howard.commit("session: mail server for Acme")?;
    howard.git(&["notes", "--ref", "mem/decisions", "append", "-m", "mail stays on premises", "HEAD~2"])?;
    howard.git(&[
        "notes",
        "--ref",
        "mem/decisions",
        "add",
        "-m",
        "the mail server is backed up nightly",
        "HEAD",
    ])?;
    howard.push()
}

const HOWARDS_LOG: &str = "\
# Mail server for Acme

Set it up, moved the first mailboxes.

## Note for Mike

The DNS entry is still the old one. Could you change it on Monday,
once the last mailbox has moved?

## Next

- the remaining mailboxes
";

/// Mike makes an unpushed commit, uncommitted edits, and notes of his own.
fn mike_works(mike: &Repo<'_>) -> anyhow::Result<()> {
    mike.write("wiki/projects/website.md", "# Website\n\nNew design until autumn.\n")?;
    mike.commit("wiki: the website project")?;
    mike.git(&["notes", "--ref", "mem/decisions", "append", "-m", "the website is static", "HEAD~1"])?;
    mike.write("README.md", "# Tools\n\nWhat our team knows and uses.\n\nStart with wiki/overview.md.\n")?;
    mike.write("scripts/backup.sh", "#!/bin/sh\nexec restic backup ~/\n")?;
    mike.write(".claude/identity.json", "{\"user\": \"mike\", \"vault_path\": \"../vault\"}\n")
}

/// Creates the vault, with changes on both sides.
fn vaults(playground: &Playground) -> anyhow::Result<()> {
    let remote = Repo::bare(playground, "vault.git")?;
    let mike = remote.clone_for("Mike", "vault")?;
    mike.write("ideas.md", "# Ideas\n")?;
    mike.commit("the vault")?;
    mike.git(&["push", "--quiet", "--set-upstream", "origin", "main"])?;
    let laptop = remote.clone_for("Mike", "laptop-vault")?;
    laptop.write("reading.md", "# To read\n")?;
    laptop.commit("a reading list, from the laptop")?;
    laptop.push_branch()?;
    mike.write("ideas.md", "# Ideas\n\nA page that shows who is on call.\n")
}
