//! Who there is.

use chrono::{DateTime, Utc};
use grateful_domain::{Bio, City, DisplayName, Email, Preferences, UserId, Username};
use serde_json::{Map, Value};

use crate::dice::{About, Dice};
use crate::{texts, words};

/// Somebody who was made up.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// The id that was given to them.
    pub id: UserId,
    /// A first name, a family name and a number, so that no two have the same.
    pub username: Username,
    /// The username at `example.org`, which is nobody's.
    pub email: Email,
    /// What most are called.
    pub display_name: Option<DisplayName>,
    /// What some say of themselves.
    pub bio: Option<Bio>,
    /// Where some live.
    pub city: Option<City>,
    /// What some chose: to be asked before somebody follows them.
    pub preferences: Option<Preferences>,
    /// Before anybody posted anything.
    pub joined_at: DateTime<Utc>,
    /// How many follow them.
    pub followers: i64,
    /// How many they follow.
    pub following: i64,
    /// How many posts they wrote.
    pub posts: i64,
    /// How many of those everybody may read.
    pub public_posts: i64,
}

/// The username of one of the people in the worlds of this seed, by their number from 0 on.
pub fn name_of(seed: u64, number: usize) -> Username {
    let (first, family) = names(&mut Dice::of(About::People, seed, number));
    let name = format!("{first}.{family}{}", number + 1);
    Username::from_stored(name.to_ascii_lowercase())
}

/// Where the person with this username can be reached, which is nowhere.
pub(crate) fn address_of(username: &Username) -> Email {
    Email::from_stored(format!("{}@example.org", username.as_str()))
}

/// What somebody says of themselves: always the same for the same number.
pub(crate) struct Profile {
    pub(crate) display_name: Option<DisplayName>,
    pub(crate) bio: Option<Bio>,
    pub(crate) city: Option<City>,
}

pub(crate) fn profile_of(seed: u64, number: usize) -> Profile {
    let mut dice = Dice::of(About::People, seed, number);
    let (first, family) = names(&mut dice);
    let display_name = match dice.below(10) {
        0..6 => Some(format!("{first} {family}")),
        6..8 => Some(first.to_owned()),
        _ => None,
    };
    let bio = dice.chance(450).then(|| texts::bio(&mut dice));
    let city = dice.chance(500).then(|| dice.pick(words::CITIES).to_owned());
    Profile {
        display_name: display_name.map(DisplayName::from_stored),
        bio: bio.map(Bio::from_stored),
        city: city.map(City::from_stored),
    }
}

/// Whether this person wants to be asked before somebody follows them, as one in twelve does.
pub(crate) fn approves_followers(number: usize) -> bool {
    number % 12 == 7
}

pub(crate) fn preferences_of(number: usize) -> Option<Preferences> {
    let asked = Map::from_iter([("approve_followers".to_owned(), Value::Bool(true))]);
    approves_followers(number).then(|| Preferences::parse(asked).expect("a switch that is known"))
}

fn names(dice: &mut Dice) -> (&'static str, &'static str) {
    (dice.pick(words::FIRST_NAMES), dice.pick(words::FAMILY_NAMES))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn everybody_has_a_name_and_an_address_of_their_own_that_the_rules_allow() {
        let names: HashSet<String> = (0..5_000)
            .map(|number| {
                let name = name_of(3, number);
                assert_eq!(Username::parse(name.as_str()), Ok(name.clone()));
                assert_eq!(Email::parse(address_of(&name).as_str()), Ok(address_of(&name)));
                name.into()
            })
            .collect();

        assert_eq!(names.len(), 5_000);
    }

    #[test]
    fn profiles_hold_what_could_have_been_typed() {
        for number in 0..2_000 {
            let profile = profile_of(3, number);
            if let Some(name) = profile.display_name {
                assert_eq!(DisplayName::parse(name.as_str()), Ok(name.clone()));
            }
            if let Some(bio) = profile.bio {
                assert_eq!(Bio::parse(bio.as_str()), Ok(Some(bio.clone())));
            }
        }
    }
}
