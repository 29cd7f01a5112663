//! Enums whose values other programs know by stable codes.

use std::fmt;

/// Declares an enum together with `ALL`, and with `CODES`, `code` and `from_code` if its variants have codes, so that one
/// line adds a value everywhere. Values can be compared, hashed and copied.
///
/// ```
/// grateful_domain::closed_enum! {
///     /// What a bookmark is for.
///     pub enum BookmarkKind {
///         ReadLater = "read_later",
///         Favourite = "favourite",
///     }
/// }
///
/// assert_eq!(BookmarkKind::CODES, ["read_later", "favourite"]);
/// assert_eq!(BookmarkKind::from_code("favourite"), Ok(BookmarkKind::Favourite));
/// let error = BookmarkKind::from_code("later").unwrap_err();
/// assert_eq!(error.to_string(), "must be read_later or favourite");
/// ```
#[macro_export]
macro_rules! closed_enum {
    (
        $(#[$attribute:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_attribute:meta])* $variant:ident = $code:literal),+ $(,)?
        }
    ) => {
        $crate::closed_enum! {
            $(#[$attribute])*
            $vis enum $name { $($(#[$variant_attribute])* $variant),+ }
        }

        impl $name {
            /// All codes, in the order of [`Self::ALL`].
            $vis const CODES: [&'static str; Self::ALL.len()] = [$($code),+];

            /// The stable code, by which other programs know the value.
            $vis const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code),+
                }
            }

            /// Looks up the value with this code.
            ///
            /// # Errors
            /// No value has this code.
            $vis fn from_code(code: &str) -> Result<Self, $crate::UnknownCode> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownCode(&Self::CODES)),
                }
            }
        }
    };
    (
        $(#[$attribute:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_attribute:meta])* $variant:ident),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $vis enum $name { $($(#[$variant_attribute])* $variant),+ }

        impl $name {
            /// All values, in the order of their declaration.
            $vis const ALL: [Self; [$($name::$variant),+].len()] = [$(Self::$variant),+];
        }
    };
}

/// A code that no value of a closed enum has. It knows the codes that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCode(#[doc(hidden)] pub &'static [&'static str]);

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [others @ .., last] if matches!(others.len(), 1 | 2) => {
                write!(f, "must be {} or {last}", others.join(", "))
            }
            codes => write!(f, "must be one of {}", codes.join(", ")),
        }
    }
}

impl std::error::Error for UnknownCode {}

#[cfg(test)]
mod tests {
    use crate::{Emoji, NotificationType, PostType, ShareMethod};

    #[test]
    fn every_code_parses_to_its_value() {
        for kind in NotificationType::ALL {
            assert_eq!(NotificationType::from_code(kind.code()), Ok(kind));
        }
        assert!(Emoji::from_code("Hug").is_err());
    }

    #[test]
    fn the_error_lists_all_codes() {
        for (error, message) in [
            (ShareMethod::from_code("").map(drop), "must be url or message"),
            (PostType::from_code("").map(drop), "must be daily, photo or spontaneous"),
            (
                Emoji::from_code("").map(drop),
                "must be one of heart_eyes, heart_face, hug, pray, muscle, star, fire, clap, joy, thinking",
            ),
        ] {
            assert_eq!(error.map_err(|error| error.to_string()), Err(message.to_owned()));
        }
    }
}
