//! The golden files of `tests/sql` are what a person pastes into `psql`.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use diesel_async::SimpleAsyncConnection as _;
use grateful_test_database::TestDatabase;

#[tokio::test]
async fn postgresql_runs_every_golden_file() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");

    for folder in files_in(&folder) {
        for file in files_in(&folder) {
            let script = fs::read_to_string(&file).unwrap();
            let result = conn.batch_execute(&script).await;
            assert_eq!(result, Ok(()), "{}", file.display());
        }
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
