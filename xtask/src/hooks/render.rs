//! Renders the hooks from the templates.

use phase::Fault;
use serde_json::Value;

use super::{What, crontab, kind::Kind, place::Place, quote, template::fill};

/// What is written to one target.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Entries for an agent's settings, by event.
    Entries(Value),
    /// Lines of a crontab.
    Lines(String),
    /// A whole file, which contains the mark.
    Whole(String),
}

/// Renders the hooks of a kind, in the order of its targets.
///
/// # Errors
/// A fault with exit 78 if this kind cannot express the interval.
pub fn render(kind: Kind, place: &Place, what: &What) -> anyhow::Result<Vec<Content>> {
    let run = run(place, what, kind);
    let name = place.name();
    let seconds = what.every.as_secs().max(1).to_string();
    let repo = place.repo.as_str();
    Ok(match kind {
        Kind::Agent => vec![Content::Entries(entries(place, &run)?)],
        Kind::Systemd => {
            let command: Vec<String> = run.iter().map(|word| quote::systemd(word)).collect();
            let values = [
                ("marker", place.mark()),
                ("repo", quote::systemd_text(repo)),
                ("command", command.join(" ")),
                ("name", name),
                ("seconds", seconds),
            ];
            let templates = [
                include_str!("../../templates/hooks/systemd.service"),
                include_str!("../../templates/hooks/systemd.timer"),
            ];
            templates.into_iter().map(|template| Content::Whole(filled(template, &values))).collect()
        }
        Kind::Launchd => {
            let words = run.iter().map(|word| format!("        <string>{}</string>", quote::xml(word)));
            let values = [
                ("marker", mark(kind, place)),
                ("arguments", words.collect::<Vec<_>>().join("\n")),
                ("log", quote::xml(place.home.join(format!("Library/Logs/{name}.log")).as_str())),
                ("name", name),
                ("seconds", seconds),
            ];
            vec![Content::Whole(filled(include_str!("../../templates/hooks/launchd.plist"), &values))]
        }
        Kind::Windows => {
            let (program, arguments) =
                run.split_first().map_or(("", run.as_slice()), |(first, rest)| (first, rest));
            let arguments: Vec<String> = arguments.iter().map(|word| quote::windows(word)).collect();
            let values = [
                ("marker", mark(kind, place)),
                ("repo", quote::xml(repo)),
                ("program", quote::xml(program)),
                ("arguments", quote::xml(&arguments.join(" "))),
                ("name", name),
                ("seconds", seconds),
            ];
            vec![Content::Whole(filled(include_str!("../../templates/hooks/windows-task.xml"), &values))]
        }
        Kind::Cron => {
            let schedule = crontab::schedule(what.every).ok_or_else(|| {
                Fault::misconfigured("cron cannot start something in such intervals")
                    .help("give --every a part of an hour or of a day, such as 10m or 3h")
            })?;
            let words: Vec<String> = run.iter().map(|word| quote::sh(word)).collect();
            let values = [
                ("marker", place.mark()),
                ("schedule", schedule),
                ("command", quote::cron(&words.join(" "))),
            ];
            vec![Content::Lines(filled(include_str!("../../templates/hooks/crontab"), &values))]
        }
    })
}

/// Returns the mark of our texts of this kind.
pub fn mark(kind: Kind, place: &Place) -> String {
    match kind {
        Kind::Agent | Kind::Systemd | Kind::Cron => place.mark(),
        Kind::Launchd | Kind::Windows => quote::xml_comment(&place.mark()),
    }
}

/// Returns what identifies our lines in a crontab, whichever binaries and options they name.
pub fn in_crontab(place: &Place) -> crontab::Ours {
    let command = format!("full-run --repo {} ", quote::cron(&quote::sh(place.repo.as_str())));
    crontab::Ours { mark: place.mark(), command }
}

/// Returns the command line of the run that a hook starts. The run is unattended, so it keeps messages for an
/// interactive one.
fn run(place: &Place, what: &What, kind: Kind) -> Vec<String> {
    let on_found = what.on_found.map_or(
        match kind {
            // The user who ends a session can still save its log.
            Kind::Agent => "stop",
            Kind::Systemd | Kind::Launchd | Kind::Cron | Kind::Windows => "proceed",
        },
        |on_found| on_found.word(),
    );
    [
        &place.binary("lockstep"),
        "full-run",
        "--repo",
        place.repo.as_str(),
        "--on-found",
        on_found,
        "--keep-messages",
        "--quiet",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn entries(place: &Place, run: &[String]) -> anyhow::Result<Value> {
    let line = |words: &[String], to: &str| {
        let words: Vec<String> = words.iter().map(|word| quote::sh(word)).collect();
        quote::json(&format!("{} {to} {}", words.join(" "), place.mark()))
    };
    let fetch = [&place.binary("notes-sync"), "--repo", place.repo.as_str(), "--no-push", "--quiet"];
    let values = [
        // The agent reads the stdout of the command that runs at a session's start, and shows its stderr to the user
        // if it fails.
        ("session_start", line(&fetch.map(str::to_owned), ">/dev/null")),
        ("stop", line(run, ">&2")),
    ];
    Ok(serde_json::from_str(&filled(include_str!("../../templates/hooks/agent.json"), &values))?)
}

fn filled(template: &str, values: &[(&str, String)]) -> String {
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fill(template, &values)
}

impl Content {
    /// Returns the text for a user who installs it by hand.
    pub fn text(&self) -> String {
        match self {
            Self::Entries(entries) => format!("{:#}\n", serde_json::json!({"hooks": in_lists(entries)})),
            Self::Lines(text) | Self::Whole(text) => text.clone(),
        }
    }
}

/// Puts each entry into a list, as the settings require.
fn in_lists(entries: &Value) -> Value {
    let entries = entries.as_object().into_iter().flatten();
    entries.map(|(event, entry)| (event.clone(), Value::Array(vec![entry.clone()]))).collect()
}
