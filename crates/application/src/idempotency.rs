//! Idempotency: a request with an idempotency key has one effect, however often a client sends it.

use grateful_domain::UserId;
use grateful_storage::{Claim, ClaimOutcome, Connection, Repositories};
use thiserror::Error;

use crate::{App, Error, Resource, Result, new_id};

/// The key that a client gives a request that it may send again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// Why a key is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to {} visible ASCII characters", IdempotencyKey::MAX_CHARS)]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 64;

    /// Parses a key that a client sent (docs/http-api.md#idempotency).
    pub fn parse(raw: &str) -> Result<Self, IdempotencyKeyError> {
        let has_valid_length = (1..=Self::MAX_CHARS).contains(&raw.len());
        if has_valid_length && raw.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(IdempotencyKeyError)
        }
    }
}

/// Identifies a request that a client may send again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The key that the client chose.
    pub key: IdempotencyKey,
    /// The SHA-256 hash of everything that determines the effect of the request.
    pub fingerprint: [u8; 32],
}

/// The response to an idempotent request, as the caller serialized it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedResponse {
    /// The request was executed now.
    New(Vec<u8>),
    /// The request had been executed before. This is the response from then.
    Replayed(Vec<u8>),
}

/// Runs `act` in a transaction that starts with `opening` (see
/// [`transaction_after`](grateful_storage::Database::transaction_after)), once per idempotent request of `user`.
///
/// The claim is committed before the act, and the response together with it. After a crash at any point, the act has
/// therefore happened once or not at all, and the next attempt knows which. A failed act leaves no trace and releases its
/// claim.
pub(crate) async fn run_once<O>(
    app: &App,
    user: UserId,
    idempotency: Option<IdempotentRequest>,
    opening: impl AsyncFnOnce(&Connection) -> Result<O> + Clone,
    act: impl AsyncFnOnce(&mut Connection, O) -> Result<Vec<u8>> + Clone,
) -> Result<RecordedResponse> {
    let prepare = async || Ok(());
    let act = async move |tx: &mut Connection, opened: O| Ok((act(tx, opened).await?, ()));
    run_once_after(app, user, idempotency, prepare, (opening, act))
        .await
        .map(|(response, _)| response)
}

/// As [`run_once`], with a `prepare` step before the transaction that runs only for a new request. For a new request, also
/// returns the second value of `act`.
pub(crate) async fn run_once_after<O, T>(
    app: &App,
    user: UserId,
    idempotency: Option<IdempotentRequest>,
    prepare: impl AsyncFnOnce() -> Result<()>,
    (opening, act): (
        impl AsyncFnOnce(&Connection) -> Result<O> + Clone,
        impl AsyncFnOnce(&mut Connection, O) -> Result<(Vec<u8>, T)> + Clone,
    ),
) -> Result<(RecordedResponse, Option<T>)> {
    let Some(request) = idempotency else {
        prepare().await?;
        let (response, output) = app.db.transaction_after(opening, act).await?;
        return Ok((RecordedResponse::New(response), Some(output)));
    };
    let at = app.clock.now();
    let claim =
        Claim { id: new_id(at), user, key: request.key.0, fingerprint: request.fingerprint, at };
    // A statement of its own, so that the connection returns to the pool before the act acquires one.
    let outcome = app.db.acquire().await?.idempotency_keys().claim(&claim).await?;
    match outcome {
        ClaimOutcome::Acquired => {
            let (response, output) = run_claimed(app, &claim, prepare, (opening, act)).await?;
            Ok((RecordedResponse::New(response), Some(output)))
        }
        ClaimOutcome::Completed(response) => Ok((RecordedResponse::Replayed(response), None)),
        ClaimOutcome::InFlight => Err(in_flight()),
        ClaimOutcome::FingerprintMismatch => Err(Error::IdempotencyKeyReused),
    }
}

/// Runs `prepare` and `act`, and completes the claim in the transaction of `act`. Releases the claim on an error.
async fn run_claimed<O, T>(
    app: &App,
    claim: &Claim,
    prepare: impl AsyncFnOnce() -> Result<()>,
    (opening, act): (
        impl AsyncFnOnce(&Connection) -> Result<O> + Clone,
        impl AsyncFnOnce(&mut Connection, O) -> Result<(Vec<u8>, T)> + Clone,
    ),
) -> Result<(Vec<u8>, T)> {
    let act_and_complete = async |tx: &mut Connection, opened: O| {
        let (response, output) = act.clone()(tx, opened).await?;
        if tx.idempotency_keys().complete(claim, &response).await? {
            Ok((response, output))
        } else {
            Err(in_flight())
        }
    };
    let result = match prepare().await {
        Ok(()) => app.db.transaction_after(opening, act_and_complete).await,
        Err(error) => Err(error),
    };
    if result.is_err() {
        // If this fails too, the claim expires by itself.
        if let Ok(mut conn) = app.db.acquire().await {
            _ = conn.idempotency_keys().release(claim).await;
        }
    }
    result
}

fn in_flight() -> Error {
    Error::Conflict {
        resource: Resource::IdempotencyKey,
        reason: "A request with this idempotency key is still being processed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_visible_ascii_of_1_to_64_characters() {
        assert!(IdempotencyKey::parse("a-1_~!").is_ok());
        assert!(IdempotencyKey::parse(&"k".repeat(64)).is_ok());
        for raw in ["", " ", "a b", "a\0", "ü", &"k".repeat(65)] {
            assert_eq!(IdempotencyKey::parse(raw), Err(IdempotencyKeyError), "{raw:?}");
        }
    }
}
