//! The caller's session and access token.

use std::cell::Cell;
use std::future::{Ready, ready};

use actix_web::dev::{Extensions, Payload};
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::FutureExt as _;
use futures_util::future::{Either, LocalBoxFuture};
use grateful_application::{AccessToken, CallerMark, Error, read_as, read_as_guest, sessions};
use grateful_domain::{Session, UserId, Viewer};

use crate::error::ApiError;
use crate::request::app;

/// The caller's session, on routes that need a token. The token has been checked, here or by the authentication middleware.
pub(crate) struct SignedIn(pub(crate) Session);

impl SignedIn {
    pub(crate) fn user(&self) -> UserId {
        self.0.user
    }
}

impl FromRequest for SignedIn {
    type Error = ApiError;
    type Future =
        Either<Ready<Result<Self, ApiError>>, LocalBoxFuture<'static, Result<Self, ApiError>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        match Caller::of(request) {
            Caller::Guest(_) => Either::Left(ready(Err(unauthenticated().into()))),
            Caller::Session(session, _) => Either::Left(ready(Ok(Self(session)))),
            Caller::Unverified(caller) => {
                let verify = async move { Ok(Self(caller.verify().await?)) };
                Either::Right(verify.boxed_local())
            }
        }
    }
}

/// The caller of a route that only reads, and that needs a token. The user is known to the handler only inside
/// [`read`](Self::read), whose result reaches it only if the token is valid.
pub(crate) struct SignedInReader(Caller);

impl SignedInReader {
    /// Runs a read for the caller. It must have no effects: it may run while the token is being checked, and then its result
    /// is dropped if the token is not valid.
    ///
    /// # Errors
    /// `Unauthenticated` if the token is not valid, otherwise the error of `read`.
    pub(crate) async fn read<T>(
        self,
        read: impl AsyncFnOnce(UserId) -> Result<T, Error> + Clone,
    ) -> Result<T, ApiError> {
        let read = async move |viewer: Viewer| match viewer.user() {
            Some(user) => read(user).await,
            None => Err(unauthenticated()),
        };
        self.0.read(read).await
    }
}

impl FromRequest for SignedInReader {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = Caller::of(request);
        let is_guest = matches!(caller, Caller::Guest(_));
        ready(if is_guest { Err(unauthenticated().into()) } else { Ok(Self(caller)) })
    }
}

/// As [`SignedInReader`], on routes where a token is optional.
pub(crate) struct OptionalReader(Caller);

impl OptionalReader {
    /// As [`SignedInReader::read`], for a guest if there is no token.
    pub(crate) async fn read<T>(
        self,
        read: impl AsyncFnOnce(Viewer) -> Result<T, Error> + Clone,
    ) -> Result<T, ApiError> {
        self.0.read(read).await
    }
}

impl FromRequest for OptionalReader {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(Caller::of(request))))
    }
}

/// Marks a request whose token is not checked yet, in its extensions. The authentication middleware sends no response to it
/// before it is.
#[derive(Clone)]
pub(crate) struct UnverifiedToken(pub(crate) AccessToken);

/// What is known about the caller of a request.
enum Caller {
    Guest(HttpRequest),
    Session(Session, Option<CallerMark>),
    Unverified(UnverifiedCaller),
}

impl Caller {
    fn of(request: &HttpRequest) -> Self {
        let extensions = request.extensions();
        if let Some(session) = extensions.get::<Session>() {
            return Self::Session(session.clone(), extensions.get().copied());
        }
        match extensions.get::<UnverifiedToken>() {
            Some(UnverifiedToken(token)) => Self::Unverified(UnverifiedCaller {
                token: token.clone(),
                request: request.clone(),
            }),
            None => Self::Guest(request.clone()),
        }
    }

    async fn read<T>(
        self,
        read: impl AsyncFnOnce(Viewer) -> Result<T, Error> + Clone,
    ) -> Result<T, ApiError> {
        let output = Cell::new(None);
        let reads = |viewer| {
            let (read, output) = (read.clone(), &output);
            let read = async move {
                output.set(Some(read(viewer).await?));
                Ok(())
            };
            read.boxed_local()
        };
        self.run(&reads).await?;
        Ok(output.into_inner().expect("a read without an error has an output"))
    }

    /// Knows nothing of the reads, so that their connections and the look-up of the session are compiled once, and not for each
    /// handler.
    async fn run(self, reads: &Reads<'_>) -> Result<(), ApiError> {
        match self {
            Self::Guest(request) => Ok(read_as_guest(app(&request)?, reads(Viewer::Guest)).await?),
            Self::Session(session, mark) => {
                Ok(read_as(mark, reads(Viewer::User(session.user))).await?)
            }
            Self::Unverified(caller) => caller.run(reads).await,
        }
    }
}

/// Runs the reads of a handler for a viewer. Their output is kept elsewhere.
type Reads<'a> = dyn Fn(Viewer) -> LocalBoxFuture<'a, Result<(), Error>> + 'a;

/// A caller whose token is not checked yet.
struct UnverifiedCaller {
    token: AccessToken,
    request: HttpRequest,
}

impl UnverifiedCaller {
    async fn verify(self) -> Result<Session, ApiError> {
        let caller = sessions::authenticate_caller(app(&self.request)?, &self.token).await?;
        let session = caller.0.clone();
        insert_caller(&mut self.request.extensions_mut(), caller);
        Ok(session)
    }

    async fn run(self, reads: &Reads<'_>) -> Result<(), ApiError> {
        let read = async |user| reads(Viewer::User(user)).await;
        let (session, output) =
            sessions::authenticate_and_read(app(&self.request)?, &self.token, read).await?;
        self.request.extensions_mut().insert(session);
        Ok(output?)
    }
}

/// Notes the caller of a request, whose token is valid, and where their reads may run.
pub(crate) fn insert_caller(
    extensions: &mut Extensions,
    (session, mark): (Session, Option<CallerMark>),
) {
    extensions.insert(session);
    if let Some(mark) = mark {
        extensions.insert(mark);
    }
}

/// The error of a request without a token, on a route that needs one.
pub(crate) fn unauthenticated() -> Error {
    Error::Unauthenticated("Authentication is required")
}

/// Returns the token in the `Authorization` header, if it has the form of a bearer token (RFC 6750 §2.1).
pub(crate) fn bearer_token(request: &HttpRequest) -> Option<AccessToken> {
    let credentials = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = credentials.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| AccessToken::parse(token.trim()))?
}
