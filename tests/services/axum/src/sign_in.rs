//! Signing in with the accounts and the sessions of Grateful.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chrono::TimeDelta;
use grateful_domain::{Session, UserId};
use grateful_passwords::{PasswordVerification, verify};
use grateful_storage::{AccessToken, Repositories};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Error, Result, Shop};

/// How long a session lasts.
const LIFETIME: TimeDelta = TimeDelta::days(7);

/// The user of the token in `Authorization: Bearer <token>`.
pub(crate) struct SignedIn(pub(crate) UserId);

impl FromRequestParts<Shop> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Result<Self> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) =
            header.and_then(|it| it.split_once(' ')).ok_or(Error::Unauthorized)?;
        // Text that cannot be a token needs no look-up.
        let token = AccessToken::parse(token.trim()).ok_or(Error::Unauthorized)?;
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Err(Error::Unauthorized);
        }
        let (hash, now) = (token.hash(), (shop.clock)());
        let session = shop.db.read(async |mut conn| conn.sessions().find_active(hash, now).await);
        Ok(Self(session.await?.ok_or(Error::Unauthorized)?.user))
    }
}

#[derive(Deserialize)]
pub(crate) struct SignIn {
    email: String,
    password: String,
}

/// Checks a password, and starts a session. Takes as long if there is no such account.
pub(crate) async fn sign_in(
    State(shop): State<Shop>,
    Json(body): Json<SignIn>,
) -> Result<Json<Value>> {
    let email = body.email.trim().replace('\0', "");
    let found = shop.db.acquire().await?.users().find_credentials_by_email(&email).await?;
    let stored = found.as_ref().map(|found| found.password.clone());
    let permit = shop.hashing.acquire().await.map_err(|closed| Error::Internal(closed.into()))?;
    let checked = tokio::task::spawn_blocking(move || verify(&body.password, stored.as_ref()));
    let checked = checked.await.map_err(|panic| Error::Internal(panic.into()))?;
    drop(permit);
    let found = found.filter(|_| checked != PasswordVerification::Failed);
    let found = found.ok_or(Error::Unauthorized)?;

    let token = AccessToken::generate().map_err(|error| Error::Internal(error.into()))?;
    let id = Uuid::now_v7().into();
    let session = Session::new(id, found.user, Some("shop"), (shop.clock)(), LIFETIME);
    shop.db
        .transaction(async |tx| {
            // A change of the password has ended all sessions. This one must not survive it either.
            if !tx.users().lock_if_password_matches(found.user, &found.password).await? {
                return Err(Error::Unauthorized);
            }
            Ok(tx.sessions().insert(&session, token.hash()).await?)
        })
        .await?;
    Ok(Json(json!({ "token": token.as_str() })))
}
