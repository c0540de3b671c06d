//! Rebuilds the crate when a catalogue file changes, which `include_dir` alone can't see.

fn main() {
    println!("cargo:rerun-if-changed=.");
}
