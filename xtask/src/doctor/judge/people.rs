//! Checks whether the user is known: as a committer, and as a recipient of messages.

use crate::doctor::{
    check::Check,
    facts::{Facts, Vault},
};

/// Returns the checks.
pub fn judge(facts: &Facts) -> Vec<Check> {
    let people = &facts.people;
    let committer = if people.can_commit {
        Check::ok("committer", people.git_name.clone().unwrap_or_else(|| "known by the environment".into()))
    } else {
        Check::bad(
            "committer",
            "git does not know who commits here",
            "git config --global user.name 'YOUR NAME' && git config --global user.email YOU@EXAMPLE.ORG",
        )
    };
    let user = match (&people.user, &people.git_name) {
        (Err(told), _) => Check::bad("identity", &told.message, help(told.help.as_deref())),
        (Ok(Some(user)), _) => Check::ok("identity", format!("messages for {user}")),
        (Ok(None), Some(name)) => Check::warn(
            "identity",
            format!("messages are looked for under git's user.name, {name}"),
            r#"name yourself as colleagues do, in .claude/identity.json: {"user": "mike"}"#,
        ),
        (Ok(None), None) => Check::warn(
            "identity",
            "nobody knows whom messages are for",
            r#"name yourself as colleagues do, in .claude/identity.json: {"user": "mike"}"#,
        ),
    };
    let exposed = people.file_is_exposed.then(|| {
        Check::warn(
            "identity",
            ".claude/identity.json is neither ignored nor tracked: the next run would commit it for everybody",
            "let git ignore it: echo .claude/identity.json >>.gitignore",
        )
    });
    let vault = match &facts.vault {
        Vault::None => None,
        Vault::Fine(path) => Some(Check::ok("vault", path)),
        Vault::Broken(told) => Some(Check::bad("vault", &told.message, help(told.help.as_deref()))),
    };
    [committer, user].into_iter().chain(exposed).chain(vault).collect()
}

fn help(help: Option<&str>) -> &str {
    help.unwrap_or("see .claude/identity.json")
}
