//! Tests untrusted notes: runs the body of the fuzz target on seeds and random input.

#[path = "../../fuzz/bodies/note_records.rs"]
mod note_records;
#[path = "../../fuzz/bodies/seeds.rs"]
mod seeds;

#[test]
fn whatever_a_note_holds_a_merge_keeps_its_promises() {
    seeds::each("note_records", 3000, note_records::body);
}
