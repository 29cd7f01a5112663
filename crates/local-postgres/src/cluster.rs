//! A running PostgreSQL, as its users hold it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::account::Account;
use crate::entry::Entry;
use crate::home::Home;
use crate::keeper::{Keeper, Started};
use crate::lock::Lock;
use crate::patience::Patience;
use crate::programs::Search;
use crate::site::Site;
use crate::{Error, Programs, children, reaper, url};

const STOP: Duration = Duration::from_secs(75);

/// A running PostgreSQL that belongs to this project alone.
///
/// Dropping it leaves; the last one to leave stops the server.
#[derive(Debug)]
pub struct Cluster {
    site: Arc<Site>,
    /// Before the lock: fields are dropped in order, and a keeper must not start what nobody holds.
    keeper: Keeper,
    users: Lock,
}

impl Cluster {
    /// Opens the durable cluster kept in `folder` (for example `.data`).
    ///
    /// It is created, with `database` in it, when there is none; started when it does not run; joined when it does.
    pub fn open(folder: &Path, database: &str) -> Result<Self, Error> {
        let account = Account::choose()?;
        let home = Home::durable(folder, &account)?;
        Self::enter(home, account, None, Some(database))
    }

    /// [`open`](Self::open), with programs of the caller's choice.
    pub fn open_with(programs: Programs, folder: &Path, database: &str) -> Result<Self, Error> {
        let account = Account::choose()?;
        let home = Home::durable(folder, &account)?;
        Self::enter(home, account, Some(programs), Some(database))
    }

    /// The throw-away cluster that all test processes of this user and checkout share.
    ///
    /// Nothing in it is written safely, it lives in memory when there is room, and it is gone when the last process
    /// that uses it is gone, however that went. `name` keeps projects and checkouts apart.
    pub fn throwaway(name: &str) -> Result<Self, Error> {
        let account = Account::choose()?;
        Self::enter(Home::throwaway(name, &account), account, None, None)
    }

    /// [`throwaway`](Self::throwaway), with programs of the caller's choice.
    pub fn throwaway_with(programs: Programs, name: &str) -> Result<Self, Error> {
        let account = Account::choose()?;
        Self::enter(Home::throwaway(name, &account), account, Some(programs), None)
    }

    /// Where `database` is found, in the form that libpq and tokio-postgres both understand.
    ///
    /// A throw-away cluster begins with the database `postgres`.
    pub fn url(&self, database: &str) -> String {
        url::url(&self.site.socket, database)
    }

    /// Where `psql` and `pgbench` live, if they exist.
    pub fn programs(&self) -> &Programs {
        &self.site.programs
    }

    /// A folder that belongs to the cluster's life, for callers' own lock files; a throw-away cluster takes it along.
    pub fn folder(&self) -> &Path {
        &self.site.home.path
    }

    /// Leaves, and waits until PostgreSQL has stopped if nobody else uses it.
    pub fn close(self) -> Result<(), Error> {
        let Self { site, keeper, users } = self;
        // Opened while they are sure to be there: a throw-away cluster takes them along.
        let reaper = Lock::open(site.home.reaper_lock())?;
        let others = Lock::open(site.home.users_lock())?;
        drop(keeper);
        drop(users);
        let patience = Patience::of(STOP);
        while is_being_reaped(&reaper, &others)? {
            // A server that we started stays a zombie until we wait for it.
            children::bury();
            if !patience.pause() {
                return Err(Error::Busy { lock: site.home.reaper_lock() });
            }
        }
        children::bury();
        Ok(())
    }

    fn enter(
        home: Home,
        account: Account,
        programs: Option<Programs>,
        database: Option<&str>,
    ) -> Result<Self, Error> {
        children::bury();
        let entry = Entry::into(&home, &account)?;
        // First of all, so that nothing stays behind of what is begun here.
        let mut started = Started { postgres: None, reaper: reaper::ensure(&home, &account)? };
        let programs = match programs {
            Some(chosen) => chosen.for_data(&home)?,
            None => Search::of_this_machine().find(&home, &account)?,
        };
        let socket = home.socket(&account);
        let mut site = Site { home, account, programs, socket };
        started.postgres = entry.start(&mut site, database)?;

        let site = Arc::new(site);
        let keeper = Keeper::watch(&site, started)?;
        Ok(Self { site, keeper, users: entry.users })
    }
}

/// Whether the reaper still has to do with a cluster that we have left.
fn is_being_reaped(reaper: &Lock, users: &Lock) -> Result<bool, Error> {
    if reaper.is_shareable()? {
        return Ok(false);
    }
    // Taken by nobody: the reaper is about to. Not even to be shared: the reaper has it. Else there are others.
    Ok(users.is_free()? || !users.is_shareable()?)
}
