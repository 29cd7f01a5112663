//! Coming in: the locks of somebody who begins to use a cluster.

use std::fs;
use std::process::Child;
use std::time::Duration;

use crate::account::Account;
use crate::home::Home;
use crate::lock::Lock;
use crate::patience::Patience;
use crate::postmaster::Postmaster;
use crate::site::Site;
use crate::{Error, create, leftovers, server};

/// Others may be creating, recovering or stopping it.
const OTHERS: Duration = Duration::from_secs(150);
const START: Duration = Duration::from_mins(1);

/// The locks of a user who has come in and still holds the door.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) users: Lock,
    /// Nobody else used the cluster at that moment.
    alone: bool,
    _door: Lock,
}

impl Entry {
    pub(crate) fn into(home: &Home, account: &Account) -> Result<Self, Error> {
        let patience = Patience::of(OTHERS);
        loop {
            match Self::attempt(home, account, &patience) {
                Ok(Some(entry)) => return Ok(entry),
                Ok(None) => {}
                // The reaper took the folder away between two steps.
                Err(error) if error.is_absence() => {}
                Err(error) => return Err(error),
            }
            if !patience.pause() {
                return Err(Error::Busy { lock: home.users_lock() });
            }
        }
    }

    /// None when the reaper removed the files while we waited for them.
    fn attempt(home: &Home, account: &Account, patience: &Patience) -> Result<Option<Self>, Error> {
        home.prepare(account)?;
        let door = Lock::open(home.start_lock())?;
        door.exclusive(patience)?;
        let users = Lock::open(home.users_lock())?;
        let alone = users.try_exclusive()?;
        users.shared(patience)?;
        let current = door.is_current() && users.is_current();
        Ok(current.then_some(Self { users, alone, _door: door }))
    }

    /// Creates what is missing and starts what does not run.
    pub(crate) fn start(
        &self,
        site: &mut Site,
        database: Option<&str>,
    ) -> Result<Option<Child>, Error> {
        let patience = Patience::of(START);
        let data = site.home.data();
        if site.is_throwaway() && self.alone && data.exists() && Postmaster::of(&data).is_none() {
            // From before a crash of the machine perhaps, which it was not written to survive.
            leftovers::clear(site, &patience)?;
            fs::remove_dir_all(&data).map_err(Error::io("remove", &data))?;
        }
        if data.exists() {
            site.account.check_owner(&data)?;
        } else {
            create::create(site, database)?;
        }
        let postgres = server::ensure(site, &patience)?;
        // A server that somebody started before the folder was moved has its socket where it was then.
        if let Some(socket) = Postmaster::of(&data).and_then(|server| server.socket) {
            site.socket = socket;
        }
        Ok(postgres)
    }
}
