use crate::browser::Browser;
use crate::visitor::start_server;

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn the_page_for_operators_plots_what_the_server_does() {
    let server = start_server().await;
    let client = server.client();
    let browser = Browser::open(&server).await;
    browser.open_page("/about/server").await;
    browser.sees_in("#state", "Ready").await;
    browser.sees_in("#facts", env!("CARGO_PKG_VERSION")).await;
    browser.sees_in("#facts", "Connections: requests").await;

    let ana = client.sign_up("ana").await;
    let post = client.create_post(&ana, "For the first snow.").send().await.expect(201).id();
    for name in ["ben", "caro"] {
        let friend = client.sign_up(name).await;
        client.post(&format!("/api/v1/posts/{post}/heart")).by(&friend).send().await.expect(201);
    }

    browser.sees_in("#routes", "POST /api/v1/posts/{id}/heart").await;
    let batches = "return [...document.querySelectorAll('.fact')].some(({ textContent: text }) => text === 'Batches formed1')";
    browser.waits_until("one batch is counted", batches).await;
    let line = "return document.querySelectorAll('.plot-line[d*=L]').length";
    browser.waits_until("the plots have lines", &format!("{line} > 8")).await;
    let errors = browser.take_errors().await;
    assert!(errors.is_empty(), "{errors:#?}");
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn the_page_for_operators_says_when_the_server_is_gone_and_goes_on_when_it_is_back() {
    let server = start_server().await;
    let browser = Browser::open(&server).await;
    browser.open_page("/about/server").await;
    browser.sees_in("#state", "Ready").await;

    browser.set_offline(true).await;
    browser.sees_in("#state", "The server does not answer").await;
    browser.set_offline(false).await;

    browser.sees_in("#state", "Ready").await;
}
