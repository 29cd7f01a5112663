//! The `background_jobs` table: work that a committed change still requires.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text};
use diesel_async::RunQueryDsl;
use grateful_domain::{CommentId, JobId, PostId, UserId, closed_enum};
use uuid::Uuid;

use crate::query::statement;
use crate::schema::background_jobs;
use crate::{Connection, Result, StorageError};

/// The repository of background jobs.
pub struct BackgroundJobs<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

/// The ids of transactions that may not have seen a change. See [`BackgroundJobs::barrier`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barrier(Vec<String>);

/// Work that is done in small transactions after the change that requires it is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Delete an account that is marked as deleted, with everything below it.
    DeleteAccount(UserId),
    /// Delete a post that is marked as deleted, with everything below it.
    DeletePost(PostId),
    /// Delete a comment that is marked as deleted, with its replies.
    DeleteComment(CommentId),
    /// Withdraw the notifications that two users have about each other, because one blocked the other.
    WithdrawBetween {
        /// The blocking user.
        user: UserId,
        /// The blocked user.
        other: UserId,
    },
    /// Withdraw the notifications about a post that became private.
    WithdrawHiddenPost(PostId),
    /// Mark notifications as read that existed at the time of the request.
    MarkAllRead {
        /// The owner of the inbox.
        user: UserId,
        /// The time of the request.
        requested_at: DateTime<Utc>,
        /// The number of the last change of the inbox at that time.
        max_seq: i64,
    },
}

impl BackgroundJobs<'_> {
    /// Inserts a job. Run this in the transaction of the change that requires it.
    pub async fn insert(&mut self, id: JobId, job: Job, now: DateTime<Utc>) -> Result<()> {
        diesel::insert_into(background_jobs::table)
            .values(JobRow::new(id, job, now))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Locks a job until the transaction ends. Returns `None` if the job is done, or is being worked on elsewhere.
    pub async fn lock(&mut self, id: JobId) -> Result<Option<Job>> {
        let row: Option<JobRow> = background_jobs::table
            .find(Uuid::from(id))
            .select(JobRow::as_select())
            .for_update()
            .skip_locked()
            .first(self.conn)
            .await
            .optional()?;
        row.map(Job::try_from).transpose()
    }

    /// The transactions in progress in this database. Those that began to write before a change that is committed by now may
    /// not have seen it. A popular user always has interactions in progress, so blocks and deleted accounts do not wait for
    /// them. Their jobs wait until [`BackgroundJobs::is_past`] instead, and then see all that these left.
    pub async fn barrier(&mut self) -> Result<Barrier> {
        Ok(Barrier(RunningTransactions { among: None }.load(self.conn).await?))
    }

    /// Whether all transactions of the barrier have ended. Runs no statement if there were none.
    pub async fn is_past(&mut self, barrier: &Barrier) -> Result<bool> {
        if barrier.0.is_empty() {
            return Ok(true);
        }
        let among = Some(barrier.0.clone());
        let running: Vec<String> = RunningTransactions { among }.load(self.conn).await?;
        Ok(running.is_empty())
    }

    /// Deletes a job that is done.
    pub async fn delete(&mut self, id: JobId) -> Result<()> {
        diesel::delete(background_jobs::table.find(Uuid::from(id))).execute(self.conn).await?;
        Ok(())
    }

    /// Deletes all jobs about a user except `kept`. Waits for jobs in progress.
    pub async fn delete_others_about(&mut self, user: UserId, kept: JobId) -> Result<()> {
        let user = i64::from(user);
        let about_user =
            background_jobs::user_id.eq(user).or(background_jobs::other_user_id.eq(user));
        let jobs = background_jobs::table
            .filter(about_user)
            .filter(background_jobs::id.ne(Uuid::from(kept)))
            .order(background_jobs::id)
            .select(background_jobs::id)
            .for_update()
            .load::<Uuid>(self.conn)
            .await?;
        diesel::delete(background_jobs::table.filter(background_jobs::id.eq_any(jobs)))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Lists up to `limit` jobs, oldest first.
    pub async fn list(&mut self, limit: i64) -> Result<Vec<JobId>> {
        let ids: Vec<Uuid> = background_jobs::table
            .select(background_jobs::id)
            .order(background_jobs::id)
            .limit(limit)
            .load(self.conn)
            .await?;
        Ok(ids.into_iter().map(JobId::from).collect())
    }
}

statement! {
    /// The transactions in progress in this database that have written, or those `among` these. Each holds a lock on its own
    /// id until it ends.
    RunningTransactions { among: Option<Vec<String>> as Nullable<Array<Text>> } -> Text,
    "SELECT transactionid::text FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND datname = current_database()
        AND (:among IS NULL OR transactionid::text = ANY (:among))"
}

/// A row of `background_jobs`.
#[derive(Default, Insertable, Queryable, Selectable)]
#[diesel(table_name = background_jobs)]
struct JobRow {
    id: Uuid,
    kind: String,
    user_id: Option<i64>,
    other_user_id: Option<i64>,
    post_id: Option<Uuid>,
    comment_id: Option<Uuid>,
    max_seq: Option<i64>,
    requested_at: DateTime<Utc>,
}

closed_enum! {
    /// The kind of a job, without what it is about.
    enum JobKind {
        DeleteAccount = "delete_account",
        DeletePost = "delete_post",
        DeleteComment = "delete_comment",
        WithdrawBetween = "withdraw_between",
        WithdrawHiddenPost = "withdraw_hidden_post",
        MarkAllRead = "mark_all_read",
    }
}

impl JobRow {
    fn new(id: JobId, job: Job, now: DateTime<Utc>) -> Self {
        let row = |kind: JobKind| Self {
            id: id.into(),
            kind: kind.code().to_owned(),
            requested_at: now,
            ..Self::default()
        };
        match job {
            Job::DeleteAccount(user) => {
                Self { user_id: Some(user.into()), ..row(JobKind::DeleteAccount) }
            }
            Job::DeletePost(post) => {
                Self { post_id: Some(post.into()), ..row(JobKind::DeletePost) }
            }
            Job::DeleteComment(comment) => {
                Self { comment_id: Some(comment.into()), ..row(JobKind::DeleteComment) }
            }
            Job::WithdrawBetween { user, other } => Self {
                user_id: Some(user.into()),
                other_user_id: Some(other.into()),
                ..row(JobKind::WithdrawBetween)
            },
            Job::WithdrawHiddenPost(post) => {
                Self { post_id: Some(post.into()), ..row(JobKind::WithdrawHiddenPost) }
            }
            Job::MarkAllRead { user, requested_at, max_seq } => Self {
                user_id: Some(user.into()),
                max_seq: Some(max_seq),
                requested_at,
                ..row(JobKind::MarkAllRead)
            },
        }
    }
}

impl JobRow {
    /// The job of this kind. `None` if a column that it needs is null.
    fn job(&self, kind: JobKind) -> Option<Job> {
        let (user, post) = (self.user_id.map(UserId::from), self.post_id.map(PostId::from));
        Some(match kind {
            JobKind::DeleteAccount => Job::DeleteAccount(user?),
            JobKind::DeletePost => Job::DeletePost(post?),
            JobKind::DeleteComment => Job::DeleteComment(self.comment_id?.into()),
            JobKind::WithdrawBetween => {
                Job::WithdrawBetween { user: user?, other: self.other_user_id?.into() }
            }
            JobKind::WithdrawHiddenPost => Job::WithdrawHiddenPost(post?),
            JobKind::MarkAllRead => {
                let (requested_at, max_seq) = (self.requested_at, self.max_seq?);
                Job::MarkAllRead { user: user?, requested_at, max_seq }
            }
        })
    }
}

impl TryFrom<JobRow> for Job {
    type Error = StorageError;

    fn try_from(row: JobRow) -> Result<Self> {
        let job = JobKind::from_code(&row.kind).ok().and_then(|kind| row.job(kind));
        job.ok_or(StorageError::Corrupt { column: "background_jobs.kind" })
    }
}
