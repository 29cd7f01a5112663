//! The commands and their arguments.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use clap_complete::Shell;
use grateful_domain::Rate;
use grateful_seed::DatasetSize;

use super::parsers::rate;

/// The commands of the program.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Serve HTTP requests until SIGINT or SIGTERM. A second signal stops the server immediately.
    Serve,
    /// Migrate the database to the schema of this build, and exit.
    Migrate {
        /// Only say which migrations are pending, and what each of them keeps waiting while it runs.
        #[arg(long)]
        pending: bool,
    },
    /// Set a new password for a user, read from standard input, and end all sessions of that user. The same as
    /// `grateful user password`.
    Password {
        /// The user's name.
        username: String,
    },
    /// Manage accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Write the database and all uploads into one archive, while the server runs. A snapshot of the database and every file
    /// that it names.
    Backup {
        /// A new file; a folder (an existing one, or a name that ends with a slash), which a later run updates; or `-` for
        /// standard output.
        #[arg(value_name = "FILE|FOLDER/|-")]
        target: PathBuf,
    },
    /// Check a backup completely, and restore it into an empty database and empty uploads.
    Restore {
        /// The file or folder that `grateful backup` wrote.
        #[arg(value_name = "FILE|FOLDER")]
        archive: PathBuf,
        /// Restore into a temporary PostgreSQL and a temporary directory (below TMPDIR), verify the result, and remove
        /// both. Exit code 1 if anything is missing or differs.
        #[arg(long)]
        rehearse: bool,
    },
    /// Check the settings, the database, the uploads, and the limits of this machine, and print what to do. Exit code 1 if a
    /// check fails.
    Doctor {
        /// Print a JSON array of checks.
        #[arg(long)]
        json: bool,
    },
    /// Compare every cached count with its rows while the server runs, and print the mismatches. Exit code 1 if there are
    /// any.
    Verify {
        /// Set the cached counts that differ to the counted values.
        #[arg(long)]
        repair: bool,
    },
    /// Fill the database with a generated dataset of users and posts, in one transaction. The default size is small. All
    /// generated users share one password, which is printed. With --live, these users then go on posting, hearting and
    /// commenting until the command is stopped.
    Seed(SeedArgs),
    /// Bring over the database and the uploads of the older Grateful, in one transaction, into a database without users.
    /// Every row that is changed or skipped is reported with the reason. Nothing is written to the older database.
    Import(ImportArgs),
    /// Print the OpenAPI document.
    Openapi {
        /// Version of OpenAPI. 3.0 is for generators that do not read 3.1.
        #[arg(long, value_enum, default_value = "3.1")]
        version: OpenapiVersion,
    },
    /// Print completions of this command line for a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, in the form that `man` reads.
    Man,
}

/// What to do with accounts.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum UserCommand {
    /// List accounts by id: the id, the username, the email address and the time of the signup, separated by tabs.
    List {
        /// List accounts after this id.
        #[arg(long, value_name = "ID", default_value_t = 0)]
        after: i64,
        /// Maximum number of accounts, up to 10,000.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        count: i64,
    },
    /// Print an account with its counts and sessions.
    Show {
        /// The user's name.
        username: String,
    },
    /// Set a new password for a user, read from standard input, and end all sessions of that user.
    Password {
        /// The user's name.
        username: String,
    },
    /// Give a user another username. The old one stays reserved for its owner, as after any change.
    Rename {
        /// The user's name.
        username: String,
        /// The new name.
        new_username: String,
    },
    /// Delete an account with all its data, files included. On a terminal, asks for the username first.
    Delete {
        /// The user's name.
        username: String,
        /// Delete without asking.
        #[arg(long)]
        yes: bool,
    },
}

/// Where the older Grateful is.
#[derive(Debug, Clone, Args)]
pub(crate) struct ImportArgs {
    /// Address of the older database, such as `postgresql://user:password@host/name`. In the variable, it does not appear in
    /// lists of processes.
    #[arg(long, value_name = "URL", env = "GRATEFUL_IMPORT_FROM", hide_env_values = true)]
    pub(crate) from: String,

    /// Folder of the older uploads, which has the folders `posts` and `profile_photos`.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "without_uploads")]
    pub(crate) uploads: Option<PathBuf>,

    /// Import without the pictures.
    #[arg(long)]
    pub(crate) without_uploads: bool,

    /// Report what would be changed and skipped, and import nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Write the report to this file, a JSON object per line, instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Time zone of times that the older database stores without one. The older server stored UTC.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) zone: String,
}

/// A version of OpenAPI.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OpenapiVersion {
    #[value(name = "3.1")]
    V3_1,
    #[value(name = "3.0")]
    V3_0,
}

/// Which dataset to generate. The same arguments generate the same dataset, including its ids, in an empty database.
#[derive(Debug, Clone, Args)]
pub(crate) struct SeedArgs {
    /// Number of users, 1 to 1,000,000.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.users)]
    users: usize,

    /// Number of posts, up to 5,000,000.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.posts)]
    posts: usize,

    /// Number of hearts, emoji reactions, shares and comments together, up to 10,000,000.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.engagements)]
    engagements: usize,

    /// Number of follows, follow requests and blocks together, up to 10,000,000 and half of all ordered pairs of users.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.follows)]
    follows: usize,

    /// Maximum number of events that notify a user, up to 10,000,000. The newest events are chosen.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.notifications)]
    notifications: usize,

    /// Seed of the random number generator: selects one of the datasets of this size.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Time of the dataset's latest events, such as 2026-11-23T12:00:00Z [default: the start of the current hour].
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) now: Option<DateTime<Utc>>,

    /// Let the users of the dataset go on posting, hearting, reacting, commenting and following until SIGINT (Ctrl-C) or
    /// SIGTERM. The dataset is loaded first unless its users exist. The same arguments and the same data lead to the same
    /// acts.
    #[arg(long)]
    pub(crate) live: bool,

    /// How often one of the live users acts.
    #[arg(long, value_name = "RATE", default_value = "30/min", value_parser = rate, requires = "live")]
    rate: Rate,

    /// Stop after this number of acts.
    #[arg(long, value_name = "N", requires = "live")]
    pub(crate) acts: Option<usize>,
}

impl SeedArgs {
    /// The requested size, which is not validated yet.
    pub(crate) fn size(&self) -> DatasetSize {
        let Self { users, posts, engagements, follows, notifications, .. } = *self;
        DatasetSize { users, posts, engagements, follows, notifications }
    }

    /// The time between two acts of live users.
    pub(crate) fn interval(&self) -> Duration {
        self.rate.period().to_std().unwrap_or_default() / self.rate.limit()
    }
}

fn parse_time(text: &str) -> Result<DateTime<Utc>, String> {
    let parsed = DateTime::parse_from_rfc3339(text);
    Ok(parsed.map_err(|_| "must be a time such as 2026-11-23T12:00:00Z")?.to_utc())
}
