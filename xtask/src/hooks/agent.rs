//! Adds our two entries to an agent's settings, the user's own JSON file, and removes exactly those again.
//!
//! Our entries are those whose command ends with our mark; everything else stays as it is, byte for byte.

use serde_json::{Value, json};

use super::json_text::{self, Inside, Node};

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
    match groups.iter().find(|group| is_ours(&value(text, group), mark)) {
        None => Ok(json_text::append(text, list, 2, None, entry)),
        Some(ours) if value(text, ours) == *entry => Ok(text.to_owned()),
        Some(ours) => Ok(json_text::replace(text, ours, 3, entry)),
    }
}

/// Returns the settings without our entries, and without lists that this leaves empty; `None` if the settings
/// contained nothing else.
///
/// If nothing else has changed since `backup` was made, a copy of the settings before the installation, its exact
/// text is returned.
///
/// # Errors
/// The settings are not valid JSON.
pub fn take(settings: &str, backup: Option<&str>, mark: &str) -> Result<Option<String>, Unfit> {
    let mut text = settings.to_owned();
    while let Some(without) = take_one(&text, mark)? {
        text = without;
    }
    if text == settings {
        return Ok(Some(text));
    }
    let left: Value = serde_json::from_str(&text).map_err(|error| Unfit(error.to_string()))?;
    let before: Option<Value> = backup.and_then(|backup| serde_json::from_str(backup).ok());
    match (backup, before) {
        (Some(backup), Some(before)) if pruned(&left) == pruned(&before) => Ok(Some(backup.to_owned())),
        (None, _) if left == json!({}) => Ok(None),
        _ => Ok(Some(text)),
    }
}

/// Whether the settings contain any of our entries.
pub fn has_ours(settings: &str, mark: &str) -> bool {
    matches!(take_one(settings, mark), Ok(Some(_)))
}

/// Removes our first command and the containers that this leaves empty; `None` if there is none.
fn take_one(text: &str, mark: &str) -> Result<Option<String>, Unfit> {
    let root = parse(text)?;
    let Some(hooks) = root.member("hooks") else { return Ok(None) };
    let Inside::Object(events) = &hooks.inside else { return Ok(None) };
    for (event_number, event) in events.iter().enumerate() {
        let Inside::Array(groups) = &event.value.inside else { continue };
        for (group_number, group) in groups.iter().enumerate() {
            let Some(list) = group.member("hooks") else { continue };
            let Inside::Array(commands) = &list.inside else { continue };
            let ours = commands.iter().position(|command| is_our_command(&value(text, command), mark));
            let Some(command_number) = ours else { continue };
            // Remove from the innermost container that has other contents.
            let hooks_number = member_number(&root, "hooks");
            let levels = [
                (commands.len(), list, command_number),
                (groups.len(), &event.value, group_number),
                (events.len(), hooks, event_number),
            ];
            let kept = levels.into_iter().find(|(count, _, _)| *count > 1);
            let (_, container, number) = kept.unwrap_or((1, &root, hooks_number));
            return Ok(Some(json_text::remove(text, container, number)));
        }
    }
    Ok(None)
}

fn member_number(node: &Node, name: &str) -> usize {
    match &node.inside {
        Inside::Object(members) => members.iter().rposition(|member| member.name == name).unwrap_or(0),
        Inside::Array(_) | Inside::Scalar => 0,
    }
}

fn is_ours(group: &Value, mark: &str) -> bool {
    let commands = group.get("hooks").and_then(Value::as_array);
    commands.is_some_and(|commands| commands.iter().any(|command| is_our_command(command, mark)))
}

fn is_our_command(command: &Value, mark: &str) -> bool {
    command.get("command").and_then(Value::as_str).is_some_and(|line| line.ends_with(mark))
}

fn parse(text: &str) -> Result<Node, Unfit> {
    Node::parse(text).map_err(|error| Unfit(format!("it is no JSON: {error}")))
}

fn value(text: &str, node: &Node) -> Value {
    let slice = text.get(node.start..node.end).unwrap_or_default();
    serde_json::from_str(slice).unwrap_or_default()
}

/// Returns a value as text, without the empty containers in it.
fn pruned(value: &Value) -> String {
    fn prune(value: &Value) -> Option<Value> {
        match value {
            Value::Object(members) => {
                let kept = members.iter().filter_map(|(name, value)| Some((name.clone(), prune(value)?)));
                Some(kept.collect::<serde_json::Map<_, _>>()).filter(|map| !map.is_empty()).map(Value::Object)
            }
            Value::Array(elements) => {
                let kept: Vec<_> = elements.iter().filter_map(prune).collect();
                (!kept.is_empty()).then_some(Value::Array(kept))
            }
            other => Some(other.clone()),
        }
    }
    prune(value).unwrap_or_default().to_string()
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
    fn settings_of_another_shape_are_left_alone() {
        for settings in ["[]", "{\"hooks\": []}", "{\"hooks\": {\"Stop\": {}}}", "{ // mine\n}"] {
            assert!(put(Some(settings), &entries("-q"), MARK).is_err(), "{settings}");
        }
    }
}
