//! `grateful seed`: loads a generated dataset, for demonstration and benchmarks.

mod live;
mod progress;
mod rows;

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use grateful_application::{Clock as _, PasswordHasher, SystemClock};
use grateful_domain::Password;
use grateful_seed::{Dataset, DatasetSize, username_of};
use grateful_storage::{BulkLoad, DatabaseConfig, StorageError};

use self::progress::Progress;
use super::{Apps, open_migrated};
use crate::config::{SeedArgs, Settings};

/// The password of all generated users. It is public, so generated datasets are not for production.
const PASSWORD: &str = "grateful every day";

pub(super) async fn seed(settings: Settings, args: SeedArgs) -> anyhow::Result<()> {
    let size = args.size();
    // Live users need no dataset of this size if they exist.
    if !args.live {
        size.check()?;
    }
    let now = dataset_time(args.now, SystemClock.now())?;
    let postgres = open_migrated(&settings).await?;
    if args.live {
        let app = Apps::new(&settings, postgres.config.clone())?.jobs;
        if live::find_users(&app, &args).await?.is_empty() {
            size.check()?;
            println!("{}", load(&postgres.config, size, args.seed, now).await?);
        }
        live::run(&app, &args).await?;
    } else {
        println!("{}", load(&postgres.config, size, args.seed, now).await?);
    }
    postgres.close()
}

/// The requested time. By default the start of the current hour, so that runs within the same hour generate the same
/// dataset.
fn dataset_time(
    requested: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> anyhow::Result<DateTime<Utc>> {
    let Some(requested) = requested else { return Ok(now.duration_trunc(TimeDelta::hours(1))?) };
    ensure!(requested <= now, "--now must not be in the future");
    ensure!(DateTime::UNIX_EPOCH + TimeDelta::days(3_650) <= requested, "--now must be after 1979");
    Ok(requested)
}

/// Generates and loads the dataset in one transaction, so that a failure leaves nothing.
async fn load(
    database: &DatabaseConfig,
    size: DatasetSize,
    seed: u64,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let mut bulk_load =
        BulkLoad::begin(&database.url).await.context("the database cannot be loaded")?;
    let usernames: Vec<String> = (0..size.users).map(|n| username_of(seed, n).into()).collect();
    if let Some(username) = bulk_load.find_taken_username(&usernames).await? {
        bail!(
            "user {username} exists already: this dataset or a part of it has been loaded (use another --seed)"
        );
    }
    let password = Password::parse(PASSWORD).context("the password of all users")?;
    let hash = PasswordHasher::new(1).hash(password).await?;
    let user_ids = bulk_load.reserve_user_ids(size.users).await?;
    let generate = move || Dataset::generate(size, seed, now, user_ids);
    let dataset = tokio::task::spawn_blocking(generate).await??;

    match rows::load(&mut bulk_load, &dataset, &hash, &Progress::start()).await {
        Err(StorageError::UniqueViolation { constraint }) => {
            bail!("another user was created at the same time ({constraint}); try again")
        }
        result => result?,
    }
    bulk_load.commit().await?;
    Ok(summary(&dataset))
}

/// What was loaded, and how to sign in.
fn summary(dataset: &Dataset) -> String {
    let counts = [
        (dataset.users().len(), "users"),
        (dataset.posts().len(), "posts"),
        (dataset.hearts().len(), "hearts"),
        (dataset.reactions().len(), "emoji reactions"),
        (dataset.shares().len(), "shares"),
        (dataset.comments().len(), "comments"),
        (dataset.follows().len(), "follows"),
        (dataset.event_count(), "notification events"),
    ];
    let counts = counts.map(|(count, label)| format!("{count} {label}")).join(", ");
    let email = dataset.users().next().map(|user| user.email);
    let email = email.as_ref().map_or("", |email| email.as_str());
    format!(
        "{counts}\nPassword of all users: {PASSWORD}\nTo sign in as {email}, or as any other user: \
         POST /api/v1/auth/login {{\"email\":\"{email}\",\"password\":\"{PASSWORD}\"}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dataset_ends_at_the_current_hour_or_at_the_requested_time() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let now = at("2026-11-23T12:34:56.789Z");

        assert_eq!(dataset_time(None, now).unwrap(), at("2026-11-23T12:00:00Z"));
        assert_eq!(
            dataset_time(Some(at("2026-11-23T12:34:00Z")), now).unwrap(),
            at("2026-11-23T12:34:00Z")
        );
        assert!(dataset_time(Some(at("2026-11-23T12:35:00Z")), now).is_err());
        assert!(dataset_time(Some(at("1970-01-01T00:00:00Z")), now).is_err());
    }
}
