//! The server around the routes.

mod protocol_errors;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{
    IntoServiceFactory as _, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config,
};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use grateful_application::App;

use self::protocol_errors::ProtocolErrorStream;
use crate::WebConfig;
use crate::middleware::RateLimits;
use crate::routes::notifications::stream::ShutdownSignal;

/// A server on `listeners` whose every thread has an application of its own, from `make_app`. It answers as long as it
/// is awaited, and leaves signals to its owner, who stops it by its handle: then requests in flight are finished, and
/// idle connections closed.
///
/// # Errors
/// A listener cannot be used.
pub fn serve(
    make_app: impl Fn() -> App + Clone + Send + 'static,
    config: &WebConfig,
    listeners: Vec<TcpListener>,
) -> io::Result<Server> {
    let mut builder = Server::build()
        .workers(config.workers)
        .shutdown_timeout(config.shutdown_timeout.as_secs())
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let limits = Data::new(RateLimits::new(config.limits.as_ref()));
    for listener in listeners {
        let (make_app, config, stopping) = (make_app.clone(), config.clone(), stopping.clone());
        let limits = limits.clone();
        let thread = move || connections(make_app(), &config, limits.clone(), stopping.clone());
        builder = builder.listen("grateful", listener, thread)?;
    }
    Ok(builder.run())
}

/// What one thread does with its connections. As `actix_web::HttpServer` would, but with [`ProtocolErrorStream`] in between.
fn connections(
    app: App,
    config: &WebConfig,
    limits: Data<RateLimits>,
    stopping: GracefulShutdownSignal,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
+ use<> {
    let clock = Arc::clone(&app.clock);
    // Limits in place of the thread's own: they hold for all threads together.
    let routes = crate::app(app, config).app_data(limits);
    let routes = routes.app_data(Data::new(ShutdownSignal(stopping.clone())));
    let routes = routes.into_factory().map_err(|error| error.error_response());
    let http = HttpService::build()
        .keep_alive(WebConfig::KEEP_ALIVE)
        .client_request_timeout(config.client_request_timeout)
        .client_disconnect_timeout(Duration::from_secs(1))
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .finish(map_config(routes, |()| AppConfig::default()));
    fn_service(move |stream: TcpStream| {
        let peer = stream.peer_addr().ok();
        // Answers are written whole, so waiting for more of them only costs time.
        _ = stream.set_nodelay(true);
        let stream = ProtocolErrorStream::on(stream, Arc::clone(&clock));
        async move { Ok((stream, Protocol::Http1, peer)) }
    })
    .and_then(http)
}
