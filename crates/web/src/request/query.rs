//! Query parameters.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use grateful_domain::ValidationError;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::request::{Field, parse_flag};

/// Extracts the query parameters. If a name repeats, the last value counts.
///
/// `T` has a [`Field`] of text for each parameter, and documents them.
pub(crate) struct QueryParameters<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for QueryParameters<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs = Query::<Map<String, Value>>::from_query(request.query_string()).ok();
        let parameters = pairs.and_then(|Query(pairs)| T::deserialize(Value::Object(pairs)).ok());
        let invalid = || ValidationError::field("query", "must be pairs of name=value").into();
        ready(parameters.map(Self).ok_or_else(invalid))
    }
}

impl Field<String> {
    /// Returns a query parameter as the client sent it.
    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Value(text) => Some(text),
            _ => None,
        }
    }

    /// Parses a number. A value that is not a number becomes one that no range contains, so that it gets the same error
    /// as one that is out of range.
    pub(crate) fn into_number(self) -> Option<i64> {
        self.into_text().map(|text| text.parse().unwrap_or(i64::MIN))
    }

    /// Parses an optional boolean (see [`parse_flag`]).
    pub(crate) fn flag(self) -> Result<Option<bool>, String> {
        self.optional(|text| parse_flag(&text).ok_or("must be true or false"))
    }
}
