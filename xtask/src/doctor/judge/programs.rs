//! Checks git's hooks, the directory of commands, and the binaries.

use crate::doctor::{
    check::Check,
    facts::{Binary, Commands, Facts},
};

/// Returns the checks of hooks and of the directory that commands are copied to.
pub fn hooks(facts: &Facts) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(path) = &facts.missing_hooks_path {
        checks.push(Check::warn(
            "hooks",
            format!("core.hooksPath is {path}, and no folder: no hook runs"),
            "make the folder, or: git config --unset core.hooksPath",
        ));
    }
    for hook in &facts.hooks {
        let path = &hook.path;
        if !hook.executable {
            let help = format!("chmod +x {}, or remove it", sanitize::quoted(path));
            checks.push(Check::warn(
                "hooks",
                format!("{path} is not executable, so it is passed over"),
                help,
            ));
        }
        if hook.foreign {
            let help = "look at what it does: it runs with your rights";
            checks.push(Check::warn("hooks", format!("{path} belongs to somebody else"), help));
        }
    }
    if checks.is_empty() && !facts.hooks.is_empty() {
        let names = facts.hooks.iter().filter_map(|hook| hook.path.rsplit(['/', '\\']).next());
        checks.push(Check::ok("hooks", names.collect::<Vec<_>>().join(", ")));
    }
    match &facts.commands {
        Commands::None => {}
        Commands::Writable(path) => checks.push(Check::ok("commands", format!("they go to {path}"))),
        Commands::NotWritable(path) => checks.push(Check::bad(
            "commands",
            format!("they cannot be copied: {path} is no folder that you may write to"),
            format!("see `ls -ld {}`, and make it yours", sanitize::quoted(path)),
        )),
    }
    checks
}

/// Returns the check of the binaries.
pub fn binaries(binaries: &[Binary]) -> Option<Check> {
    let missing: Vec<&str> =
        binaries.iter().filter(|binary| binary.version.is_none()).map(|binary| binary.name).collect();
    let mut versions: Vec<&str> = binaries.iter().filter_map(|binary| binary.version.as_deref()).collect();
    versions.sort_unstable();
    versions.dedup();
    let help = "install all of them together: cargo xtask install";
    Some(match (missing.as_slice(), versions.as_slice()) {
        ([], [version]) => Check::ok("binaries", format!("all {} are of version {version}", binaries.len())),
        ([], _) => {
            let told = binaries
                .iter()
                .map(|binary| format!("{} {}", binary.name, binary.version.as_deref().unwrap_or_default()));
            Check::bad("binaries", format!("versions differ: {}", told.collect::<Vec<_>>().join(", ")), help)
        }
        (missing, _) => Check::bad(
            "binaries",
            format!("beside `lockstep` there is no {} that runs", missing.join(", ")),
            help,
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::State;

    #[test]
    fn binaries_are_all_there_and_of_one_version() {
        let state = |versions: [Option<&str>; 2]| {
            let [one, two] = versions.map(|version| version.map(str::to_owned));
            let all = [Binary { name: "lock", version: one }, Binary { name: "gitsync", version: two }];
            binaries(&all).map(|check| check.state)
        };
        assert_eq!(state([Some("1.0.0"), Some("1.0.0")]), Some(State::Ok));
        assert_eq!(state([Some("1.0.0"), Some("1.1.0")]), Some(State::Bad));
        assert_eq!(state([Some("1.0.0"), None]), Some(State::Bad));
    }
}
