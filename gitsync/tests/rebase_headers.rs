//! Tests what a replayed commit keeps of the old one: its message, author and dates, in the configured encoding.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod twin;

use testkit::Repo;
use twin::{Twin, commit, count};

/// Commits a change with this author and message, which are bytes, and this header.
fn commit_bytes(repo: &Repo, path: &str, header: &str, author: &[u8], message: &[u8]) {
    commit_ending(repo, path, header, author, &[b"\n", message].concat());
}

/// The same, with all that comes after the headers.
fn commit_ending(repo: &Repo, path: &str, header: &str, author: &[u8], end: &[u8]) {
    repo.write(path, "1\n");
    repo.git(["add", "-A"]);
    let mut data = format!("tree {}\nparent {}\nauthor ", repo.git(["write-tree"]), repo.head()).into_bytes();
    data.extend_from_slice(author);
    data.extend_from_slice(
        b" <unal@example.com> 1000000000 +0130\ncommitter M <m@example.com> 1000000000 +0000\n",
    );
    data.extend_from_slice(header.as_bytes());
    data.extend_from_slice(end);
    let written = repo.git_invocation().args(["hash-object", "-t", "commit", "-w", "--stdin", "--literally"]);
    let id = written.stdin(data).success().stdout;
    repo.git(["reset", "--quiet", "--hard", id.trim()]);
}

#[test]
fn commits_in_other_encodings_are_written_as_git_writes_them() {
    for wanted in ["", "UTF-8", "utf8", "ISO-8859-1", "latin1", "ISO-8859-2", "KLINGON"] {
        let twin = Twin::new(|_| {});
        if !wanted.is_empty() {
            twin.repo.git(["config", "i18n.commitEncoding", wanted]);
        }
        twin.theirs(|repo| commit(repo, "theirs", "1\n", "theirs"));
        twin.ours(|repo| {
            commit_bytes(repo, "1", "encoding ISO-8859-1\n", b"\xdcnal", b"gr\xfcn\n\nbody \xe4\n");
            commit_bytes(repo, "2", "encoding ISO-8859-15\n", b"\xdcnal", b"5 \xa4\n");
            commit_bytes(repo, "3", "", "Ünal".as_bytes(), "grün 5 €\n".as_bytes());
            commit_bytes(repo, "4", "encoding KLINGON\n", b"\xdcnal", b"gr\xfcn\n");
            commit_bytes(repo, "5", "", b"\xdcnal", b"gr\xfcn, \xc3\xbc and cut short \xe2\x82\n");
            commit_bytes(repo, "6", "encoding UTF-8\n", "Ünal".as_bytes(), "grün\n".as_bytes());
            commit_bytes(repo, "7", "encoding utf8\n", b"Unal", b"plain\n");
        });
        assert_eq!(count(&twin.assert_same()), 7, "{wanted}");
    }
}

#[test]
fn blank_lines_before_a_subject_go_as_with_git_and_nothing_else_of_a_message() {
    let twin = Twin::new(|_| {});
    twin.theirs(|repo| commit(repo, "theirs", "1\n", "theirs"));
    twin.ours(|repo| {
        commit_bytes(repo, "1", "", b"M", b"\n \n\t indented  \n\n\n# no comment\n\n\n");
        commit_bytes(repo, "2", "", b"M", b"no line end");
        commit_bytes(repo, "3", "", b"M", b"");
    });
    assert_eq!(count(&twin.assert_same()), 3);
}

#[test]
fn a_commit_that_ends_after_its_headers_is_replayed_with_an_empty_message_as_with_git() {
    for wanted in ["UTF-8", "ISO-8859-1"] {
        let twin = Twin::new(|_| {});
        twin.repo.git(["config", "i18n.commitEncoding", wanted]);
        twin.theirs(|repo| commit(repo, "theirs", "1\n", "theirs"));
        twin.ours(|repo| {
            commit_ending(repo, "1", "", b"M", b"");
            commit_ending(repo, "2", "encoding ISO-8859-1\n", b"\xdcnal", b"");
        });
        assert_eq!(count(&twin.assert_same()), 2, "{wanted}");
    }
}

#[test]
fn other_people_s_authorship_and_odd_dates_stay() {
    let twin = Twin::new(|_| {});
    twin.theirs(|repo| commit(repo, "theirs", "1\n", "theirs"));
    twin.ours(|repo| {
        repo.write("ours", "1\n");
        repo.git(["add", "-A"]);
        repo.git([
            "commit",
            "--quiet",
            "--author=Ünal Ö <unal@example.com>",
            "--date=2001-02-03T04:05:06+1130",
            "-m",
            "ours",
        ]);
    });
    assert_eq!(count(&twin.assert_same()), 1);
}
