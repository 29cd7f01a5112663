//! Thank-you cards: the table of the shop.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{Act, Cause, Event, EventDetails};
use grateful_domain::{PostId, UserId};
use grateful_storage::{Connection, NewHeart, Participants, Repositories};
use serde::Deserialize;
use uuid::Uuid;

use crate::sign_in::SignedIn;
use crate::{Error, Result, Shop};

/// In an application, this is a migration of its own. Cards are deleted with their user or post.
pub const CREATE: &str = "CREATE TABLE IF NOT EXISTS shop_cards (
    id uuid PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    post_id uuid NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    words text NOT NULL CONSTRAINT shop_cards_words_check CHECK (length(words) BETWEEN 1 AND 40)
)";

diesel::table! {
    shop_cards (id) {
        id -> Uuid,
        user_id -> BigInt,
        post_id -> Uuid,
        words -> Text,
    }
}

#[derive(Deserialize)]
pub(crate) struct NewCard {
    words: String,
}

/// Sends a card with a heart, and notifies the author: all of it, or nothing. A user who has given a heart before sends a card
/// without another one.
pub(crate) async fn send(
    State(shop): State<Shop>,
    SignedIn(user): SignedIn,
    Path(post): Path<Uuid>,
    Json(card): Json<NewCard>,
) -> Result<StatusCode> {
    let (post, now) = (PostId::from(post), (shop.clock)());
    if !(1..=40).contains(&card.words.chars().count()) || card.words.contains('\0') {
        return Err(Error::InvalidCard);
    }
    shop.db.transaction(async |tx| send_in(tx, user, post, &card.words, now).await).await?;
    Ok(StatusCode::CREATED)
}

/// Takes locks in the order of all services on these tables: users by id, then posts, then the rows of the shop, then inboxes.
async fn send_in(
    tx: &mut Connection,
    user: UserId,
    post: PostId,
    words: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    // From here on, no block between the two can begin, and neither account ends.
    let participants =
        Participants { users: &[user], authors_of_posts: &[post], ..Participants::default() };
    tx.users().lock_participants(participants).await?;
    // For this user, a private post and one across a block do not exist.
    let visible = tx.posts().find_visible(&[(user, post)]).await?;
    let author = *visible.get(&(user, post)).ok_or(Error::NotFound)?;
    let heart = NewHeart { id: Uuid::now_v7().into(), user, post, at: now };
    let is_new = !tx.hearts().add(&[heart]).await?.is_empty();
    diesel::insert_into(shop_cards::table)
        .values((
            shop_cards::id.eq(Uuid::now_v7()),
            shop_cards::user_id.eq(i64::from(user)),
            shop_cards::post_id.eq(Uuid::from(post)),
            shop_cards::words.eq(words),
        ))
        .execute(tx)
        .await?;
    if is_new && author != user {
        let event = Event {
            cause: Cause { recipient: author, actor: user, act: Act::Heart { post } },
            details: EventDetails::default(),
            at: now,
            id: Uuid::now_v7().into(),
            batch_id: Uuid::now_v7().into(),
        };
        tx.notifications().record(&[event]).await?;
    }
    Ok(())
}
