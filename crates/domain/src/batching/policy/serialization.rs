//! The types of a policy that can be serialized.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::BatchPolicy;

/// A value that can be serialized and read again.
pub trait Serializable: Serialize + DeserializeOwned {}

impl<T: Serialize + DeserializeOwned> Serializable for T {}

/// A policy whose acts and notifications can be serialized, because all of its types can. Every such policy is one.
pub trait SerializablePolicy:
    BatchPolicy<
        User: Serializable,
        Act: Serializable,
        ActKey: Serializable,
        Kind: Serializable,
        Key: Serializable,
        Id: Serializable,
        Subject: Serializable,
        Details: Serializable,
    >
{
}

impl<P> SerializablePolicy for P where
    P: BatchPolicy<
            User: Serializable,
            Act: Serializable,
            ActKey: Serializable,
            Kind: Serializable,
            Key: Serializable,
            Id: Serializable,
            Subject: Serializable,
            Details: Serializable,
        >
{
}
