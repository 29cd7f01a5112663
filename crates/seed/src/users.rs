//! Generates users and their profiles.

use chrono::{DateTime, Utc};
use grateful_domain::{Bio, City, DisplayName, Email, Preferences, UserId, Username};
use serde_json::{Map, Value};

use crate::rng::{Rng, Stream};
use crate::{texts, word_lists};

/// A generated user with profile and counters.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedUser {
    /// The id, as passed to `Dataset::generate`.
    pub id: UserId,
    /// First name, family name and a number that makes it unique.
    pub username: Username,
    /// The username at `example.org`, a domain reserved for examples.
    pub email: Email,
    /// Display name; most users have one.
    pub display_name: Option<DisplayName>,
    /// Bio; some users have one.
    pub bio: Option<Bio>,
    /// City; some users have one.
    pub city: Option<City>,
    /// Preferences; only users with follow approval have them.
    pub preferences: Option<Preferences>,
    /// Sign-up time, before the first post of the dataset.
    pub joined_at: DateTime<Utc>,
    /// Number of followers.
    pub followers: i64,
    /// Number of users they follow.
    pub following: i64,
    /// Number of their posts.
    pub posts: i64,
    /// Number of their public posts.
    pub public_posts: i64,
}

/// The username of the user with this index (from 0) in the datasets of this seed.
pub fn username_of(seed: u64, index: usize) -> Username {
    let (first, family) = draw_names(&mut Rng::for_item(Stream::Users, seed, index));
    let name = format!("{first}.{family}{}", index + 1);
    Username::from_stored(name.to_ascii_lowercase())
}

/// The email address of the user with this username.
pub fn email_of(username: &Username) -> Email {
    Email::from_stored(format!("{}@example.org", username.as_str()))
}

/// The optional profile fields of a user.
pub(crate) struct Profile {
    pub(crate) display_name: Option<DisplayName>,
    pub(crate) bio: Option<Bio>,
    pub(crate) city: Option<City>,
}

pub(crate) fn profile_of(seed: u64, index: usize) -> Profile {
    let mut rng = Rng::for_item(Stream::Users, seed, index);
    let (first, family) = draw_names(&mut rng);
    let display_name = match rng.below(10) {
        0..6 => Some(format!("{first} {family}")),
        6..8 => Some(first.to_owned()),
        _ => None,
    };
    let bio = rng.chance(450).then(|| texts::bio(&mut rng));
    let city = rng.chance(500).then(|| rng.choose(word_lists::CITIES).to_owned());
    Profile {
        display_name: display_name.map(DisplayName::from_stored),
        bio: bio.map(Bio::from_stored),
        city: city.map(City::from_stored),
    }
}

/// Whether this user approves followers, as one user in twelve does.
pub(crate) fn approves_followers(index: usize) -> bool {
    index % 12 == 7
}

pub(crate) fn preferences_of(index: usize) -> Option<Preferences> {
    let preferences = Map::from_iter([("approve_followers".to_owned(), Value::Bool(true))]);
    approves_followers(index).then(|| Preferences::parse(preferences).expect("a known preference"))
}

fn draw_names(rng: &mut Rng) -> (&'static str, &'static str) {
    (rng.choose(word_lists::FIRST_NAMES), rng.choose(word_lists::FAMILY_NAMES))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn usernames_and_email_addresses_are_unique_and_valid() {
        let names: HashSet<String> = (0..5_000)
            .map(|index| {
                let name = username_of(3, index);
                assert_eq!(Username::parse(name.as_str()), Ok(name.clone()));
                assert_eq!(Email::parse(email_of(&name).as_str()), Ok(email_of(&name)));
                name.into()
            })
            .collect();

        assert_eq!(names.len(), 5_000);
    }

    #[test]
    fn profiles_are_valid() {
        for index in 0..2_000 {
            let profile = profile_of(3, index);
            if let Some(name) = profile.display_name {
                assert_eq!(DisplayName::parse(name.as_str()), Ok(name.clone()));
            }
            if let Some(bio) = profile.bio {
                assert_eq!(Bio::parse(bio.as_str()), Ok(Some(bio.clone())));
            }
        }
    }
}
