//! Tests untrusted paths in trees: runs the body of the fuzz target on seeds and random input.

#[path = "../../fuzz/bodies/seeds.rs"]
mod seeds;
#[path = "../../fuzz/bodies/tree_path.rs"]
mod tree_path;

#[test]
fn what_passes_stays_in_the_work_tree_and_out_of_git() {
    seeds::each("tree_path", 5000, tree_path::body);
}
