//! `/users`: accounts, profiles, and lists by user.

pub(crate) mod account;
pub(crate) mod blocks;
pub(crate) mod export;
pub(crate) mod followers;
pub(crate) mod locations;
pub(crate) mod photo;
pub(crate) mod posts;
pub(crate) mod profile;
pub(crate) mod search;
