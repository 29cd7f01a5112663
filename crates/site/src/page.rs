//! The one HTML page. The client in it draws everything else, by the path.

use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::document::Document;
use crate::files::{FILES, File, VERSION};
use crate::preview::{PostPreview, escaped};

const TEMPLATE: &str = include_str!("../client/page.html");

/// Only files of this server run and are shown; images can also come from the user's own device, before an upload.
/// `require-trusted-types-for` refuses every way of a script to write markup.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                                 img-src 'self' blob:; connect-src 'self'; base-uri 'none'; \
                                 form-action 'none'; frame-ancestors 'none'; \
                                 require-trusted-types-for 'script'; trusted-types 'none'";

/// Fills in the links of a template to the files of the client.
pub(crate) fn with_links(template: &str) -> String {
    let assets = format!("/assets/{}", *VERSION);
    let links = |is_listed: fn(&File) -> bool, rel: &str| {
        let mut html = String::new();
        for file in FILES.iter().filter(|file| is_listed(file)) {
            // Writing to a string does not fail.
            _ = writeln!(html, r#"<link rel="{rel}" href="{assets}/{}">"#, file.name);
        }
        html
    };
    template
        .replace("{styles}\n", &links(File::is_style_sheet, "stylesheet"))
        .replace("{modules}\n", &links(File::is_module, "modulepreload"))
        .replace("{assets}", &assets)
}

/// The page around its title and the rest of its head.
static FRAME: LazyLock<[String; 3]> = LazyLock::new(|| {
    let page = with_links(TEMPLATE);
    let (start, rest) = page.split_once("{title}").unwrap_or((&page, ""));
    let (middle, end) = rest.split_once("{head}\n").unwrap_or((rest, ""));
    [start, middle, end].map(str::to_owned)
});

/// The page for any path.
pub(crate) static PLAIN: LazyLock<Document> = LazyLock::new(|| assemble("Grateful", ""));

/// The page of a post that a guest can see.
pub(crate) fn with_preview(preview: &PostPreview, public_url: &str) -> Document {
    let title = escaped(&format!("{} · Grateful", preview.title));
    assemble(&title, &preview.to_html(public_url))
}

fn assemble(title: &str, head: &str) -> Document {
    let [start, middle, end] = &*FRAME;
    Document::new([start, title, middle, head, end].concat())
}
