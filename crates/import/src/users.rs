//! Accounts.

use chrono::{DateTime, Utc};
use grateful_domain::{Bio, City, DisplayName, ProfilePhoto, TextError, UserId};
use grateful_storage::BulkUser;

use crate::profile;
use crate::report::Notes;
use crate::text::{self, Cleaned, quoted};
use crate::world::World;

/// A row of the older `users`.
#[derive(Debug, Clone, Default)]
pub(crate) struct OldUser {
    pub(crate) id: i64,
    pub(crate) email: String,
    pub(crate) username: String,
    pub(crate) hashed_password: String,
    pub(crate) bio: Option<String>,
    pub(crate) profile_image_url: Option<String>,
    pub(crate) created_at: Option<DateTime<Utc>>,
    pub(crate) display_name: Option<String>,
    pub(crate) city: Option<String>,
    pub(crate) institutions: Option<String>,
    pub(crate) websites: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) preferences: Option<String>,
}

/// Mends an account. None is skipped.
pub(crate) fn mend(old: &OldUser, world: &World, notes: &mut Notes) -> Option<BulkUser> {
    let (username, email) = (world.accounts.username(old.id)?, world.accounts.email(old.id)?);
    if let Some(why) = username.why {
        let new = username.value.as_str();
        notes.add(format!("username {} → {new}", quoted(&old.username)), why);
    }
    if let Some(why) = email.why {
        notes.add(format!("email {} → {}", quoted(&old.email), email.value.as_str()), why);
    }
    let photo = photo(old.profile_image_url.as_deref(), world, notes);
    let facts = world.user(old.id)?;
    let json_nulls = json_nulls(old);
    if !json_nulls.is_empty() {
        notes.add(format!("{}: JSON null → NULL", json_nulls.join(", ")), "null inside JSON");
    }
    Some(BulkUser {
        id: UserId::from(old.id),
        username: username.value.clone(),
        email: email.value.clone(),
        password: password(&old.hashed_password, notes).into(),
        bio: bio(old.bio.as_deref(), notes),
        display_name: display_name(old.display_name.as_deref(), notes),
        city: city(old.city.as_deref(), notes),
        institutions: profile::institutions(old.institutions.as_deref(), notes),
        websites: profile::websites(old.websites.as_deref(), notes),
        location: profile::location(old.location.as_deref(), notes),
        preferences: profile::preferences(old.preferences.as_deref(), &facts.awaited, notes),
        photo_url: photo.as_ref().and(old.profile_image_url.clone()),
        photo,
        created_at: text::not_ahead(old.created_at.unwrap_or(world.now), world.now, notes),
        followers: facts.followers,
        following: facts.following,
        posts: facts.posts,
        public_posts: facts.public_posts,
    })
}

fn json_nulls(old: &OldUser) -> Vec<&'static str> {
    let columns = [
        ("institutions", &old.institutions),
        ("websites", &old.websites),
        ("location", &old.location),
        ("profile_preferences", &old.preferences),
    ];
    let nulls = columns.into_iter().filter(|(_, json)| json.as_deref() == Some("null"));
    nulls.map(|(column, _)| column).collect()
}

/// The hash, if it is one of bcrypt, which is verified and replaced when the user signs in. No password matches any other.
fn password(hash: &str, notes: &mut Notes) -> String {
    let is_bcrypt = hash.len() == 60
        && ["$2a$", "$2b$", "$2y$"].iter().any(|form| hash.starts_with(form))
        && hash[4..].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./$".contains(&byte));
    if is_bcrypt {
        return hash.to_owned();
    }
    let why = "password hash of no known form";
    notes.add("kept, can sign in only after the operator sets a password", why);
    "!".to_owned()
}

fn bio(raw: Option<&str>, notes: &mut Notes) -> Option<Bio> {
    let Cleaned { text, is_cut } = text::lines(raw?);
    if is_cut {
        notes.add("bio cleaned", "control characters");
    }
    match Bio::parse(&text) {
        Ok(bio) => bio,
        Err(TextError::TooLong { chars, max }) => {
            notes.add("bio kept whole", format!("{chars} characters, {max} allowed"));
            Some(Bio::from_stored(text))
        }
        Err(_) => None,
    }
}

fn display_name(raw: Option<&str>, notes: &mut Notes) -> Option<DisplayName> {
    let Cleaned { text, is_cut } = text::name(raw?);
    if is_cut {
        notes.add("display_name cleaned", "control or direction characters");
    }
    let cut = shortened(text, DisplayName::MAX_CHARS, "display_name", notes);
    let name = DisplayName::parse(&cut).ok();
    if name.is_none() {
        notes.add("display_name → NULL", "blank");
    }
    name
}

fn city(raw: Option<&str>, notes: &mut Notes) -> Option<City> {
    let Cleaned { text, is_cut } = text::line(raw?);
    if is_cut {
        notes.add("city cleaned", "control characters");
    }
    City::parse(&shortened(text, City::MAX_CHARS, "city", notes)).ok()?
}

/// The column has no room for more. The older one had not either, unless it was altered by hand.
fn shortened(text: String, max: usize, what: &str, notes: &mut Notes) -> String {
    let chars = text.chars().count();
    if chars <= max {
        return text;
    }
    notes.add(format!("{what} cut to {max} characters"), format!("{chars} characters"));
    text.chars().take(max).collect()
}

/// The photo, if all of its files have come over.
fn photo(url: Option<&str>, world: &World, notes: &mut Notes) -> Option<ProfilePhoto> {
    let url = url.map(str::trim).filter(|url| !url.is_empty())?;
    let Some(name) = photo_name(url) else {
        notes.add("photo → none", "an address elsewhere");
        return None;
    };
    if !world.pictures.photos.contains(name) {
        notes.add("photo → none", "files are missing");
        return None;
    }
    Some(ProfilePhoto::from_stored(name.to_owned()))
}

/// The name of a photo of the older server: what is between its folder and the size.
pub(crate) fn photo_name(url: &str) -> Option<&str> {
    let name = url.trim().strip_prefix("/uploads/profile_photos/")?.strip_suffix("_medium.jpg")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let is_plain = name.strip_prefix("profile_").is_some_and(|id| !id.is_empty());
    (is_plain && name.len() <= 240 && name.chars().all(allowed)).then_some(name)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("$2b$12$r7vY8oZc178KR6Fue2.gHuVyIUvqPis0prHftm4Tu8gsN9PWvW0MC", true)]
    #[case("$2a$12$LUNPg9tS27pjc9FG2M3ju.Fau9kQYKjNiBNNX/PGpCyIy7kITafFm", true)]
    #[case("$2y$12$LUNPg9tS27pjc9FG2M3ju.Fau9kQYKjNiBNNX/PGpCyIy7kITafFm", true)]
    #[case("!", false)]
    #[case("$2b$12$short", false)]
    #[case("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA", false)]
    fn only_hashes_of_bcrypt_are_kept(#[case] hash: &str, #[case] is_kept: bool) {
        let mut notes = Notes::default();
        let kept = password(hash, &mut notes);

        assert_eq!(kept, if is_kept { hash } else { "!" });
        assert_eq!(notes.lines().len(), usize::from(!is_kept));
    }

    #[test]
    fn blank_texts_are_none_and_long_ones_stay_whole() {
        let mut notes = Notes::default();
        assert_eq!(bio(Some(" \r\n"), &mut notes), None);
        assert_eq!(city(Some("   "), &mut notes), None);
        assert_eq!(notes.lines(), [""; 0]);
        assert_eq!(display_name(Some("  "), &mut notes), None);

        assert_eq!(bio(Some(&"b".repeat(600)), &mut notes).unwrap().as_str(), "b".repeat(600));
        assert_eq!(
            notes.lines(),
            ["display_name → NULL | blank", "bio kept whole | 600 characters, 500 allowed"]
        );
    }

    #[rstest]
    #[case("/uploads/profile_photos/profile_5a00d758_medium.jpg", Some("profile_5a00d758"))]
    #[case("/uploads/profile_photos/../../etc/profile_x_medium.jpg", None)]
    #[case("/uploads/profile_photos/profile_a/b_medium.jpg", None)]
    #[case("/uploads/profile_photos/profile__medium.jpg", None)]
    #[case("https://images.example/profile_x_medium.jpg", None)]
    fn a_photo_is_a_plain_name_in_its_folder(#[case] url: &str, #[case] name: Option<&str>) {
        assert_eq!(photo_name(url), name);
    }
}
