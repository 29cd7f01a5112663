//! Previews of public posts for other sites that show links: Open Graph data.

use std::fmt::Write as _;

use actix_web::HttpRequest;
use futures_util::future::LocalBoxFuture;

/// What other sites show of a link to a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostPreview {
    /// The path of the page of the post.
    pub path: String,
    /// The title of the post, or a sentence that names its author.
    pub title: String,
    /// The text of the post. The preview has its first 200 characters.
    pub description: String,
    /// The URL of the image: a path on this server, or absolute.
    pub image_url: Option<String>,
    /// The name of the author.
    pub author: String,
}

/// Finds the posts that links lead to.
pub trait PostPreviews: Send + Sync {
    /// Returns the post if a guest can see it. `id` is the text of the URL, which need not be an id. A failure is no
    /// preview.
    fn find<'a>(
        &'a self,
        request: &'a HttpRequest,
        id: &'a str,
    ) -> LocalBoxFuture<'a, Option<PostPreview>>;
}

/// The maximum length of a description, in characters. Sites cut longer ones.
const MAX_DESCRIPTION: usize = 200;

impl PostPreview {
    /// The `meta` elements of the preview, as HTML.
    pub(crate) fn to_html(&self, public_url: &str) -> String {
        let mut html = String::new();
        let mut property = |name: &str, content: &str| {
            let content = escaped(content);
            // Writing to a string does not fail.
            _ = writeln!(html, r#"<meta property="{name}" content="{content}">"#);
        };
        property("og:site_name", "Grateful");
        property("og:type", "article");
        property("og:title", &self.title);
        property("og:description", &shortened(&self.description));
        property("og:url", &format!("{public_url}{}", self.path));
        property("article:author", &self.author);
        if let Some(image) = &self.image_url {
            let base = if image.starts_with('/') { public_url } else { "" };
            property("og:image", &format!("{base}{image}"));
            property("twitter:card", "summary_large_image");
        }
        html
    }
}

/// One line with at most [`MAX_DESCRIPTION`] characters.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_DESCRIPTION) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

/// The text with references for the characters that end a text or an attribute value in HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "ä ".repeat(300);

        let shortened = shortened(&text);

        assert_eq!(shortened.chars().count(), MAX_DESCRIPTION);
        assert!(shortened.ends_with("ä…"), "{shortened}");
    }

    #[test]
    fn a_text_of_several_lines_becomes_one_line() {
        assert_eq!(shortened(" For\r\n\nthe   bus. "), "For the bus.");
    }
}
