//! Tests untrusted server responses: runs the bodies of the fuzz targets on seeds and random input.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../../fuzz/bodies/http_answer.rs"]
mod http_answer;
#[path = "../../../fuzz/bodies/listing.rs"]
mod listing;
#[path = "../../../fuzz/bodies/logins.rs"]
mod logins;
#[path = "../../../fuzz/bodies/push_report.rs"]
mod push_report;
#[path = "../../../fuzz/bodies/seeds.rs"]
mod seeds;
#[path = "../../../fuzz/bodies/talk.rs"]
mod talk;

use talk::Talk;

#[test]
fn what_a_server_has() {
    let talk = Talk::over_git();
    seeds::each("listing", 300, |said| listing::body(&talk, said));
}

#[test]
fn what_a_server_says_of_a_push() {
    let talk = Talk::over_git();
    seeds::each("push_report", 300, |said| push_report::body(&talk, said));
}

#[test]
fn what_a_web_server_answers() {
    let talk = Talk::over_http();
    seeds::each("http_answer", 150, |said| http_answer::body(&talk, said));
}

#[test]
fn logins_that_other_programs_wrote() {
    seeds::each("netrc", 1000, logins::body);
}

/// Else the seeds would lead nowhere but to the first error.
#[test]
fn the_seeds_are_what_servers_say() {
    let seed = |name: &str| {
        std::fs::read(format!("{}/../../fuzz/seeds/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    for name in ["version-0", "version-2"] {
        let listing = Talk::over_git().list(&seed(&format!("listing/{name}"))).unwrap();
        assert_eq!(listing.refs.len(), 1, "{name}: {listing:?}");
    }
    for name in ["refs", "refs-in-chunks"] {
        let listing = Talk::over_http().list(&seed(&format!("http_answer/{name}"))).unwrap();
        assert_eq!(listing.refs.len(), 1, "{name}: {listing:?}");
    }
}
