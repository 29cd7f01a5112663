//! The ranked feed and trending posts, compared with the rules of the domain.

mod dataset;
mod pages;
mod rank;
mod trending;
