//! Cuts text where readers see the end of a character.

use unicode_segmentation::UnicodeSegmentation;

/// The longest start of a text with at most `max_chars` Unicode scalar values that ends between two grapheme clusters
/// (Unicode Standard Annex 29). Empty if the first cluster is longer.
pub(crate) fn excerpt(text: &str, max_chars: usize) -> &str {
    let Some((limit, _)) = text.char_indices().nth(max_chars) else { return text };
    let ends = text.grapheme_indices(true).map(|(start, grapheme)| start + grapheme.len());
    let end = ends.take_while(|end| *end <= limit).last().unwrap_or_default();
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLUSTERS: [&str; 9] = [
        "a",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "\u{1f1e9}\u{1f1ea}",
        "\u{1f44d}\u{1f3fd}",
        "1\u{fe0f}\u{20e3}",
        "\u{2764}\u{fe0f}",
        "n\u{303}\u{323}\u{331}",
        "\u{915}\u{94d}\u{937}\u{93f}",
        "\n",
    ];

    #[test]
    fn a_character_of_several_scalar_values_is_kept_whole_or_left_out() {
        for cluster in CLUSTERS {
            let text = format!("xx{cluster}y");
            let length = cluster.chars().count();
            for max in 2..2 + length {
                assert_eq!(excerpt(&text, max), "xx", "{cluster:?}");
            }
            assert_eq!(excerpt(&text, 2 + length), format!("xx{cluster}"));
        }
    }

    #[test]
    fn a_first_character_that_does_not_fit_leaves_nothing() {
        let text = format!("z{}", "\u{301}".repeat(120));

        assert_eq!(excerpt(&text, 100), "");
        assert_eq!(excerpt(&text, 121), text);
        assert_eq!(excerpt("", 0), "");
    }

    proptest! {
        #[test]
        fn an_excerpt_is_the_longest_start_of_whole_clusters(
            clusters in proptest::collection::vec(proptest::sample::select(&CLUSTERS[..]), 0..12),
            max in 0..20_usize,
        ) {
            let text = clusters.concat();
            let short = excerpt(&text, max);
            prop_assert!(text.starts_with(short) && short.chars().count() <= max);
            let whole: Vec<&str> = text.graphemes(true).collect();
            let count = short.graphemes(true).count();
            prop_assert_eq!(whole[..count].concat(), short);
            if let Some(next) = whole.get(count) {
                prop_assert!(max < short.chars().count() + next.chars().count());
            }
        }

        /// A reader of the text needs one more character than the excerpt may have.
        #[test]
        fn one_character_after_the_limit_decides_where_an_excerpt_ends(
            clusters in proptest::collection::vec(proptest::sample::select(&CLUSTERS[..]), 0..12),
            max in 0..20_usize,
        ) {
            let text = clusters.concat();
            let start: String = text.chars().take(max + 1).collect();
            prop_assert_eq!(excerpt(&start, max), excerpt(&text, max));
        }
    }
}
