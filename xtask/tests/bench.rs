//! Tests the benchmarks on tiny repositories: every measurement works, and checks the results of what it measured.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use testkit::{Invocation, World};

fn bench(world: &World) -> Invocation {
    let lockstep = env!("CARGO_BIN_EXE_lockstep");
    let binaries = testkit::binary("lock").parent().unwrap().to_owned();
    // Where the script to compare with is found, and what a release build would be made of.
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let bench = world.program(lockstep).args(["bench", "--quick", "--binaries", binaries.as_str()]);
    bench.in_dir(workspace)
}

#[test]
fn whole_runs_go_into_the_table_and_the_plots() {
    let world = World::new();
    let out = world.path().join("out");
    bench(&world).args(["--out", out.as_str(), "--scenario", "s1,s2,s3,s4,s5,s6,scale"]).success();

    let page = std::fs::read_to_string(out.join("results.md")).unwrap();
    for row in ["| S1 |", "| S2 |", "| S3 |", "| S4 |", "| S5 |", "| S6 |"] {
        assert!(page.contains(row), "{row} is not in\n{page}");
    }
    assert!(!page.contains(world.path().as_str()), "{page}");
    for plot in ["ratios.svg", "scale.svg"] {
        assert!(std::fs::read_to_string(out.join(plot)).unwrap().ends_with("</svg>\n"), "{plot}");
    }
    // Everything was measured in a folder that is gone.
    assert_eq!(std::fs::read_dir(world.temporary()).unwrap().count(), 0);
}

#[test]
fn single_phases_and_starts_go_into_tables_of_their_own() {
    let world = World::new();
    let out = world.path().join("out");
    bench(&world).args(["--out", out.as_str(), "--scenario", "steps,start,merge"]).success();

    let page = std::fs::read_to_string(out.join("results.md")).unwrap();
    let phases = ["| gitsync S4 |", "| notes-sync S5 |", "| notesurface S3 |", "| logcheck S1 |"];
    for row in phases.into_iter().chain(["| gitsync |", "| 200 notes, 2 changed on each side |"]) {
        assert!(page.contains(row), "{row} is not in\n{page}");
    }
    assert!(out.join("memory.svg").is_file());
}

#[test]
fn a_part_that_is_measured_again_takes_its_old_place_in_the_table() {
    let world = World::new();
    let out = world.path().join("out");
    let part = |what: &str| bench(&world).args(["--out", out.as_str(), "--scenario", what]).success();
    part("s1,start");
    part("s1");
    let page = std::fs::read_to_string(out.join("results.md")).unwrap();
    assert_eq!(page.matches("| S1 | nothing to do |").count(), 1, "{page}");
    assert!(page.contains("| cmdcopy |"), "{page}");
}

#[test]
fn a_run_that_does_not_do_the_job_is_no_figure() {
    let world = World::new();
    let idle = world.path().join("idle.sh");
    std::fs::write(&idle, "exit 0\n").unwrap();
    let output = bench(&world).args(["--scenario", "s2", "--baseline", idle.as_str()]).output();
    output.assert_code(1);
    output.assert_says("Theirs did not do the job: one file changed");
}

mod real_servers {
    use super::*;

    #[test]
    fn a_run_with_nothing_to_do_connects_once_and_one_that_pushes_twice() {
        let world = World::new();
        let out = world.path().join("out");
        bench(&world).args(["--out", out.as_str(), "--scenario", "wire"]).success();

        let page = std::fs::read_to_string(out.join("results.md")).unwrap();
        for (name, connections) in
            [("S1 ssh", "| 1 | 1 | met |"), ("S2 ssh", "| 2 | 2 | met |"), ("S1 http", "| 1 | 1 | met |")]
        {
            let row = page.lines().find(|line| line.starts_with(&format!("| {name} |"))).unwrap();
            assert!(row.ends_with(connections), "{row}");
        }
    }
}
