//! Cargo does not notice a new folder among the embedded migrations by itself.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=../../migrations");
}
