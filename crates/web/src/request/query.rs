//! Query parameters.

use std::collections::HashMap;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use grateful_domain::{
    FeedCursor, FeedPageRequest, FeedStart, FieldValidator, Limit, ListKey, Offset, PageError,
    PageRequest, PageStart, Position, TrendingWindow, ValidationError,
};

use crate::error::ApiError;
use crate::request::parse_flag;

/// The query parameters of a request. If a name repeats, the last value counts.
pub(crate) struct QueryParameters(HashMap<String, String>);

impl FromRequest for QueryParameters {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parameters = Query::<HashMap<String, String>>::from_query(request.query_string());
        let invalid = |_| ValidationError::field("query", "must be pairs of name=value").into();
        ready(parameters.map(|Query(pairs)| Self(pairs)).map_err(invalid))
    }
}

impl QueryParameters {
    /// Parses `limit`, `offset` and `cursor` of a request for `list`.
    pub(crate) fn page(&self, list: ListKey) -> Result<PageRequest, ApiError> {
        let mut fields = FieldValidator::default();
        let page = self.check_page(&mut fields, list);
        Ok(fields.finish(|| page)?)
    }

    /// Like [`Self::page`], but adds errors to `fields`.
    pub(crate) fn check_page(
        &self,
        fields: &mut FieldValidator,
        list: ListKey,
    ) -> Option<PageRequest> {
        let limit = self.check_limit(fields, list.default_limit());
        let offset = fields.check("offset", self.number("offset", Offset::ZERO, Offset::parse));
        let start = match (self.0.get("cursor"), offset) {
            (None, offset) => offset.map(PageStart::Offset),
            (Some(cursor), Some(Offset::ZERO)) => {
                let position = fields.check("cursor", Position::from_cursor(list, cursor));
                position.map(PageStart::After)
            }
            (Some(_), _) => fields.check("cursor", Err(PageError::CursorAndOffset)),
        };
        Some(PageRequest { limit: limit?, start: start? })
    }

    /// Parses `limit` as a number from 1 to `max`.
    pub(crate) fn limit(&self, max: i64, default: i64) -> Result<i64, ApiError> {
        let limit = self.0.get("limit").map_or(Some(default), |raw| raw.parse().ok());
        let limit = limit.filter(|limit| (1..=max).contains(limit));
        let reason = || format!("must be a whole number from 1 to {max}");
        limit.ok_or_else(|| ValidationError::field("limit", reason()).into())
    }

    /// Parses `limit`, `offset` and `cursor` of a request for the ranked feed. Adds errors to `fields`.
    pub(crate) fn check_feed_page(&self, fields: &mut FieldValidator) -> Option<FeedPageRequest> {
        const BEGINNING: FeedStart = FeedStart::Offset(0);
        let limit = self.check_limit(fields, ListKey::RankedPosts.default_limit());
        let offset = self.number("offset", BEGINNING, FeedStart::parse_offset);
        let offset = fields.check("offset", offset);
        let start = match (self.0.get("cursor"), offset) {
            (None, offset) => offset,
            (Some(cursor), Some(BEGINNING)) => {
                fields.check("cursor", FeedCursor::from_cursor(cursor)).map(FeedStart::After)
            }
            (Some(_), _) => fields.check("cursor", Err(PageError::CursorAndOffset)),
        };
        Some(FeedPageRequest { limit: limit?, start: start? })
    }

    /// Parses `limit`. Adds errors to `fields`.
    pub(crate) fn check_limit(&self, fields: &mut FieldValidator, default: Limit) -> Option<Limit> {
        fields.check("limit", self.number("limit", default, Limit::parse))
    }

    /// Parses the time window of trending posts. Adds errors to `fields`.
    pub(crate) fn check_window(&self, fields: &mut FieldValidator) -> Option<TrendingWindow> {
        let name = "window_hours";
        fields.check(name, self.number(name, TrendingWindow::DEFAULT, TrendingWindow::parse))
    }

    /// Parses a boolean parameter (see [`parse_flag`]). Adds errors to `fields`.
    pub(crate) fn check_flag(
        &self,
        fields: &mut FieldValidator,
        name: &'static str,
        default: bool,
    ) -> Option<bool> {
        let flag = self.text(name).map_or(Some(default), parse_flag);
        fields.check(name, flag.ok_or("must be true or false"))
    }

    /// Parses an optional parameter.
    pub(crate) fn optional<T, E: std::error::Error>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ApiError> {
        let parsed = self.text(name).map(parse).transpose();
        parsed.map_err(|reason| ValidationError::field(name, reason).into())
    }

    /// Returns a parameter as the client sent it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn number<T, E>(
        &self,
        name: &str,
        default: T,
        parse: impl Fn(i64) -> Result<T, E>,
    ) -> Result<T, E> {
        // A value that is not a number gets the same error as one that is out of range.
        self.0.get(name).map_or(Ok(default), |raw| parse(raw.parse().unwrap_or(i64::MIN)))
    }
}
