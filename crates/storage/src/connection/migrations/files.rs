//! The migrations, embedded in the binary.

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::error::{Result, StorageError};

/// All migrations, embedded in the binary. [`migrate`](crate::migrate) runs them; this constant is for tests that revert
/// migrations with a harness of Diesel, which keeps its own list of applied ones.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// The statements of each migration, by its name.
const UP: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// A migration of this build.
pub(super) struct MigrationFile {
    /// The name of its folder.
    pub(super) name: String,
    /// The digits that the name begins with.
    pub(super) version: String,
    /// Its statements.
    pub(super) up: &'static str,
    pub(super) in_transaction: bool,
}

/// All migrations in the order in which they run.
pub(super) fn embedded_migrations() -> Result<Vec<MigrationFile>> {
    let migrations: Vec<Box<dyn Migration<Pg>>> =
        MIGRATIONS.migrations().map_err(StorageError::Query)?;
    let file = |migration: Box<dyn Migration<Pg>>| {
        let name = migration.name().to_string();
        MigrationFile {
            version: migration.name().version().to_string(),
            up: UP.iter().find(|(known, _)| *known == name).map_or("", |(_, up)| *up),
            in_transaction: migration.metadata().run_in_transaction(),
            name,
        }
    };
    let mut files: Vec<MigrationFile> = migrations.into_iter().map(file).collect();
    files.sort_unstable_by(|one, other| one.version.cmp(&other.version));
    Ok(files)
}

/// The versions of all migrations.
pub(super) fn embedded_versions() -> Result<Vec<String>> {
    Ok(embedded_migrations()?.into_iter().map(|file| file.version).collect())
}
