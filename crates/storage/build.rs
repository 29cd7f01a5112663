//! Rebuilds the crate when a migration is added, because `embed_migrations!` does not notice new folders.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=../../migrations");
}
