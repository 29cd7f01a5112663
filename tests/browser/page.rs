//! What a person does with a page: finds controls by what they are called, presses them, types, and reads.

use std::time::Instant;

use grateful_tests::{TIMEOUT, Value, json};

use crate::browser::Browser;

/// Finds the first visible element of a kind with a name, in the part of the page that a selector selects. The name is
/// that for screen readers: a label, or the text. It may go on, for instance with a count.
/// An element that still moves, since something above it has just been loaded, is not found yet: a click could miss it.
const FIND: &str = r"
const [scope, kind, name, done] = arguments;
const KINDS = {
  button: 'button, summary, [role=button], [role=tab]',
  link: 'a[href]',
  option: '[role=option]',
  field: 'input, textarea, select',
};
const place = (element) => { const { x, y } = element.getBoundingClientRect(); return `${x} ${y}`; };
const plain = (text) => (text ?? '').replace(/\s+/g, ' ').trim();
const named = (element) => plain(element.getAttribute('aria-label') || element.labels?.[0]?.textContent || element.textContent);
for (const part of document.querySelectorAll(scope)) {
  const found = [...part.querySelectorAll(KINDS[kind])].filter((element) => element.checkVisibility());
  const element = found.find((element) => named(element) === name) ?? found.find((element) => named(element).startsWith(name));
  if (element) {
    element.scrollIntoView({ block: 'center', behavior: 'instant' });
    const before = place(element);
    setTimeout(() => done(element.isConnected && place(element) === before ? element : null), 50);
    return;
  }
}
done(null);
";

const READ: &str = r"
return [...document.querySelectorAll(arguments[0])]
  .filter((element) => element.checkVisibility()).map((element) => element.innerText).join('\n');
";

/// The elements that reach beyond the right edge of a page that can be scrolled sideways.
const WIDER_THAN_WINDOW: &str = r"
const width = document.documentElement.clientWidth;
if (document.scrollingElement.scrollWidth <= width) return [];
return [...document.body.querySelectorAll('*')]
  .filter((element) => element.getBoundingClientRect().right > width + 1)
  .map((element) => `${element.tagName}.${element.className} ${element.getBoundingClientRect().right}`);
";

impl Browser {
    /// Presses a button by its name, once it is there.
    pub(crate) async fn press_button(&self, name: &str) {
        self.press_in("body", "button", name).await;
    }

    /// Follows a link by its name, once it is there.
    pub(crate) async fn follow_link(&self, name: &str) {
        self.press_in("body", "link", name).await;
    }

    /// Presses a `button`, `link` or `option` in the part of the page that `scope` selects. Tries again while something
    /// covers it.
    pub(crate) async fn press_in(&self, scope: &str, kind: &str, name: &str) {
        let start = Instant::now();
        loop {
            let element = self.find(scope, kind, name).await;
            let Err(error) = self.click_on(&element).await else { return };
            assert!(start.elapsed() < TIMEOUT, "{kind} {name:?} in {scope}: {error}");
        }
    }

    /// Types into the field with this label.
    pub(crate) async fn fill_in(&self, label: &str, text: &str) {
        self.fill_in_within("body", label, text).await;
    }

    /// Types into the field with this label in the part of the page that `scope` selects.
    pub(crate) async fn fill_in_within(&self, scope: &str, label: &str, text: &str) {
        let field = self.find(scope, "field", label).await;
        self.type_into(&field, text).await;
    }

    /// Waits for a control and returns a reference to it.
    pub(crate) async fn find(&self, scope: &str, kind: &str, name: &str) -> Value {
        let arguments = [json!(scope), json!(kind), json!(name)];
        self.poll(&format!("{kind} {name:?} in {scope}"), async || {
            let found = self.script_with_callback(FIND, &arguments).await;
            (!found.is_null()).then_some(found)
        })
        .await
    }

    /// Waits until the visible text of the page contains `text`.
    pub(crate) async fn sees(&self, text: &str) {
        self.sees_in("body", text).await;
    }

    /// Waits until the visible text of what `scope` selects contains `text`.
    pub(crate) async fn sees_in(&self, scope: &str, text: &str) {
        self.poll(&format!("text {text:?} in {scope}"), async || {
            self.text(scope).await.contains(text).then_some(())
        })
        .await;
    }

    /// Waits until the visible text of what `scope` selects no longer contains `text`.
    pub(crate) async fn no_longer_sees_in(&self, scope: &str, text: &str) {
        self.poll(&format!("no text {text:?} in {scope}"), async || {
            (!self.text(scope).await.contains(text)).then_some(())
        })
        .await;
    }

    /// The visible text of what `scope` selects.
    pub(crate) async fn text(&self, scope: &str) -> String {
        self.script(READ, &[json!(scope)]).await.as_str().unwrap().to_owned()
    }

    /// Waits until a script returns true.
    pub(crate) async fn waits_until(&self, description: &str, body: &str) {
        self.poll(description, async || {
            (self.script(body, &[]).await == json!(true)).then_some(())
        })
        .await;
    }

    /// Asserts that the page is not wider than the window, and names what is.
    pub(crate) async fn assert_fits(&self, page: &str) {
        let wide = self.script(WIDER_THAN_WINDOW, &[]).await;
        assert_eq!(wide, json!([]), "{page} is wider than the window");
    }

    async fn poll<T>(&self, description: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = attempt().await {
                return found;
            }
            if TIMEOUT < start.elapsed() {
                let (text, errors) = (self.text("body").await, self.take_errors().await);
                panic!("timeout: {description}; errors: {errors:?}; the page says:\n{text}");
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}
