//! The ids of rows. Those of users are kept, and so is every other id that is a UUID.

use uuid::Uuid;

/// The id of an older row: itself where it is a UUID, and otherwise one that is derived from it, always the same.
pub(crate) fn of_row(old: &str) -> Uuid {
    // Other spellings, such as that in braces, are no ids of rows.
    let is_hyphenated = old.len() == 36;
    Uuid::try_parse(old).ok().filter(|_| is_hyphenated).unwrap_or_else(|| derived(old))
}

/// An id that is derived from a text.
pub(crate) fn derived(text: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes())
}

/// What happened to the id, with the reason. `None` if it is kept.
pub(crate) fn change(old: &str) -> Option<(String, &'static str)> {
    let new = of_row(old).to_string();
    if new == old {
        return None;
    }
    let why = if new.eq_ignore_ascii_case(old) { "written in capitals" } else { "not a UUID" };
    Some((format!("id → {new}"), why))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("f3e9a032-c8d3-4928-93a1-80e44f188c03", "f3e9a032-c8d3-4928-93a1-80e44f188c03", None)]
    #[case(
        "94530DBF-4664-570F-B07B-4C8330FD2DD4",
        "94530dbf-4664-570f-b07b-4c8330fd2dd4",
        Some("written in capitals")
    )]
    #[case("post-legacy-44", "2da06888-e835-5d6b-a46d-65f1de33790f", Some("not a UUID"))]
    #[case(
        "94530dbf4664570fb07b4c8330fd2dd4",
        "2e2261ab-6701-5085-96da-30e9d728bf4f",
        Some("not a UUID")
    )]
    fn ids_are_kept_where_they_are_uuids(
        #[case] old: &str,
        #[case] new: &str,
        #[case] why: Option<&str>,
    ) {
        assert_eq!(of_row(old).to_string(), new);
        assert_eq!(change(old).map(|(_, why)| why), why);
    }
}
