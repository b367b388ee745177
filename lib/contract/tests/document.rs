//! Tests the guarantees of the document's format, which hold for every release.
#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use contract::{Common, Envelope, Exit, Failure, LogcheckSection, Outcome, Section};
use serde_json::{Value, json};

const GOLDEN: &str = include_str!("golden/v1.json");

#[test]
fn the_golden_document_of_version_1_is_read_whole_and_written_as_it_was() {
    let envelope = Envelope::parse(GOLDEN).unwrap();
    assert_eq!(value(&envelope.to_line()), value(GOLDEN));
    // Nothing in it is unknown to the types: they give it back with nothing missing.
    assert_eq!(serde_json::to_value(envelope.document()).unwrap(), value(GOLDEN));
}

#[test]
fn what_is_unknown_passes_through_unchanged_down_to_the_digits_and_the_order() {
    let text = r#"{"zeta":{"b":1,"a":[1.0,1e+400,123456789012345678901234567890]},"lockstep":1,"run":"r","repo":{"worktree":"/w","common_dir":"/w/.git","bare":false},"identity":{"user":null,"host":"h","team":"x"},"outcome":"ok","ended":false,"error":null,"phases":{"of-tomorrow":{"n":0.10},"logcheck":{"note":"kept"}}}"#;
    let mut envelope = Envelope::parse(text).unwrap();
    assert_eq!(envelope.to_line(), text);
    envelope.put(&LogcheckSection::default()).unwrap();
    let line = envelope.to_line();
    for kept in [
        r#""zeta":{"b":1,"a":[1.0,1e+400,123456789012345678901234567890]}"#,
        r#""bare":false"#,
        r#""team":"x""#,
        r#""of-tomorrow":{"n":0.10}"#,
        r#""note":"kept""#,
    ] {
        assert!(line.contains(kept), "{kept} is missing from {line}");
    }
}

#[test]
fn what_no_parser_could_keep_passes_through_as_well() {
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let values = [r#""abc\ud83d""#, r#"{"\udc00":"\ud83d\ud83d"}"#, r#""\u0041\/""#, "-0.0", &deep];
    for value in values {
        let of_tomorrow = format!(r#""of-tomorrow":{value}"#);
        let text = GOLDEN.replacen("\"error\"", &format!("{of_tomorrow}, \"error\""), 1).replacen(
            "\"phases\": {",
            &format!("\"phases\": {{{of_tomorrow},"),
            1,
        );
        let mut envelope = Envelope::parse(&text).unwrap();
        envelope.put(&LogcheckSection::default()).unwrap();
        let line = envelope.to_line();
        assert_eq!(line.matches(&of_tomorrow).count(), 2, "{line}");
        assert_eq!(Envelope::parse(&line).unwrap().to_line(), line);
    }
}

#[test]
fn no_control_character_stands_in_a_document_and_all_are_read_back() {
    let text =
        GOLDEN.replacen("\"error\"", "\"names\": \"\\u001b[1m \u{7f} \u{85} \u{9b}31m \\n漢\", \"error\"", 1);
    let line = Envelope::parse(&text).unwrap().to_line();
    assert!(!line.contains(char::is_control), "{line:?}");
    assert_eq!(value(&line), value(&text));
    assert!(line.contains("漢"), "{line}");
}

#[test]
fn the_first_thing_that_went_wrong_stays_the_runs() {
    let mut envelope = Envelope::parse(GOLDEN).unwrap();
    envelope.conclude(Outcome::Conflict, Some(failure(4)), false);
    envelope.conclude(Outcome::Failed, Some(failure(69)), false);
    envelope.conclude(Outcome::Ok, None, false);
    assert_eq!(envelope.document().outcome, Outcome::Conflict);
    assert_eq!(envelope.document().error.as_ref().unwrap().code, Exit::Conflict.code());
    assert_eq!(value(&envelope.to_line())["error"]["code"], 4);
    assert_eq!(value(&envelope.to_line())["outcome"], "conflict");
}

#[test]
fn a_run_that_has_ended_stays_ended() {
    let mut envelope = Envelope::parse(GOLDEN).unwrap();
    envelope.conclude(Outcome::Deferred, Some(failure(75)), true);
    envelope.conclude(Outcome::Ok, None, false);
    assert!(envelope.document().has_ended());
    assert_eq!(value(&envelope.to_line())["ended"], true);
}

#[test]
fn where_ended_is_absent_the_outcome_decides() {
    for (outcome, ended) in [
        ("ok", false),
        ("failed", false),
        ("conflict", false),
        ("saved", true),
        ("unsaved", true),
        ("deferred", true),
    ] {
        let mut json = value(GOLDEN);
        json["outcome"] = outcome.into();
        json.as_object_mut().unwrap().remove("ended");
        assert_eq!(Envelope::parse(&json.to_string()).unwrap().document().has_ended(), ended, "{outcome}");
    }
}

#[test]
fn a_section_that_says_no_more_than_how_it_ended_can_be_read_again() {
    for name in ["lock", "logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy"] {
        let mut json = value(GOLDEN);
        json["phases"] = json!({});
        let mut envelope = Envelope::parse(&json.to_string()).unwrap();
        envelope.put_common(name, &Common { outcome: Outcome::Failed, elapsed_ms: 7 });
        let line = envelope.to_line();
        Envelope::parse(&line).unwrap();
        assert_eq!(value(&line)["phases"][name], json!({"outcome": "failed", "elapsed_ms": 7}));
    }
}

#[test]
fn sections_without_names_are_refused_since_no_other_could_be_added_to_them() {
    for phases in [json!([]), json!(null)] {
        let mut json = value(GOLDEN);
        json["phases"] = phases;
        assert!(Envelope::parse(&json.to_string()).is_err(), "{json}");
    }
}

#[test]
fn a_section_is_found_under_the_name_of_its_binary() {
    fn name<S: Section>(_: Option<S>) -> &'static str {
        S::NAME
    }
    let envelope = Envelope::parse(GOLDEN).unwrap();
    let phases = envelope.document().phases.clone();
    let names = [
        name(phases.lock),
        name(phases.logcheck),
        name(phases.gitsync),
        name(phases.notes_sync),
        name(phases.notesurface),
        name(phases.cmdcopy),
    ];
    let golden = value(GOLDEN);
    let keys: Vec<_> = golden["phases"].as_object().unwrap().keys().collect();
    assert_eq!(names.to_vec(), keys);
}

#[test]
fn the_committed_schema_is_the_types() {
    let committed = include_str!("../../../schema/run-document.schema.json");
    assert_eq!(value(committed), contract::schema(), "write it anew with `cargo xtask schema`");
}

#[test]
fn the_schema_describes_every_field_for_the_person_who_reads_the_json() {
    fn undescribed(schema: &Value, path: &str, missing: &mut Vec<String>) {
        let Some(object) = schema.as_object() else { return };
        if let Some(properties) = object.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                if property.get("description").is_none() {
                    missing.push(format!("{path}/{name}"));
                }
            }
        }
        for (key, value) in object {
            undescribed(value, &format!("{path}/{key}"), missing);
        }
    }
    let mut missing = Vec::new();
    undescribed(&contract::schema(), "", &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}

fn failure(code: u8) -> Failure {
    Failure { phase: "gitsync".into(), code, message: "it went wrong".into(), help: None }
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
