//! Tests how the content of staged files is handled: converted, filtered, streamed, or refused if it cannot be read.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

mod common;

use common::{assert_stages_as_git, repo_with, stage_all};
use gitsync::stage::Why;
use testkit::World;

#[test]
fn line_ends_and_encodings_are_converted() {
    let world = World::new();
    let repo = repo_with(
        &world,
        &[(
            ".gitattributes",
            "*.txt text\n*.bat text eol=crlf\n*.auto text=auto\n*.bin -text\n*.u16 text working-tree-encoding=UTF-16LE-BOM\n*.id ident\n",
        )],
    );
    for name in ["a.txt", "a.bat", "a.auto", "a.bin", "a.none"] {
        repo.write(name, "one\r\ntwo\r\n");
    }
    repo.write("binary.auto", b"one\r\n\0two\r\n");
    repo.write("b.u16", b"\xff\xfeo\0n\0e\0\r\0\n\0");
    repo.write("c.id", "$Id: something$\n");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn attributes_that_are_deleted_in_the_same_commit_hold_where_git_has_them_in_memory() {
    let world = World::new();
    let unix = [("#before", "a\n"), ("after", "a\n"), ("d/after", "a\n")];
    let attributes = [(".gitattributes", "* text\n"), ("d/.gitattributes", "* text\n")];
    let cases = [
        (&[".gitattributes"][..], &["#before", "after", "d/after", "#new", "d/new"][..]),
        (&[".gitattributes"], &["after", "d/after", "#new", "d/new"]),
        (&["d/.gitattributes"], &["#before", "after", "d/after", "#new", "d/new"]),
        (&[".gitattributes", "d/.gitattributes"], &["after", "d/after", "d/new"]),
    ];
    for (number, (gone, written)) in cases.into_iter().enumerate() {
        let repo = world.init(&format!("mike-{number}"));
        for (path, content) in unix.iter().chain(&attributes) {
            repo.write(path, content);
            // Else git would read it again, and take the attributes into memory for that.
            common::age(&repo, path);
        }
        repo.commit_all("with attributes");
        gone.iter().for_each(|path| repo.remove(path));
        for path in written {
            repo.write(path, "a\r\n");
        }
        assert_stages_as_git(&world, &repo);
    }
}

#[test]
fn old_encodings_are_read_by_the_tables_that_git_has() {
    let world = World::new();
    let attributes = ["Shift-JIS", "EUC-JP", "gb2312", "Big5", "ISO-8859-9", "cp1252", "IBM819", "koi8-u"]
        .map(|name| format!("*.{name} working-tree-encoding={name}\n"));
    let repo = repo_with(&world, &[(".gitattributes", &attributes.concat())]);
    repo.write("wave.Shift-JIS", b"10\x81\x6020 \x81\x7c \x93\xfa\x96\x7b \\~\n");
    repo.write("wave.EUC-JP", b"10\xa1\xc120 \xc6\xfc\xcb\xdc \x8f\xb0\xa1\n");
    repo.write("dash.gb2312", b"\xa1\xaa \xa1\xa4 \xd6\xd0\xb9\xfa\n");
    repo.write("line.Big5", b"\xf9\xf9 \xa2\xa4 \xa4\xa4\n");
    repo.write("control.ISO-8859-9", b"\x80 \xfe\n");
    repo.write("euro.cp1252", b"5 \x80\n");
    repo.write("control.IBM819", b"\x80 \xfc\n");
    repo.write("box.koi8-u", b"\xae \xc0\n");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn what_is_not_in_its_encoding_is_refused_as_by_git_and_so_is_an_unknown_encoding() {
    for (name, content) in [
        ("CP437", b"1\n".as_slice()),
        ("cp1252", b"\x81\n"),
        ("EUC-KR", b"\xa0\x81\n"),
        ("Shift-JIS", b"\x87\x40\n"),
    ] {
        let world = World::new();
        let repo = repo_with(&world, &[(".gitattributes", &format!("*.x working-tree-encoding={name}\n"))]);
        repo.write("a.x", content);
        let refused = stage_all(&repo).err().unwrap();
        assert!(matches!(&refused[0].why, Why::Encoding(failed) if failed.label == name), "{name}");
        let is_known_to_git = name == "CP437";
        assert_eq!(repo.try_git(["add", "a.x"]).code == 0, is_known_to_git, "{name}");
    }
}

#[test]
fn automatic_line_ends_leave_files_alone_that_were_committed_with_them() {
    let world = World::new();
    let repo = repo_with(&world, &[("old", "one\r\ntwo\r\n")]);
    repo.git(["config", "core.autocrlf", "true"]);
    repo.write("old", "one\r\ntwo\r\nthree\r\n");
    repo.write("new", "one\r\ntwo\r\n");
    assert_stages_as_git(&world, &repo);
}

#[test]
fn filters_clean_what_is_committed() {
    let world = World::new();
    let repo = repo_with(
        &world,
        &[(".gitattributes", "*.up filter=upper\n*.weak filter=weak\n*.none filter=unknown\n")],
    );
    repo.git(["config", "filter.upper.clean", "tr a-z A-Z"]);
    repo.git(["config", "filter.upper.required", "true"]);
    repo.git(["config", "filter.weak.clean", "false"]);
    for name in ["a.up", "a.weak", "a.none"] {
        repo.write(name, "text\n");
    }
    assert_stages_as_git(&world, &repo);
    assert_eq!(repo.git(["cat-file", "-p", ":a.up"]), "TEXT");
}

#[test]
fn a_required_filter_that_fails_is_refused_by_name() {
    let world = World::new();
    let repo = repo_with(&world, &[(".gitattributes", "*.x filter=broken\n")]);
    repo.git(["config", "filter.broken.clean", "false"]);
    repo.git(["config", "filter.broken.required", "true"]);
    repo.write("secret.x", "text\n");
    let before = std::fs::read(repo.git_dir().join("index")).unwrap();
    let refused = stage_all(&repo).err().unwrap();
    assert_eq!(refused[0].path, "secret.x");
    assert!(matches!(&refused[0].why, Why::Filter(failed) if failed.driver == "broken"));
    assert_eq!(std::fs::read(repo.git_dir().join("index")).unwrap(), before);
    repo.assert_unlocked();
}

#[test]
fn a_filter_that_keeps_running_serves_many_files() {
    let world = World::new();
    let repo = repo_with(&world, &[(".gitattributes", "*.r filter=rot\n")]);
    let script = world.path().join("filter.py");
    std::fs::write(&script, LONG_RUNNING_FILTER).unwrap();
    repo.git(["config", "filter.rot.process", &format!("python3 '{script}'")]);
    repo.git(["config", "filter.rot.required", "true"]);
    for number in 0..20 {
        repo.write(&format!("{number}.r"), format!("text {number}\n"));
    }
    assert_stages_as_git(&world, &repo);
    assert_eq!(repo.git(["cat-file", "-p", ":7.r"]), "TEXT 7");
}

/// Upper case in, lower case out, by git's protocol for filters that keep running.
const LONG_RUNNING_FILTER: &str = r#"
import sys
inp, out = sys.stdin.buffer, sys.stdout.buffer
def read():
    head = inp.read(4)
    if not head: sys.exit(0)
    size = int(head, 16)
    return None if size == 0 else inp.read(size - 4)
def lines():
    all = []
    while (line := read()) is not None: all.append(line.rstrip(b"\n"))
    return all
def write(data): out.write(b"%04x" % (len(data) + 4) + data)
def flush(): out.write(b"0000"); out.flush()
lines(); write(b"git-filter-server\n"); write(b"version=2\n"); flush()
lines(); write(b"capability=clean\n"); write(b"capability=smudge\n"); flush()
while True:
    header = lines()
    data = b"".join(iter(read, None))
    data = data.upper() if b"command=clean" in header else data.lower()
    write(b"status=success\n"); flush()
    for at in range(0, len(data), 60000): write(data[at:at + 60000])
    flush(); flush()
"#;

#[test]
fn an_unreadable_file_is_refused_by_name_and_nothing_is_half_done() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.write("b", "readable\n");
    // Too long a chain of filters is not needed: a filter that cannot be started is as good as no permission, also for
    // root.
    repo.write(".gitattributes", "locked filter=none\n");
    repo.git(["config", "filter.none.clean", "exit 3"]);
    repo.git(["config", "filter.none.required", "true"]);
    repo.write("locked", "x\n");
    let before = std::fs::read(repo.git_dir().join("index")).unwrap();
    let refused = stage_all(&repo).err().unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].path, "locked");
    assert_eq!(std::fs::read(repo.git_dir().join("index")).unwrap(), before);
}

#[test]
fn a_file_too_large_for_memory_is_staged_as_git_stages_it() {
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    let mut content = Vec::new();
    for number in 0..2_500_000u32 {
        content.extend_from_slice(&number.wrapping_mul(2_654_435_761).to_le_bytes());
    }
    repo.write("large", &content);
    assert_stages_as_git(&world, &repo);
    let file = std::fs::File::options().append(true).open(repo.join("large")).unwrap();
    file.set_len(9_000_000).unwrap();
    assert_stages_as_git(&world, &repo);
}

#[test]
fn a_shared_repository_stays_open_to_its_group() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let repo = repo_with(&world, &[("a", "1\n")]);
    repo.git(["config", "core.sharedRepository", "group"]);
    repo.write("a", "2\n");
    stage_all(&repo).ok().unwrap();
    let mode = |path: camino::Utf8PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(repo.git_dir().join("index")) & 0o060, 0o060);
    let id = repo.git(["rev-parse", ":a"]);
    assert_eq!(mode(repo.git_dir().join("objects").join(&id[..2]).join(&id[2..])), 0o444);
    assert_eq!(mode(repo.git_dir().join("objects").join(&id[..2])) & 0o070, 0o070);
}
