//! Rebuilds the crate when a migration is added, because `embed_migrations!` does not notice new folders, and lists the statements
//! of all migrations by their names.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets the folder of the package");
    let target = env::var_os("OUT_DIR").expect("Cargo sets a folder for what is generated");
    // A link to the folder at the top of the repository. In a package, it is the folder itself.
    let migrations = Path::new(&manifest).join("migrations");
    let folder = migrations.canonicalize().expect("the migrations are there");
    println!("cargo::rerun-if-changed={}", folder.display());
    let list = list(&migrations);
    fs::write(Path::new(&target).join("migrations.rs"), list).expect("the folder can be written");
}

/// An array of names and statements, as an expression.
fn list(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("the migrations can be read").flatten();
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join("up.sql").exists()).collect();
    folders.sort();
    let item = |folder: &PathBuf| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        format!("({name:?}, include_str!({:?})),\n", folder.join("up.sql").display().to_string())
    };
    format!("&[{}]", folders.iter().map(item).collect::<String>())
}
