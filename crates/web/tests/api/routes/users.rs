//! `/api/v1/users`.

mod account;
mod blocks;
mod export;
mod followers;
mod locations;
mod photo;
mod posts;
mod profile;
mod search;
