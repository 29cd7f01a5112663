//! The HTTP server.

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
use crate::middleware::{RateLimits, Refusals};
use crate::routes::notifications::stream::ShutdownSignal;

/// Starts a server on `listeners`. Each worker thread has an application of its own, from `make_app`.
///
/// The server runs while it is awaited. It does not handle signals: the caller stops it by its handle, and then it
/// finishes the requests in flight and closes idle connections.
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
    let shutdown = builder.graceful_shutdown_signal();
    let listens_on_loopback_only = are_loopback(&listeners)?;
    let limits = Data::new(RateLimits::new(config.limits.as_ref(), listens_on_loopback_only));
    let refusals = Refusals::new();
    for listener in listeners {
        let (make_app, config, shutdown) = (make_app.clone(), config.clone(), shutdown.clone());
        let (limits, refusals) = (limits.clone(), refusals.clone());
        let worker = move || {
            let shared = (limits.clone(), refusals.clone());
            connection_service(make_app(), &config, shared, shutdown.clone())
        };
        builder = builder.listen("grateful", listener, worker)?;
    }
    Ok(builder.run())
}

/// Whether only processes of this machine can connect.
fn are_loopback(listeners: &[TcpListener]) -> io::Result<bool> {
    let addresses = listeners.iter().map(TcpListener::local_addr);
    let addresses = addresses.collect::<io::Result<Vec<_>>>()?;
    Ok(addresses.iter().all(|address| address.ip().to_canonical().is_loopback()))
}

/// Builds the service that handles the connections of one worker thread. It does the same as `actix_web::HttpServer`,
/// but wraps each connection in a [`ProtocolErrorStream`].
fn connection_service(
    app: App,
    config: &WebConfig,
    (limits, refusals): (Data<RateLimits>, Data<Refusals>),
    shutdown: GracefulShutdownSignal,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
+ use<> {
    let clock = Arc::clone(&app.clock);
    // Replaces the rate limits and refusals of this thread's application: all threads share one set.
    let routes = crate::app(app, config).app_data(limits).app_data(refusals);
    let routes = routes.app_data(Data::new(ShutdownSignal(shutdown.clone())));
    let routes = routes.into_factory().map_err(|error| error.error_response());
    let http = HttpService::build()
        .keep_alive(WebConfig::KEEP_ALIVE)
        .client_request_timeout(config.client_request_timeout)
        .client_disconnect_timeout(Duration::from_secs(1))
        .graceful_shutdown_signal(move || {
            let shutdown = shutdown.clone();
            async move { shutdown.notified().await }
        })
        .finish(map_config(routes, |()| AppConfig::default()));
    fn_service(move |stream: TcpStream| {
        let peer = stream.peer_addr().ok();
        // Responses are written as a whole, so Nagle's algorithm would only delay them.
        _ = stream.set_nodelay(true);
        let stream = ProtocolErrorStream::new(stream, Arc::clone(&clock));
        async move { Ok((stream, Protocol::Http1, peer)) }
    })
    .and_then(http)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_local_if_all_its_addresses_are_loopback() {
        let listen = |hosts: &[&str]| -> Vec<TcpListener> {
            hosts.iter().map(|host| TcpListener::bind((*host, 0)).unwrap()).collect()
        };

        assert!(are_loopback(&listen(&["127.0.0.1"])).unwrap());
        assert!(are_loopback(&listen(&["127.0.0.1", "127.0.0.2"])).unwrap());
        assert!(!are_loopback(&listen(&["0.0.0.0"])).unwrap());
        assert!(!are_loopback(&listen(&["127.0.0.1", "0.0.0.0"])).unwrap());
    }
}
