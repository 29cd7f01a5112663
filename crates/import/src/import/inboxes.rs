//! Inboxes, one recipient after another: their acts, mentions and older notices come in the order of recipients.

use std::collections::VecDeque;

use grateful_domain::notification::{Act, Cause, EventDetails};
use grateful_storage::LoadedAct;

use super::{Importer, Progress};
use crate::error::ImportError;
use crate::notices::{OldNotice, Reconciled, reconcile};
use crate::report::Change;
use crate::source::{Order, Rows, Table};
use crate::world::World;

/// Rows in memory beside the inbox in progress.
const CHUNK: u32 = 5_000;

/// What is read ahead of the inbox in progress.
struct Ahead {
    acts: VecDeque<LoadedAct>,
    notices: VecDeque<OldNotice>,
    rows: Rows,
    /// The number of mentions that are done.
    mentions: usize,
}

impl Importer<'_> {
    pub(super) async fn bring_inboxes(&mut self) -> Result<(), ImportError> {
        let mut counts = self.start("importing", Table::Notifications);
        self.load.open_acts().await?;
        let rows = self.source.stream::<OldNotice>(Order::Recipient).await?;
        let mut ahead = Ahead { acts: [].into(), notices: [].into(), rows, mentions: 0 };
        let (mut inboxes, mut pending) = (Vec::new(), 0);
        while let Some(recipient) = self.next_recipient(&mut ahead).await? {
            let (mut acts, old) = (vec![], self.take_notices(recipient, &mut ahead).await?);
            while self.has_act_of(recipient, &mut ahead).await? {
                acts.extend(ahead.acts.pop_front());
            }
            acts.extend(take_mentions(recipient, &mut ahead.mentions, &self.world));
            counts.read += old.len() as u64;
            self.observer.progress(Progress::Advanced(old.len() as u64));
            let Reconciled { inbox, suppressed, skipped, made, changes } =
                self.reconciled(recipient, acts, &old);
            counts.skipped += skipped;
            counts.made += made;
            counts.imported += inbox.notifications.len() as u64;
            changes.into_iter().try_for_each(|change| self.observer.change(change))?;
            self.load.suppressed_notifications(suppressed.into_iter()).await?;
            pending += inbox.notifications.len();
            if !inbox.notifications.is_empty() {
                inboxes.push(inbox);
            }
            if CHUNK as usize <= pending {
                self.load.made_inboxes(std::mem::take(&mut inboxes).into_iter()).await?;
                pending = 0;
            }
        }
        self.load.made_inboxes(inboxes.into_iter()).await?;
        self.summary.tables.push((Table::Notifications.name(), counts));
        Ok(())
    }

    fn reconciled(&self, recipient: i64, acts: Vec<LoadedAct>, old: &[OldNotice]) -> Reconciled {
        if self.world.user(recipient).is_some() {
            return reconcile(recipient, acts, old, &self.world);
        }
        let left_out = |notice: &OldNotice| Change {
            table: Table::Notifications.name(),
            id: notice.id.clone(),
            what: "skipped".to_owned(),
            why: "its recipient is not there".to_owned(),
        };
        let none = reconcile(recipient, vec![], &[], &self.world);
        let (skipped, changes) = (old.len() as u64, old.iter().map(left_out).collect());
        Reconciled { skipped, changes, ..none }
    }

    /// The recipient with the smallest id of what is left.
    async fn next_recipient(&mut self, ahead: &mut Ahead) -> Result<Option<i64>, ImportError> {
        self.read_ahead(ahead).await?;
        let act = ahead.acts.front().map(|act| i64::from(act.cause.recipient));
        let notice = ahead.notices.front().map(|notice| notice.user_id);
        let mention = self.world.mentions.get(ahead.mentions).map(|mention| mention.recipient);
        Ok([act, notice, mention].into_iter().flatten().min())
    }

    async fn read_ahead(&mut self, ahead: &mut Ahead) -> Result<(), ImportError> {
        if ahead.acts.is_empty() {
            ahead.acts.extend(self.load.next_acts(CHUNK).await?);
        }
        if ahead.notices.is_empty() {
            ahead.notices.extend(ahead.rows.next::<OldNotice>(CHUNK as usize).await?);
        }
        Ok(())
    }

    async fn has_act_of(&mut self, recipient: i64, ahead: &mut Ahead) -> Result<bool, ImportError> {
        self.read_ahead(ahead).await?;
        Ok(ahead.acts.front().is_some_and(|act| i64::from(act.cause.recipient) == recipient))
    }

    async fn take_notices(
        &mut self,
        recipient: i64,
        ahead: &mut Ahead,
    ) -> Result<Vec<OldNotice>, ImportError> {
        let mut taken = Vec::new();
        loop {
            self.read_ahead(ahead).await?;
            match ahead.notices.front() {
                Some(notice) if notice.user_id == recipient => {
                    taken.extend(ahead.notices.pop_front());
                }
                _ => return Ok(taken),
            }
        }
    }
}

/// The mentions of a recipient, as acts of the authors.
fn take_mentions(recipient: i64, done: &mut usize, world: &World) -> Vec<LoadedAct> {
    let mut acts = Vec::new();
    while let Some(mention) = world.mentions.get(*done).filter(|it| it.recipient == recipient) {
        *done += 1;
        let Some(post) = world.posts.get(&mention.post) else { continue };
        let act = Act::Mention { post: mention.post.into(), comment: None };
        let cause = Cause { recipient: recipient.into(), actor: post.author.into(), act };
        acts.push(LoadedAct { cause, at: post.created_at, details: EventDetails::default() });
    }
    acts
}
