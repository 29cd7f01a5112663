//! Requests that may arrive more than once and must have one effect.

use grateful_domain::UserId;
use grateful_storage::{Claim, ClaimOutcome, Connection, Repositories};
use thiserror::Error;

use crate::{App, Error, Resource, Result, new_id};

/// A name that a client gives to a request, so that it can be sent again safely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// Why a key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to {} visible ASCII characters", IdempotencyKey::MAX_CHARS)]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// The most characters.
    pub const MAX_CHARS: usize = 64;

    /// Checks a key as a client sent it (contract §1).
    pub fn parse(raw: &str) -> Result<Self, IdempotencyKeyError> {
        let fits = (1..=Self::MAX_CHARS).contains(&raw.len());
        if fits && raw.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(IdempotencyKeyError)
        }
    }
}

/// What makes two requests the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The name that the client gave it.
    pub key: IdempotencyKey,
    /// The SHA-256 hash of everything that decides what the request does.
    pub fingerprint: [u8; 32],
}

/// What a request was answered, in the words of whoever asked for it to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedResponse {
    /// It was done just now.
    New(Vec<u8>),
    /// It had been done before: this was the answer then.
    Replayed(Vec<u8>),
}

/// Runs `act` in a transaction, once for all requests of `user` that are the same by `idempotency`.
///
/// The claim is committed before the act and the answer together with it, so that after a crash at any point the act
/// has happened once or not at all, and the next attempt knows which. A failed act leaves nothing behind, its claim
/// included.
pub(crate) async fn run_once(
    app: &App,
    user: UserId,
    idempotency: Option<IdempotentRequest>,
    act: impl AsyncFnOnce(&mut Connection) -> Result<Vec<u8>> + Clone,
) -> Result<RecordedResponse> {
    let prepare = async || Ok(());
    let act = async move |tx: &mut Connection| Ok((act(tx).await?, ()));
    run_once_after(app, user, idempotency, prepare, act).await.map(|(answer, _)| answer)
}

/// As [`run_once`], with work ahead of the transaction that is done for the first request alone. What else `act` has to tell
/// comes along where it was done just now.
pub(crate) async fn run_once_after<T>(
    app: &App,
    user: UserId,
    idempotency: Option<IdempotentRequest>,
    prepare: impl AsyncFnOnce() -> Result<()>,
    act: impl AsyncFnOnce(&mut Connection) -> Result<(Vec<u8>, T)> + Clone,
) -> Result<(RecordedResponse, Option<T>)> {
    let Some(idempotency) = idempotency else {
        prepare().await?;
        let (answer, rest) = app.db.transaction(act).await?;
        return Ok((RecordedResponse::New(answer), Some(rest)));
    };
    let at = app.clock.now();
    let claim = Claim {
        id: new_id(at),
        user,
        key: idempotency.key.0,
        fingerprint: idempotency.fingerprint,
        at,
    };
    // By itself, so that the connection goes back to the pool before the act asks for one.
    let claimed = app.db.acquire().await?.idempotency_keys().claim(&claim).await?;
    match claimed {
        ClaimOutcome::Acquired => {
            let (answer, rest) = execute_claim(app, &claim, prepare, act).await?;
            Ok((RecordedResponse::New(answer), Some(rest)))
        }
        ClaimOutcome::Completed(answer) => Ok((RecordedResponse::Replayed(answer), None)),
        ClaimOutcome::InFlight => Err(in_flight()),
        ClaimOutcome::FingerprintMismatch => Err(grateful_domain::ValidationError::field(
            "Idempotency-Key",
            "was used for another request before",
        )
        .into()),
    }
}

async fn execute_claim<T>(
    app: &App,
    claim: &Claim,
    prepare: impl AsyncFnOnce() -> Result<()>,
    act: impl AsyncFnOnce(&mut Connection) -> Result<(Vec<u8>, T)> + Clone,
) -> Result<(Vec<u8>, T)> {
    let settle = async |tx: &mut Connection| {
        let (answer, rest) = act.clone()(tx).await?;
        if tx.idempotency_keys().complete(claim, &answer).await? {
            Ok((answer, rest))
        } else {
            Err(in_flight())
        }
    };
    let outcome = match prepare().await {
        Ok(()) => app.db.transaction(settle).await,
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        // Should this fail too, the claim lapses by itself.
        if let Ok(mut conn) = app.db.acquire().await {
            _ = conn.idempotency_keys().release(claim).await;
        }
    }
    outcome
}

fn in_flight() -> Error {
    Error::Conflict {
        resource: Resource::IdempotencyKey,
        reason: "A request with this Idempotency-Key is still being worked on",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_visible_ascii_of_bounded_length() {
        assert!(IdempotencyKey::parse("a-1_~!").is_ok());
        assert!(IdempotencyKey::parse(&"k".repeat(64)).is_ok());
        for raw in ["", " ", "a b", "a\0", "ü", &"k".repeat(65)] {
            assert_eq!(IdempotencyKey::parse(raw), Err(IdempotencyKeyError), "{raw:?}");
        }
    }
}
