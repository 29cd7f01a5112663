//! The preferences of a user (docs/rules.md#accounts-and-profiles).

use serde_json::{Map, Value};
use thiserror::Error;

use super::json::{has_nul, json_len};

/// Whether a user approves each new follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Approval {
    /// Follows take effect immediately.
    NotRequired,
    /// Follows start as requests.
    Required,
}

/// The preferences of a user. Unknown keys are kept for the clients that use them.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Preferences(Map<String, Value>);

/// Why preferences are invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PreferencesError {
    /// `approve_followers` is not a boolean.
    #[error("approve_followers must be true or false")]
    ApproveFollowers,
    /// `notifications` is not an object of booleans.
    #[error("notifications must be an object of true or false by type")]
    Notifications,
    /// A text contains a NUL, which no text of a user may contain.
    #[error("must not contain NUL characters")]
    Nul,
    /// The JSON is too large.
    #[error("must be at most {} bytes of JSON", Preferences::MAX_BYTES)]
    TooLarge,
}

impl Preferences {
    /// The maximum size in bytes, as compact JSON.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Wraps stored preferences without checking them.
    pub fn from_stored(preferences: Map<String, Value>) -> Self {
        Self(preferences)
    }

    /// Validates the known keys.
    ///
    /// # Errors
    /// A known key has an invalid value, a text contains a NUL, or the JSON has more than [`Preferences::MAX_BYTES`].
    pub fn parse(raw: Map<String, Value>) -> Result<Self, PreferencesError> {
        let are_switches = |value: &Value| {
            value.as_object().is_some_and(|switches| switches.values().all(Value::is_boolean))
        };
        if raw.get("approve_followers").is_some_and(|value| !value.is_boolean()) {
            return Err(PreferencesError::ApproveFollowers);
        }
        if raw.get("notifications").is_some_and(|value| !are_switches(value)) {
            return Err(PreferencesError::Notifications);
        }
        if has_nul(&raw) {
            return Err(PreferencesError::Nul);
        }
        if Self::MAX_BYTES < json_len(&raw) {
            return Err(PreferencesError::TooLarge);
        }
        Ok(Self(raw))
    }

    /// Applies a patch. The result may have at most [`Preferences::MAX_BYTES`]; known keys were checked in the patch, and
    /// those that it does not name are kept as they are.
    ///
    /// # Errors
    /// `TooLarge`.
    pub fn merge(self, patch: &PreferencesPatch) -> Result<Self, PreferencesError> {
        let Self(mut merged) = self;
        apply_merge_patch(&mut merged, &patch.0);
        if Self::MAX_BYTES < json_len(&merged) {
            return Err(PreferencesError::TooLarge);
        }
        Ok(Self(merged))
    }

    /// Whether the user approves each new follower. `false` by default.
    pub fn approve_followers(&self) -> bool {
        self.0.get("approve_followers").and_then(Value::as_bool).unwrap_or(false)
    }

    /// The approval that a follow of this user needs.
    pub fn approval(&self) -> Approval {
        if self.approve_followers() { Approval::Required } else { Approval::NotRequired }
    }

    /// All keys, known and unknown.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// Changes to some preferences, as a JSON Merge Patch (RFC 7396): `null` removes a key, objects merge, and any other
/// value replaces.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PreferencesPatch(Map<String, Value>);

impl PreferencesPatch {
    /// Validates the known keys.
    ///
    /// # Errors
    /// As [`Preferences::parse`] for what the patch sets. The size of the result depends on what is stored: see
    /// [`Preferences::merge`].
    pub fn parse(raw: Map<String, Value>) -> Result<Self, PreferencesError> {
        let patch = Self(raw);
        Preferences::parse(Preferences::default().merge(&patch)?.0)?;
        Ok(patch)
    }

    /// Whether the patch sets or removes `approve_followers`.
    pub fn changes_approval(&self) -> bool {
        self.0.contains_key("approve_followers")
    }
}

/// The algorithm of RFC 7396, section 2. Recurses as deep as the patch, which the JSON parser bounds.
fn apply_merge_patch(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, change) in patch {
        match change {
            Value::Null => {
                target.remove(key);
            }
            Value::Object(change) => {
                let nested = target.entry(key.as_str()).or_insert(Value::Null);
                if !nested.is_object() {
                    *nested = Value::Object(Map::new());
                }
                if let Value::Object(nested) = nested {
                    apply_merge_patch(nested, change);
                }
            }
            change => {
                target.insert(key.clone(), change.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    /// The examples of RFC 7396, appendix A, whose target and patch are objects, and some of ours.
    #[rstest]
    #[case(json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"}))]
    #[case(json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"}))]
    #[case(json!({"a": "b"}), json!({"a": null}), json!({}))]
    #[case(json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"}))]
    #[case(json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"}))]
    #[case(json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]}))]
    #[case(json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}}))]
    #[case(json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]}))]
    #[case(json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1}))]
    #[case(json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}}))]
    #[case(json!({"a": 1}), json!({}), json!({"a": 1}))]
    #[case(json!({"a": 1}), json!({"a": {"b": 2}}), json!({"a": {"b": 2}}))]
    #[case(json!({}), json!({"a": [null, {"b": null}]}), json!({"a": [null, {"b": null}]}))]
    #[case(
        json!({"approve_followers": true, "notifications": {"like": false, "follow": false}}),
        json!({"approve_followers": null, "notifications": {"like": null, "mention": false}}),
        json!({"notifications": {"follow": false, "mention": false}})
    )]
    fn a_patch_merges(#[case] stored: Value, #[case] patch: Value, #[case] result: Value) {
        let patch = PreferencesPatch::parse(object(&patch)).unwrap();
        let merged = Preferences::from_stored(object(&stored)).merge(&patch).unwrap();
        assert_eq!(Value::Object(merged.as_map().clone()), result);
    }

    #[test]
    fn the_size_limit_holds_for_the_result() {
        let half = |key: &str| {
            let raw = Map::from_iter([(key.to_owned(), Value::from("x".repeat(9_000)))]);
            PreferencesPatch::parse(raw).unwrap()
        };
        let stored = Preferences::default().merge(&half("a")).unwrap();

        assert_eq!(stored.clone().merge(&half("b")), Err(PreferencesError::TooLarge));
        assert!(stored.merge(&half("a")).is_ok());
    }

    #[test]
    fn a_patch_leaves_invalid_preferences_of_older_installations_alone() {
        let stored = object(&json!({"approve_followers": "yes", "notifications": true}));
        let patch = PreferencesPatch::parse(object(&json!({"theme": "dark"}))).unwrap();

        let merged = Preferences::from_stored(stored).merge(&patch).unwrap();

        assert_eq!(merged.as_map()["approve_followers"], "yes");
    }

    #[rstest]
    #[case(json!({"approve_followers": {}}), PreferencesError::ApproveFollowers)]
    #[case(json!({"notifications": {"like": 1}}), PreferencesError::Notifications)]
    #[case(json!({"notifications": {"like": {"email": true}}}), PreferencesError::Notifications)]
    #[case(json!({"notifications": []}), PreferencesError::Notifications)]
    #[case(json!({"theme": ["a\u{0}"]}), PreferencesError::Nul)]
    #[case(json!({"theme": "x".repeat(17_000)}), PreferencesError::TooLarge)]
    fn invalid_patches_are_rejected(#[case] raw: Value, #[case] error: PreferencesError) {
        assert_eq!(PreferencesPatch::parse(object(&raw)), Err(error));
    }

    #[rstest]
    #[case(json!({"approve_followers": "yes"}), PreferencesError::ApproveFollowers)]
    #[case(json!({"notifications": {"like": 1}}), PreferencesError::Notifications)]
    #[case(json!({"notifications": true}), PreferencesError::Notifications)]
    #[case(json!({"theme": {"a\u{0}": 1}}), PreferencesError::Nul)]
    #[case(json!({"theme": "x".repeat(17_000)}), PreferencesError::TooLarge)]
    fn invalid_preferences_are_rejected(#[case] raw: Value, #[case] error: PreferencesError) {
        assert_eq!(Preferences::parse(raw.as_object().unwrap().clone()), Err(error));
    }

    #[test]
    fn unknown_preferences_are_kept() {
        let raw =
            json!({"theme": "dark", "approve_followers": true, "notifications": {"like": false}});
        let preferences = Preferences::parse(raw.as_object().unwrap().clone()).unwrap();

        assert!(preferences.approve_followers());
        assert_eq!(preferences.as_map()["theme"], "dark");
    }

    #[test]
    fn follows_need_no_approval_by_default() {
        for (raw, approval) in [
            (json!({}), Approval::NotRequired),
            (json!({"approve_followers": false}), Approval::NotRequired),
            (json!({"approve_followers": true}), Approval::Required),
            // Older installations may have stored this.
            (json!({"approve_followers": "yes"}), Approval::NotRequired),
        ] {
            let preferences = Preferences::from_stored(raw.as_object().unwrap().clone());
            assert_eq!(preferences.approval(), approval, "{raw}");
        }
    }
}
