//! The paging parameters of lists.

use grateful_domain::{
    FeedPageRequest, FeedStart, FieldValidator, Limit, Offset, PageError, PageRequest, PageStart,
    ValidationError,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::cursors::{ListKey, decode, decode_feed};
use crate::request::Field;

/// The paging parameters of a list with `DEFAULT` items by default.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams<const DEFAULT: i64> {
    /// The maximum number of items.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = json!(DEFAULT))]
    pub(crate) limit: Field<String>,
    /// The number of items to skip.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 0, maximum = 10_000, default = 0)]
    pub(crate) offset: Field<String>,
    /// The cursor from the `next` link of the previous page.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub(crate) cursor: Field<String>,
}

impl<const DEFAULT: i64> PageParams<DEFAULT> {
    /// Parses a request for a page of `list`.
    pub(crate) fn parse(self, list: ListKey) -> Result<PageRequest, ValidationError> {
        let mut fields = FieldValidator::default();
        let page = self.check(&mut fields, list);
        fields.finish(|| page)
    }

    /// Like [`Self::parse`], but adds errors to `fields`.
    pub(crate) fn check(self, fields: &mut FieldValidator, list: ListKey) -> Option<PageRequest> {
        let limit = check_limit(fields, self.limit, DEFAULT);
        let start = check_start(
            fields,
            (self.offset, self.cursor),
            |offset| Offset::parse(offset).map(PageStart::Offset),
            |cursor| decode(list, cursor).map(PageStart::After),
        );
        Some(PageRequest { limit: limit?, start: start? })
    }

    /// Parses a request for a page of the ranked feed. Adds errors to `fields`.
    pub(crate) fn check_feed(self, fields: &mut FieldValidator) -> Option<FeedPageRequest> {
        let limit = check_limit(fields, self.limit, DEFAULT);
        let start =
            check_start(fields, (self.offset, self.cursor), FeedStart::parse_offset, |cursor| {
                decode_feed(cursor).map(FeedStart::After)
            });
        Some(FeedPageRequest { limit: limit?, start: start? })
    }
}

/// Parses the parameter `limit`. Adds errors to `fields`.
pub(crate) fn check_limit(
    fields: &mut FieldValidator,
    limit: Field<String>,
    default: i64,
) -> Option<Limit> {
    fields.check("limit", Limit::parse(limit.into_number().unwrap_or(default)))
}

/// Parses where a page starts: at an offset, or after a cursor. Adds errors to `fields`.
fn check_start<S: PartialEq>(
    fields: &mut FieldValidator,
    (offset, cursor): (Field<String>, Field<String>),
    parse_offset: impl Fn(i64) -> Result<S, PageError>,
    parse_cursor: impl FnOnce(&str) -> Option<S>,
) -> Option<S> {
    let offset = fields.check("offset", parse_offset(offset.into_number().unwrap_or(0)));
    let is_beginning = offset == parse_offset(0).ok();
    let cursor = cursor.optional(|raw| {
        if is_beginning {
            parse_cursor(&raw).ok_or("must be taken from the next link of the same list")
        } else {
            Err("must not be combined with an offset")
        }
    });
    fields.check("cursor", cursor)?.or(offset)
}
