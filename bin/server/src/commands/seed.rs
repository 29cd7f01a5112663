//! `grateful seed`: a made-up world, to look around in and to measure.

mod progress;
mod rows;

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use grateful_application::{Clock as _, PasswordHasher, SystemClock};
use grateful_domain::Password;
use grateful_seed::{Dataset, DatasetSize, username_of};
use grateful_storage::{BulkLoad, DatabaseConfig, StorageError};

use self::progress::Progress;
use super::migrate_database;
use crate::config::{SeedArgs, Settings};
use crate::database::Postgres;

/// The password of everybody in a made-up world. It is no secret, and such a world is no place for any.
const PASSWORD: &str = "grateful every day";

pub(super) async fn seed(settings: Settings, args: SeedArgs) -> anyhow::Result<()> {
    let size = args.size();
    size.check()?;
    let now = moment(args.now, SystemClock.now())?;
    let postgres = Postgres::open(&settings)?;
    if settings.migrate {
        migrate_database(&postgres.config).await?;
    }
    let told = fill(&postgres.config, size, args.seed, now).await?;
    postgres.close()?;
    println!("{told}");
    Ok(())
}

/// Whole hours, so that who seeds twice on one afternoon gets the same again.
fn moment(wanted: Option<DateTime<Utc>>, now: DateTime<Utc>) -> anyhow::Result<DateTime<Utc>> {
    let Some(wanted) = wanted else { return Ok(now.duration_trunc(TimeDelta::hours(1))?) };
    ensure!(wanted <= now, "--now must not be in the future");
    ensure!(DateTime::UNIX_EPOCH + TimeDelta::days(3_650) <= wanted, "--now must be after 1979");
    Ok(wanted)
}

/// In one transaction, so that whatever happens in between leaves nothing.
async fn fill(
    database: &DatabaseConfig,
    size: DatasetSize,
    seed: u64,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let mut load = BulkLoad::begin(&database.url).await.context("the database cannot be loaded")?;
    let usernames: Vec<String> = (0..size.users).map(|n| username_of(seed, n).into()).collect();
    if let Some(taken) = load.find_any_of(&usernames).await? {
        bail!(
            "{taken} is there already: this world, or a part of it (another --seed makes others)"
        );
    }
    let password = Password::parse(PASSWORD.to_owned()).context("the password of everybody")?;
    let hash = PasswordHasher::new(1)?.hash(password).await?;
    let people = load.reserve_users(size.users).await?;
    let world =
        tokio::task::spawn_blocking(move || Dataset::generate(size, seed, now, people)).await??;

    match rows::load(&mut load, &world, &hash, &Progress::start()).await {
        Err(StorageError::Taken { constraint }) => {
            bail!("somebody else was made meanwhile ({constraint}); try again")
        }
        loaded => loaded?,
    }
    load.commit().await?;
    Ok(summary(&world))
}

/// What there is now, and how to get in.
fn summary(world: &Dataset) -> String {
    let many = [
        (world.users().len(), "people"),
        (world.posts().len(), "posts"),
        (world.hearts().len(), "hearts"),
        (world.reactions().len(), "emoji"),
        (world.shares().len(), "shares"),
        (world.comments().len(), "comments"),
        (world.follows().len(), "follows"),
        (world.event_count(), "acts that somebody was told of"),
    ];
    let many = many.map(|(many, what)| format!("{many} {what}")).join(", ");
    let somebody = world.users().next().map(|person| person.email);
    let email = somebody.as_ref().map_or("", |email| email.as_str());
    format!(
        "{many}\nEverybody's password is: {PASSWORD}\nSign in as {email}, or as anybody else: \
         POST /api/v1/auth/login {{\"email\":\"{email}\",\"password\":\"{PASSWORD}\"}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_ends_with_the_hour_that_has_begun_or_when_it_is_told_to() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let now = at("2026-11-23T12:34:56.789Z");

        assert_eq!(moment(None, now).unwrap(), at("2026-11-23T12:00:00Z"));
        assert_eq!(
            moment(Some(at("2026-11-23T12:34:00Z")), now).unwrap(),
            at("2026-11-23T12:34:00Z")
        );
        assert!(moment(Some(at("2026-11-23T12:35:00Z")), now).is_err());
        assert!(moment(Some(at("1970-01-01T00:00:00Z")), now).is_err());
    }
}
