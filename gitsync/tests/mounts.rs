//! Folders that are mounted into a work tree take part in it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

use testkit::World;

#[test]
fn a_part_of_the_same_file_system_that_is_mounted_below_is_updated() {
    let (world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    for (path, content) in [("mounted/changes", "1\n"), ("mounted/goes", "1\n")] {
        howard.write(path, content);
    }
    howard.commit_all("the folder");
    howard.git(["push", "--quiet"]);
    mike.git(["pull", "--quiet"]);
    howard.write("mounted/changes", "2\n");
    howard.write("mounted/deep/comes", "1\n");
    howard.remove("mounted/goes");
    howard.commit_all("the update");
    howard.git(["push", "--quiet"]);
    let elsewhere = world.path().join("elsewhere");
    std::fs::rename(mike.join("mounted"), &elsewhere).unwrap();
    std::fs::create_dir(mike.join("mounted")).unwrap();

    let mounting = [
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        r#"mount --bind "$1" "$2" || exit 99; shift 2; exec "$@""#,
    ];
    let mounted = |program: &[&str]| {
        let places = ["sh", elsewhere.as_str(), "mounted"];
        mike.program("unshare").args(mounting).args(places).args(program).output()
    };
    if mounted(&["true"]).code != 0 {
        // Not everybody may mount anything, even for themselves.
        return;
    }
    let output = mounted(&[env!("CARGO_BIN_EXE_gitsync"), "--fresh", "--json"]);
    output.assert_code(0);
    assert_eq!(std::fs::read_to_string(elsewhere.join("changes")).unwrap(), "2\n");
    assert_eq!(std::fs::read_to_string(elsewhere.join("deep/comes")).unwrap(), "1\n");
    let mut names: Vec<_> =
        elsewhere.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["changes", "deep"]);
}
