//! Tests directories that one side renamed, or replaced by a file, and the other changed, against git's merges.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod twin;

use testkit::Repo;
use twin::{LINES, Result, Twin, commit, count};

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
fn a_folder_that_one_of_its_own_files_replaced_does_not_swallow_what_the_other_side_put_into_it() {
    let replaces: [fn(&Repo); 2] = [
        |repo| {
            repo.rename("d/sub/z", "z");
            std::fs::remove_dir_all(repo.join("d")).unwrap();
            repo.rename("z", "d");
        },
        |repo| {
            std::fs::remove_dir_all(repo.join("d")).unwrap();
            repo.write("d", "file\n");
        },
    ];
    let adds: [fn(&Repo); 3] = [
        |repo| repo.rename("a", "d/c"),
        |repo| {
            repo.remove("a");
            repo.write("d/c", "new\n");
        },
        |repo| repo.write("d/sub/deep/c", "new\n"),
    ];
    for replace in replaces {
        for add in adds {
            for replaced_here in [true, false] {
                let twin = Twin::new(|repo| {
                    for path in ["a", "b", "d/x", "d/y", "d/sub/y", "d/sub/z"] {
                        repo.write(path, LINES.replace("one", path));
                    }
                });
                let (ours, theirs) = if replaced_here { (replace, add) } else { (add, replace) };
                let act = |what: fn(&Repo)| {
                    move |repo: &Repo| {
                        what(repo);
                        repo.commit_all("changed");
                    }
                };
                twin.theirs(act(theirs));
                twin.ours(act(ours));
                assert_eq!(twin.rebase(), conflict("d"));
                let Result::Conflict(gits) = twin.git_rebase() else { panic!("git rebased it") };
                // Where git has put the file beside the folder.
                assert!(gits.iter().all(|path| path.starts_with("d~")), "{gits:?}");
            }
        }
    }
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
fn a_folder_that_still_has_files_of_its_own_was_not_renamed_though_all_old_ones_are_gone() {
    for wish in ["true", "false", "conflict"] {
        let twin = Twin::new(|repo| {
            repo.write("dir/file", "moved\n");
            repo.write("dir/sub/.gitkeep", "");
        });
        twin.repo.git(["config", "merge.directoryRenames", wish]);
        twin.theirs(|repo| {
            repo.rename("dir/sub/.gitkeep", "dir/other/.gitkeep");
            repo.write("dir/new/file", "new\n");
            repo.commit_all("theirs");
        });
        twin.ours(|repo| {
            repo.rename("dir/file", "elsewhere/file");
            repo.remove("dir/sub/.gitkeep");
            repo.write("dir/sub/note", "in its place\n");
            repo.commit_all("ours");
        });
        assert_eq!(count(&twin.assert_same()), 1, "{wish}");
    }
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

#[test]
fn a_large_folder_whose_files_were_renamed_and_changed_takes_a_new_file_along() {
    let twin = Twin::new(|repo| {
        repo.git(["config", "merge.directoryRenames", "true"]);
        repo.git(["config", "merge.renameLimit", "5"]);
        for number in 0..20 {
            repo.write(&format!("old/{number}"), format!("{number}\n{LINES}"));
        }
    });
    twin.theirs(|repo| {
        for number in 0..20 {
            repo.rename(&format!("old/{number}"), &format!("new/{number}"));
            repo.append(&format!("new/{number}"), "theirs\n");
        }
        repo.commit_all("renamed");
    });
    twin.ours(|repo| {
        repo.write("old/added", "ours\n");
        repo.commit_all("added");
    });
    assert!(matches!(twin.assert_same(), Result::History(_)));
}
