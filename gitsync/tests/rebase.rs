//! Replaying in memory gives what `git rebase` gives, and stops where it stops.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod twin;

use testkit::Repo;
use twin::{Result, Twin};

const LINES: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

fn commit(repo: &Repo, path: &str, content: &str, message: &str) {
    repo.write(path, content);
    repo.commit_all(message);
}

fn count(result: &Result) -> usize {
    match result {
        Result::History(commits) => commits.len(),
        Result::Conflict(paths) => panic!("a conflict in {paths:?}"),
    }
}

#[test]
fn changes_of_different_files_are_put_one_after_the_other() {
    let twin = Twin::new(|_| {});
    twin.theirs(|repo| commit(repo, "theirs.md", "1\n", "theirs"));
    twin.ours(|repo| {
        commit(repo, "ours.md", "1\n", "ours 1");
        commit(repo, "ours.md", "2\n", "ours 2\n\nwith a body\n\n\nand trailing lines");
    });
    assert_eq!(count(&twin.assert_same()), 2);
}

#[test]
fn changes_of_different_lines_are_merged() {
    let twin = Twin::new(|repo| repo.write("a.txt", LINES));
    twin.theirs(|repo| commit(repo, "a.txt", &LINES.replace("one", "ONE"), "theirs"));
    twin.ours(|repo| commit(repo, "a.txt", &LINES.replace("nine", "NINE"), "ours"));
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn changes_of_the_same_line_are_a_conflict_that_names_the_path() {
    let twin = Twin::new(|repo| repo.write("dir/ä b.txt", LINES));
    twin.theirs(|repo| commit(repo, "dir/ä b.txt", &LINES.replace("one", "ONE"), "theirs"));
    twin.ours(|repo| commit(repo, "dir/ä b.txt", &LINES.replace("one", "uno"), "ours"));
    assert_eq!(twin.assert_same(), Result::Conflict(vec!["dir/ä b.txt".into()]));
}

#[test]
fn a_commit_that_the_upstream_picked_is_dropped() {
    let twin = Twin::new(|repo| repo.write("a.txt", LINES));
    twin.ours(|repo| {
        commit(repo, "a.txt", &LINES.replace("one", "ONE"), "picked");
        commit(repo, "b.txt", "b\n", "kept");
    });
    twin.theirs(|repo| {
        commit(repo, "c.txt", "c\n", "before");
        repo.git(["cherry-pick", "main~1"]);
    });
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn a_change_that_was_picked_and_then_changed_again_upstream_is_dropped_and_no_conflict() {
    let twin = Twin::new(|repo| repo.write("a.txt", LINES));
    twin.ours(|repo| commit(repo, "a.txt", &LINES.replace("one", "ONE"), "picked"));
    twin.theirs(|repo| {
        repo.git(["cherry-pick", "main"]);
        commit(repo, "a.txt", &LINES.replace("one", "first"), "changed again");
    });
    assert_eq!(count(&twin.assert_same()), 0);
}

#[test]
fn the_same_line_elsewhere_is_another_change() {
    let twin = Twin::new(|repo| repo.write("a.txt", "a\na\na\na\n--\nb\nb\nb\nb\n"));
    twin.ours(|repo| commit(repo, "a.txt", "a\na\nnew\na\na\n--\nb\nb\nb\nb\n", "ours"));
    twin.theirs(|repo| commit(repo, "a.txt", "a\na\na\na\n--\nb\nb\nnew\nb\nb\n", "theirs"));
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn white_space_makes_no_difference_to_what_was_picked() {
    let twin = Twin::new(|repo| repo.write("a.txt", LINES));
    twin.ours(|repo| commit(repo, "a.txt", &LINES.replace("one", "o n e"), "ours"));
    twin.theirs(|repo| commit(repo, "a.txt", &LINES.replace("one", "  one  "), "theirs"));
    twin.assert_same();
}

#[test]
fn a_commit_that_becomes_empty_is_dropped_and_one_that_always_was_stays() {
    let twin = Twin::new(|_| {});
    twin.ours(|repo| {
        repo.git(["commit", "--quiet", "--allow-empty", "-m", "empty on purpose"]);
        commit(repo, "a.txt", "1\n2\n", "becomes empty");
    });
    twin.theirs(|repo| {
        commit(repo, "a.txt", "1\n", "half");
        commit(repo, "a.txt", "1\n2\n", "other half");
    });
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn merges_are_linearised_in_git_s_order() {
    let twin = Twin::new(|_| {});
    twin.theirs(|repo| commit(repo, "theirs.md", "1\n", "theirs"));
    twin.ours(|repo| {
        repo.git(["switch", "--quiet", "-c", "side"]);
        commit(repo, "side 1", "1\n", "side 1");
        repo.git(["switch", "--quiet", "main"]);
        commit(repo, "main 1", "1\n", "main 1");
        repo.git(["switch", "--quiet", "side"]);
        commit(repo, "side 2", "1\n", "side 2");
        repo.git(["switch", "--quiet", "main"]);
        commit(repo, "main 2", "1\n", "main 2");
        repo.git(["merge", "--quiet", "--no-edit", "side"]);
        commit(repo, "main 3", "1\n", "main 3");
    });
    assert_eq!(count(&twin.assert_same()), 5);
}

#[test]
fn an_upstream_that_was_merged_before_is_not_replayed() {
    let twin = Twin::new(|_| {});
    twin.theirs(|repo| commit(repo, "theirs 1", "1\n", "theirs 1"));
    twin.ours(|repo| {
        commit(repo, "ours 1", "1\n", "ours 1");
        repo.git(["merge", "--quiet", "--no-edit", "upstream"]);
        commit(repo, "ours 2", "1\n", "ours 2");
    });
    twin.assert_same();
    twin.theirs(|repo| commit(repo, "theirs 2", "1\n", "theirs 2"));
    assert_eq!(count(&twin.assert_same()), 2);
}

#[test]
fn a_file_that_one_side_renamed_gets_the_other_side_s_change() {
    let twin = Twin::new(|repo| repo.write("old.txt", LINES));
    twin.theirs(|repo| {
        repo.rename("old.txt", "new.txt");
        repo.commit_all("renamed");
    });
    twin.ours(|repo| commit(repo, "old.txt", &LINES.replace("nine", "NINE"), "ours"));
    assert_eq!(count(&twin.assert_same()), 1);
}

/// One side puts a file in the place of the folder `d`, in which the other does `what`.
fn replaced_folder(replaced_here: bool, what: impl Fn(&Repo)) -> Twin {
    let twin = Twin::new(|repo| {
        for path in ["d/x", "d/y", "d/sub/z", "e/file"] {
            repo.write(path, LINES.replace("one", path));
        }
    });
    let replace = |repo: &Repo| {
        std::fs::remove_dir_all(repo.join("d")).unwrap();
        commit(repo, "d", "file\n", "a file");
    };
    let act = |repo: &Repo| {
        what(repo);
        repo.commit_all("in the folder");
    };
    if replaced_here {
        twin.theirs(act);
        twin.ours(replace);
    } else {
        twin.theirs(replace);
        twin.ours(act);
    }
    twin
}

#[test]
fn a_file_in_the_place_of_a_folder_from_which_others_only_removed_is_no_conflict() {
    for replaced_here in [true, false] {
        // What only removes has nothing left to do where the folder is gone.
        let commits = usize::from(replaced_here);
        let one = |repo: &Repo| repo.remove("d/x");
        assert_eq!(count(&replaced_folder(replaced_here, one).assert_same()), commits);
        let a_whole_folder = |repo: &Repo| std::fs::remove_dir_all(repo.join("d/sub")).unwrap();
        assert_eq!(count(&replaced_folder(replaced_here, a_whole_folder).assert_same()), commits);
        let all = |repo: &Repo| std::fs::remove_dir_all(repo.join("d")).unwrap();
        assert_eq!(count(&replaced_folder(replaced_here, all).assert_same()), commits);
        let beside = |repo: &Repo| {
            repo.remove("d/x");
            repo.write("new", "new\n");
        };
        assert_eq!(count(&replaced_folder(replaced_here, beside).assert_same()), 1);
    }
}

#[test]
fn a_file_in_the_place_of_a_folder_in_which_others_worked_is_a_conflict() {
    for replaced_here in [true, false] {
        for edit in [
            (|repo: &Repo| {
                repo.remove("d/x");
                repo.append("d/y", "more\n");
            }) as fn(&Repo),
            |repo| repo.rename("d/x", "elsewhere"),
        ] {
            let twin = replaced_folder(replaced_here, edit);
            // Git lists the file by the name under which it has put it beside.
            assert!(matches!(twin.rebase(), Result::Conflict(_)));
            assert!(matches!(twin.git_rebase(), Result::Conflict(_)));
        }
    }
}

#[test]
fn a_file_that_one_side_changed_and_the_other_deleted_is_a_conflict() {
    for deleted_by_us in [true, false] {
        let twin = Twin::new(|repo| repo.write("a.txt", LINES));
        let delete = |repo: &Repo| {
            repo.remove("a.txt");
            repo.commit_all("deleted");
        };
        let change = |repo: &Repo| commit(repo, "a.txt", &LINES.replace("one", "ONE"), "changed");
        twin.theirs(|repo| if deleted_by_us { change(repo) } else { delete(repo) });
        twin.ours(|repo| if deleted_by_us { delete(repo) } else { change(repo) });
        assert_eq!(twin.assert_same(), Result::Conflict(vec!["a.txt".into()]));
    }
}

#[test]
fn both_added_the_same_file_with_other_content() {
    let twin = Twin::new(|_| {});
    twin.theirs(|repo| commit(repo, "new.txt", "theirs\n", "theirs"));
    twin.ours(|repo| commit(repo, "new.txt", "ours\n", "ours"));
    assert_eq!(twin.assert_same(), Result::Conflict(vec!["new.txt".into()]));
}

#[test]
fn union_and_other_merge_attributes_count_also_when_they_arrive_with_the_change() {
    let twin = Twin::new(|repo| repo.write("log.md", "start\n"));
    twin.theirs(|repo| {
        repo.write(".gitattributes", "*.md merge=union\n");
        commit(repo, "log.md", "start\ntheirs\n", "theirs");
    });
    twin.ours(|repo| commit(repo, "log.md", "start\nours\n", "ours"));
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn attributes_that_a_local_commit_brings_count_from_the_next_commit_on() {
    let twin = Twin::new(|repo| repo.write("sub/log.md", "start\n"));
    twin.theirs(|repo| commit(repo, "sub/log.md", "start\ntheirs\n", "theirs"));
    twin.ours(|repo| {
        commit(repo, "sub/.gitattributes", "*.md merge=union\n", "attributes");
        commit(repo, "sub/log.md", "start\nours\n", "ours");
    });
    assert_eq!(count(&twin.assert_same()), 2);
}

#[test]
fn a_merge_driver_of_the_user_s_own_is_used() {
    let twin = Twin::new(|repo| {
        repo.write(".gitattributes", "*.lock merge=newest\n");
        repo.write("a.lock", "1\n");
        repo.git(["config", "merge.newest.driver", "sort -n %A %B | tail -n 1 > %A.new && mv %A.new %A"]);
    });
    twin.theirs(|repo| commit(repo, "a.lock", "3\n", "theirs"));
    twin.ours(|repo| commit(repo, "a.lock", "2\n", "ours"));
    twin.assert_same();
}

#[test]
fn binary_files_are_not_merged_line_by_line() {
    let twin = Twin::new(|repo| repo.write("a.bin", b"a\0b\nc\nd\ne\nf\n"));
    twin.theirs(|repo| {
        repo.write("a.bin", b"A\0b\nc\nd\ne\nf\n");
        repo.commit_all("theirs");
    });
    twin.ours(|repo| {
        repo.write("a.bin", b"a\0b\nc\nd\ne\nF\n");
        repo.commit_all("ours");
    });
    assert_eq!(twin.assert_same(), Result::Conflict(vec!["a.bin".into()]));
}

#[test]
fn modes_and_links_go_along() {
    let twin = Twin::new(|repo| repo.write("tool.sh", "#!/bin/sh\n"));
    twin.theirs(|repo| commit(repo, "tool.sh", "#!/bin/sh\necho\n", "theirs"));
    twin.ours(|repo| {
        repo.set_executable("tool.sh", true);
        std::os::unix::fs::symlink("tool.sh", repo.join("link")).unwrap();
        repo.commit_all("ours");
    });
    assert_eq!(count(&twin.assert_same()), 1);
}

const DIRECTORY_RENAMES: [&str; 3] = ["true", "conflict", "false"];

/// The upstream renames `old/` to `new/`, which has a file `taken` then.
fn renamed_folder(directory_renames: &str) -> Twin {
    let twin = Twin::new(|repo| {
        for name in ["a", "b", "c"] {
            repo.write(&format!("old/{name}.txt"), format!("{name}\n{LINES}"));
        }
        repo.write("elsewhere.txt", format!("elsewhere\n{LINES}"));
    });
    twin.repo.git(["config", "merge.directoryRenames", directory_renames]);
    twin.theirs(|repo| {
        repo.git(["mv", "old", "new"]);
        commit(repo, "new/taken.txt", "taken\n", "renamed");
    });
    twin
}

fn conflict(path: &str) -> Result {
    Result::Conflict(vec![path.into()])
}

#[test]
fn a_folder_that_one_side_renamed_takes_new_files_along_as_the_configuration_has_it() {
    for wish in DIRECTORY_RENAMES {
        let twin = renamed_folder(wish);
        twin.ours(|repo| commit(repo, "old/d.txt", "d\n", "added"));
        assert_eq!(twin.assert_same() == conflict("new/d.txt"), wish == "conflict", "{wish}");
    }
}

#[test]
fn a_new_folder_in_a_renamed_one_goes_along_only_with_a_new_file_beside_it() {
    for wish in DIRECTORY_RENAMES {
        let twin = renamed_folder(wish);
        twin.ours(|repo| commit(repo, "old/deeper/d.txt", "d\n", "added"));
        assert_eq!(count(&twin.assert_same()), 1, "{wish}");
        let twin = renamed_folder(wish);
        twin.ours(|repo| {
            repo.write("old/beside.txt", "beside\n");
            commit(repo, "old/deeper/d.txt", "d\n", "added");
        });
        let both = Result::Conflict(vec!["new/beside.txt".into(), "new/deeper/d.txt".into()]);
        assert_eq!(twin.assert_same() == both, wish == "conflict", "{wish}");
    }
}

#[test]
fn files_that_were_moved_into_a_renamed_folder_go_along_too() {
    for wish in DIRECTORY_RENAMES {
        let twin = renamed_folder(wish);
        twin.theirs(|repo| repo.append("elsewhere.txt", "their line\n"));
        twin.theirs(|repo| drop(repo.commit_all("changed")));
        twin.ours(|repo| {
            repo.rename("elsewhere.txt", "old/elsewhere.txt");
            repo.commit_all("moved");
        });
        let result = twin.assert_same();
        assert_eq!(result == conflict("new/elsewhere.txt"), wish == "conflict", "{wish}");
    }
}

#[test]
fn a_new_file_may_meet_another_where_it_is_moved_to() {
    for wish in DIRECTORY_RENAMES {
        for content in ["taken\n", "another\n"] {
            let twin = renamed_folder(wish);
            twin.ours(|repo| commit(repo, "old/taken.txt", content, "added"));
            let result = twin.assert_same();
            let is_moved = wish == "true" && content == "taken\n";
            assert_eq!(result == conflict("new/taken.txt"), wish != "false" && !is_moved, "{wish}");
        }
    }
}

#[test]
fn a_new_file_is_not_moved_to_where_its_own_side_has_one() {
    for wish in ["true", "conflict"] {
        let twin = renamed_folder(wish);
        twin.ours(|repo| {
            repo.write("new/d.txt", "in the way\n");
            commit(repo, "old/d.txt", "d\n", "added");
        });
        let said = twin.git_complains();
        assert!(said.contains("CONFLICT (implicit dir rename)"), "{said}");
        assert_eq!(twin.rebase(), conflict("new/d.txt"));
    }
    let twin = renamed_folder("false");
    twin.ours(|repo| {
        repo.write("new/d.txt", "in the way\n");
        commit(repo, "old/d.txt", "d\n", "added");
    });
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn two_new_files_are_not_moved_to_one_place() {
    let twin = Twin::new(|repo| {
        for name in ["one", "two"] {
            repo.write(&format!("{name}/{name}.txt"), format!("{name}\n{LINES}"));
        }
    });
    twin.repo.git(["config", "merge.directoryRenames", "true"]);
    twin.theirs(|repo| {
        repo.rename("one/one.txt", "both/one.txt");
        repo.rename("two/two.txt", "both/two.txt");
        repo.commit_all("joined");
    });
    twin.ours(|repo| {
        repo.write("one/new.txt", "1\n");
        commit(repo, "two/new.txt", "2\n", "added");
    });
    let said = twin.git_complains();
    assert!(said.contains("CONFLICT (implicit dir rename)"), "{said}");
    assert_eq!(twin.rebase(), conflict("both/new.txt"));
}

#[test]
fn a_folder_whose_files_went_apart_takes_nothing_along() {
    let twin = Twin::new(|repo| {
        for name in ["one", "two"] {
            repo.write(&format!("old/{name}.txt"), format!("{name}\n{LINES}"));
        }
    });
    twin.repo.git(["config", "merge.directoryRenames", "true"]);
    twin.theirs(|repo| {
        repo.rename("old/one.txt", "new/one.txt");
        repo.rename("old/two.txt", "other/two.txt");
        repo.commit_all("apart");
    });
    twin.ours(|repo| commit(repo, "old/d.txt", "d\n", "added"));
    let said = twin.git_complains();
    assert!(said.contains("CONFLICT (directory rename split)"), "{said}");
    assert_eq!(twin.rebase(), conflict("old/d.txt"));
}

#[test]
fn a_local_rename_takes_the_upstream_s_new_files_along() {
    for wish in DIRECTORY_RENAMES {
        let twin = Twin::new(|repo| {
            for name in ["a", "b", "c"] {
                repo.write(&format!("old/{name}.txt"), format!("{name}\n{LINES}"));
            }
        });
        twin.repo.git(["config", "merge.directoryRenames", wish]);
        twin.theirs(|repo| commit(repo, "old/d.txt", "d\n", "added"));
        twin.ours(|repo| {
            repo.git(["mv", "old", "new"]);
            repo.commit_all("renamed");
            commit(repo, "new/e.txt", "e\n", "more");
        });
        assert_eq!(twin.assert_same() == conflict("new/d.txt"), wish == "conflict", "{wish}");
    }
}

#[test]
fn without_renames_no_folder_was_renamed_either() {
    // Not beside git: some of its versions look for renames whatever these say.
    for key in ["merge.renames", "diff.renames"] {
        let twin = renamed_folder("true");
        twin.repo.git(["config", key, "false"]);
        twin.ours(|repo| commit(repo, "old/d.txt", "d\n", "added"));
        let Result::History(commits) = twin.rebase() else { panic!("a conflict with {key}") };
        let tree = commits[0].split('"').nth(1).unwrap().strip_prefix("tree ").unwrap().to_owned();
        assert!(twin.repo.files(&tree).contains(&"old/d.txt".to_owned()), "{key}");
    }
}

/// Commits a change with this author and message, which are bytes, and this header.
fn commit_bytes(repo: &Repo, path: &str, header: &str, author: &[u8], message: &[u8]) {
    repo.write(path, "1\n");
    repo.git(["add", "-A"]);
    let mut data = format!("tree {}\nparent {}\nauthor ", repo.git(["write-tree"]), repo.head()).into_bytes();
    data.extend_from_slice(author);
    data.extend_from_slice(
        b" <unal@example.com> 1000000000 +0130\ncommitter M <m@example.com> 1000000000 +0000\n",
    );
    data.extend_from_slice(header.as_bytes());
    data.push(b'\n');
    data.extend_from_slice(message);
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

#[test]
fn with_nothing_new_upstream_nothing_changes() {
    let twin = Twin::new(|_| {});
    twin.ours(|repo| commit(repo, "ours", "1\n", "ours"));
    assert_eq!(count(&twin.assert_same()), 1);
}
