//! Adds our two entries to an agent's settings, the user's own JSON file, and removes exactly those again.
//!
//! Our entries are those whose command ends with our mark; everything else stays as it is, byte for byte.

use serde_json::{Value, json};

use super::{
    json_text::{self, Inside, Node},
    place::MARK,
};

/// Why settings are left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(pub String);

/// Returns the settings with our entries; `entries` is an object with one entry for each event, and each of our
/// commands ends with `mark`.
///
/// # Errors
/// The settings are not valid JSON, or have another structure than the agent's.
pub fn put(settings: Option<&str>, entries: &Value, mark: &str) -> Result<String, Unfit> {
    let mut text = settings.filter(|text| !text.trim().is_empty()).unwrap_or("{}\n").to_owned();
    let Value::Object(entries) = entries else { return Ok(text) };
    for (event, entry) in entries {
        text = put_one(&text, event, entry, mark)?;
    }
    Ok(text)
}

fn put_one(text: &str, event: &str, entry: &Value, mark: &str) -> Result<String, Unfit> {
    let root = parse(text)?;
    let Inside::Object(_) = root.inside else { return Err(Unfit("it is no JSON object".into())) };
    let Some(hooks) = root.member("hooks") else {
        return Ok(json_text::append(text, &root, 0, Some("hooks"), &json!({event: [entry]})));
    };
    let Inside::Object(_) = hooks.inside else { return Err(Unfit("`hooks` in it is no object".into())) };
    let Some(list) = hooks.member(event) else {
        return Ok(json_text::append(text, hooks, 1, Some(event), &json!([entry])));
    };
    let Inside::Array(groups) = &list.inside else {
        return Err(Unfit(format!("`hooks.{event}` in it is no list")));
    };
    match groups.iter().find(|group| is_ours(text, group, mark)) {
        None => Ok(json_text::append(text, list, 2, None, entry)),
        Some(ours) if ours.value(text) == *entry => Ok(text.to_owned()),
        Some(ours) => Ok(json_text::replace(text, ours, 3, entry)),
    }
}

/// Returns the settings without our entries, and without the containers that were added for them; `None` if the
/// settings contained nothing else.
///
/// If nothing else has changed since `backup` was made, a copy of the settings before the installation, its exact
/// text is returned.
///
/// # Errors
/// The settings are not valid JSON.
pub fn take(settings: &str, backup: Option<&str>, mark: &str) -> Result<Option<String>, Unfit> {
    if settings.trim().is_empty() {
        return Ok(Some(settings.to_owned()));
    }
    let before = backup.and_then(in_json);
    let mut text = settings.to_owned();
    while let Some(without) = take_one(&text, before.as_ref(), mark)? {
        text = without;
    }
    if text == settings {
        return Ok(Some(text));
    }
    let left = in_json(&text);
    match backup {
        Some(backup) if left.is_some() && left == before => Ok(Some(backup.to_owned())),
        None if left == Some(json!({})) => Ok(None),
        _ => Ok(Some(text)),
    }
}

/// Parses settings; those of an empty file are as if they were `{}`.
fn in_json(settings: &str) -> Option<Value> {
    let value = || Node::parse(settings).ok().map(|root| root.value(settings));
    if settings.trim().is_empty() { Some(json!({})) } else { value() }
}

/// Whether the settings contain any of our entries for a repository, whose commands end with `mark`.
pub fn has_ours(settings: &str, mark: &str) -> bool {
    matches!(take_one(settings, None, mark), Ok(Some(_)))
}

/// Whether the settings contain any of our entries, for whatever repository.
pub fn has_any(settings: &str) -> bool {
    settings.contains(MARK)
}

/// Removes our first command and the containers that this leaves empty, unless they were there `before`; `None` if
/// there is none.
fn take_one(text: &str, before: Option<&Value>, mark: &str) -> Result<Option<String>, Unfit> {
    let root = parse(text)?;
    let Some(hooks) = root.member("hooks") else { return Ok(None) };
    let Inside::Object(events) = &hooks.inside else { return Ok(None) };
    let hooks_before = before.and_then(|before| before.get("hooks"));
    for (event_number, event) in events.iter().enumerate() {
        let Inside::Array(groups) = &event.value.inside else { continue };
        let event_before = hooks_before.and_then(|hooks| hooks.get(&event.name));
        for (group_number, group) in groups.iter().enumerate() {
            let Some(list) = group.member("hooks") else { continue };
            let Inside::Array(commands) = &list.inside else { continue };
            let ours = commands.iter().position(|command| is_our_command(text, command, mark));
            let Some(command_number) = ours else { continue };
            // Remove from the innermost container that has other contents, or is the user's.
            let hooks_number = member_number(&root, "hooks");
            let levels = [
                (commands.len() > 1, list, command_number),
                (groups.len() > 1 || event_before.is_some_and(is_the_users), &event.value, group_number),
                (events.len() > 1 || hooks_before.is_some_and(is_the_users), hooks, event_number),
            ];
            let kept = levels.into_iter().find(|(is_kept, _, _)| *is_kept);
            let (_, container, number) = kept.unwrap_or((true, &root, hooks_number));
            return Ok(Some(json_text::remove(text, container, number)));
        }
    }
    Ok(None)
}

/// Whether a part of earlier settings was the user's: it was empty, or held more than commands of ours for other
/// repositories.
fn is_the_users(value: &Value) -> bool {
    let is_ours = |command: &Value| command.as_str().is_some_and(has_any);
    match value {
        Value::Object(command) if command.get("command").is_some_and(is_ours) => false,
        Value::Object(members) => members.is_empty() || members.values().any(is_the_users),
        Value::Array(elements) => elements.is_empty() || elements.iter().any(is_the_users),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn member_number(node: &Node, name: &str) -> usize {
    match &node.inside {
        Inside::Object(members) => members.iter().rposition(|member| member.name == name).unwrap_or(0),
        Inside::Array(_) | Inside::Scalar => 0,
    }
}

fn is_ours(text: &str, group: &Node, mark: &str) -> bool {
    let Some(Inside::Array(commands)) = group.member("hooks").map(|list| &list.inside) else { return false };
    commands.iter().any(|command| is_our_command(text, command, mark))
}

fn is_our_command(text: &str, command: &Node, mark: &str) -> bool {
    let line = command.member("command").map(|line| line.value(text));
    line.as_ref().and_then(Value::as_str).is_some_and(|line| line.ends_with(mark))
}

fn parse(text: &str) -> Result<Node, Unfit> {
    Node::parse(text).map_err(|error| Unfit(format!("it is no JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "# lockstep hooks for /tools";

    fn entries(option: &str) -> Value {
        let entry = |what: &str| json!({"hooks": [{"type": "command", "command": format!("{what} {option} {MARK}")}]});
        json!({"SessionStart": entry("notes-sync"), "Stop": entry("full-run")})
    }

    const SETTINGS: [&str; 8] = [
        "{}",
        "{\n}\n",
        "{\"hooks\":{}}",
        "{\n  \"hooks\": {\n    \"Stop\": [\n    ]\n  }\n}\n",
        "{\n    \"permissions\": {\"allow\": [\"Bash(git:*)\"]},\n    \"n\": 1.50\n}\n",
        "{\n\t\"hooks\": {\n\t\t\"Stop\": [\n\t\t\t{\"hooks\": [{\"type\": \"command\", \"command\": \"say done\"}]}\n\t\t]\n\t},\n\t\"model\": \"x\"\n}",
        r#"{"hooks":{"SessionStart":[{"matcher":"startup","hooks":[{"type":"command","command":"date"}]}],"PreToolUse":[]}}"#,
        "{\r\n  \"a\": \"\\u00fc\"\r\n}\r\n",
    ];

    #[test]
    fn what_was_put_in_is_taken_out_again_to_the_byte() {
        for settings in SETTINGS {
            let with = put(Some(settings), &entries("-q"), MARK).expect("they are fine");
            let parsed: Value = serde_json::from_str(&with).expect("it is still JSON");
            let stop = parsed["hooks"]["Stop"].as_array().expect("a list");
            assert_eq!(stop.last(), Some(&entries("-q")["Stop"]), "{with}");
            assert_eq!(take(&with, Some(settings), MARK), Ok(Some(settings.to_owned())));
        }
    }

    #[test]
    fn every_line_of_the_user_is_still_there() {
        for settings in SETTINGS.into_iter().filter(|settings| settings.contains('\n')) {
            let with = put(Some(settings), &entries("-q"), MARK).expect("they are fine");
            let mut lines = with.lines().map(|line| line.trim_end_matches(','));
            for line in settings.lines().map(|line| line.trim_end_matches(',')) {
                assert!(
                    line.contains('[') || lines.any(|kept| kept == line),
                    "{line:?} is missing in {with}"
                );
            }
        }
    }

    #[test]
    fn putting_in_twice_is_once_and_other_options_take_the_place_of_the_old_ones() {
        for settings in SETTINGS {
            let once = put(Some(settings), &entries("-q"), MARK).expect("they are fine");
            assert_eq!(put(Some(&once), &entries("-q"), MARK).as_ref(), Ok(&once));
            let other = put(Some(&once), &entries("-v"), MARK).expect("they are fine");
            assert_eq!(other.matches(MARK).count(), 2, "{other}");
            assert!(!other.contains("-q"), "{other}");
        }
    }

    #[test]
    fn the_hooks_of_another_repository_stay() {
        let theirs = put(None, &entries("-q"), MARK).expect("nothing is there");
        let other = "# lockstep hooks for /other";
        let ours: Value =
            serde_json::from_str(&entries("-q").to_string().replace(MARK, other)).expect("it is JSON");
        let both = put(Some(&theirs), &ours, other).expect("it is fine");
        assert_eq!(take(&both, None, other), Ok(Some(theirs)));
    }

    #[test]
    fn what_the_user_changed_since_stays_changed() {
        let with = put(Some("{\n  \"a\": 1\n}\n"), &entries("-q"), MARK).expect("it is fine");
        let edited = with.replace("\"a\": 1", "\"a\": 2");
        assert_eq!(take(&edited, Some("{\n  \"a\": 1\n}\n"), MARK), Ok(Some("{\n  \"a\": 2\n}\n".into())));
    }

    #[test]
    fn a_command_that_the_user_put_beside_ours_stays() {
        let with = put(None, &entries("-q"), MARK).expect("nothing is there");
        let both = with.replace(
            "\"hooks\": [\n          {",
            "\"hooks\": [\n          {\"type\": \"command\", \"command\": \"date\"},\n          {",
        );
        assert_ne!(with, both);
        let left = take(&both, None, MARK).expect("it is fine").expect("something is left");
        assert_eq!(left.matches("date").count(), 2, "{left}");
        assert!(!left.contains(MARK), "{left}");
    }

    #[test]
    fn a_file_that_held_nothing_else_goes() {
        let with = put(None, &entries("-q"), MARK).expect("nothing is there");
        assert_eq!(take(&with, None, MARK), Ok(None));
    }

    #[test]
    fn empty_containers_of_the_user_stay_though_something_else_was_changed_since() {
        for (before, edit, after) in [
            ("{\"hooks\":{},\"a\":1}", ("1", "2"), "{\"hooks\":{},\"a\":2}"),
            ("{\"hooks\":{\"Stop\":[]},\"a\":1}", ("1", "2"), "{\"hooks\":{\"Stop\":[]},\"a\":2}"),
            ("{\"a\":1}", ("1", "{}"), "{\"a\":{}}"),
            ("{\"a\":{}}", (",\"hooks\"", ",\"b\":[],\"hooks\""), "{\"a\":{},\"b\":[]}"),
        ] {
            let with = put(Some(before), &entries("-q"), MARK).expect("they are fine");
            let edited = with.replacen(edit.0, edit.1, 1);
            assert_ne!(edited, with);
            let left = take(&edited, Some(before), MARK).expect("they are fine").expect("something is left");
            assert_eq!(left, after);
        }
    }

    #[test]
    fn two_repositories_leave_what_was_there_before_the_first() {
        let other = "# lockstep hooks for /other";
        let theirs: Value =
            serde_json::from_str(&entries("-q").to_string().replace(MARK, other)).expect("it is JSON");
        for settings in SETTINGS {
            let one = put(Some(settings), &entries("-q"), MARK).expect("they are fine");
            assert!(has_any(&one) && !has_ours(&one, other));
            let both = put(Some(&one), &theirs, other).expect("they are fine");
            // The copy may be from before the first, or from between the two.
            for backup in [settings, &one] {
                let left = take(&both, Some(backup), MARK).expect("it is fine").expect("some are left");
                assert!(has_ours(&left, other) && !has_ours(&left, MARK), "{left}");
            }
            let left = take(&both, Some(settings), MARK).expect("it is fine").expect("some are left");
            assert_eq!(take(&left, Some(settings), other), Ok(Some(settings.to_owned())));
        }
    }

    #[test]
    fn an_empty_file_is_empty_again_and_an_emptied_one_is_left_alone() {
        for empty in ["", "\n", "  "] {
            let with = put(Some(empty), &entries("-q"), MARK).expect("nothing is there");
            assert_eq!(take(&with, Some(empty), MARK), Ok(Some(empty.to_owned())));
            assert_eq!(take(empty, Some("{}"), MARK), Ok(Some(empty.to_owned())));
        }
    }

    #[test]
    fn half_an_emoji_is_kept_as_it_is() {
        let settings =
            r#"{"\ud83d":1,"hooks":{"Stop":[{"hooks":[{"type":"command","command":"say \udc00"}]}]}}"#;
        let with = put(Some(settings), &entries("-q"), MARK).expect("it is valid");
        assert_eq!(put(Some(&with), &entries("-q"), MARK).as_ref(), Ok(&with));
        assert_eq!(take(&with, Some(settings), MARK), Ok(Some(settings.to_owned())));
        let empty = r#"{"hooks":{"Stop":[]},"k":"\ud83d"}"#;
        let with = put(Some(empty), &entries("-q"), MARK).expect("it is valid");
        assert_eq!(take(&with, Some(empty), MARK), Ok(Some(empty.to_owned())));
    }

    #[test]
    fn settings_of_another_shape_are_left_alone() {
        for settings in ["[]", "{\"hooks\": []}", "{\"hooks\": {\"Stop\": {}}}", "{ // mine\n}"] {
            assert!(put(Some(settings), &entries("-q"), MARK).is_err(), "{settings}");
        }
    }
}
