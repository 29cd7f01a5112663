//! `/auth`: sign-up, login, sessions and password.

use actix_web::HttpRequest;
use actix_web::web::Data;
use grateful_application::accounts::{ChangePassword, LogIn, SignUp};
use grateful_application::{AccessToken, App, accounts, sessions};
use grateful_domain::{Email, FieldValidator, Password, Session, User, Username, ValidationError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ApiError;
use crate::request::{
    Field, JsonBody, SessionPath, SignedIn, SignedInReader, UserAgent, as_is, bearer_token,
};
use crate::response::{Envelope, JsonResponse, MessageView, Problem, Timestamp};

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewAccount {
    #[serde(default)]
    #[schema(value_type = String, required, min_length = 3, max_length = 50)]
    username: Field<String>,
    #[serde(default)]
    #[schema(value_type = String, required, format = Email)]
    email: Field<String>,
    #[serde(default)]
    #[schema(value_type = String, required, min_length = 8, max_length = 128)]
    password: Field<String>,
}

impl NewAccount {
    fn parse(self, user_agent: Option<String>) -> Result<SignUp, ValidationError> {
        let mut fields = FieldValidator::default();
        let username =
            fields.check("username", self.username.required(|raw| Username::parse(&raw)));
        let email = fields.check("email", self.email.required(|raw| Email::parse(&raw)));
        let password =
            fields.check("password", self.password.required(|raw| Password::parse(&raw)));
        fields.finish(|| {
            Some(SignUp { username: username?, email: email?, password: password?, user_agent })
        })
    }
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewSession {
    #[serde(default)]
    #[schema(value_type = String, required)]
    email: Field<String>,
    #[serde(default)]
    #[schema(value_type = String, required)]
    password: Field<String>,
}

impl NewSession {
    fn parse(self, user_agent: Option<String>) -> Result<LogIn, ValidationError> {
        let mut fields = FieldValidator::default();
        let email = fields.check("email", self.email.required(as_is));
        let password = fields.check("password", self.password.required(as_is));
        fields.finish(|| Some(LogIn { email: email?, password: password?, user_agent }))
    }
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct ChangePasswordBody {
    #[serde(default)]
    #[schema(value_type = String, required)]
    current_password: Field<String>,
    #[serde(default)]
    #[schema(value_type = String, required, min_length = 8, max_length = 128)]
    new_password: Field<String>,
}

impl ChangePasswordBody {
    fn parse(self) -> Result<ChangePassword, ValidationError> {
        let mut fields = FieldValidator::default();
        let current = fields.check("current_password", self.current_password.required(as_is));
        let new =
            fields.check("new_password", self.new_password.required(|raw| Password::parse(&raw)));
        fields.finish(|| Some(ChangePassword { current: current?, new: new? }))
    }
}

/// A new account, and the access token of its first session.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountView {
    id: i64,
    email: String,
    username: String,
    access_token: String,
    #[schema(example = "bearer")]
    token_type: &'static str,
}

/// The access token of a new session.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccessTokenView {
    access_token: String,
    #[schema(example = "bearer")]
    token_type: &'static str,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CurrentUserView {
    id: i64,
    email: String,
    username: String,
}

/// A session of the caller: one login on one device.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionView {
    id: Uuid,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    user_agent: Option<String>,
    /// Whether the request was sent with the token of this session.
    current: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RevokedSessionsView {
    /// The number of revoked sessions.
    ended: usize,
}

const BEARER: &str = "bearer";

/// Creates an account and its first session.
#[utoipa::path(
    post,
    path = "/auth/signup",
    tag = "auth",
    request_body(content = NewAccount, example = json!({
        "username": "ana", "email": "ana@example.com", "password": "correct horse battery",
    })),
    responses(
        (status = 201, body = Envelope<AccountView>, description = "The new account, and the access token of its first session"),
        (status = 409, body = Problem, description = "The username or the email address is taken"),
    ),
)]
pub(crate) async fn sign_up(
    app: Data<App>,
    UserAgent(user_agent): UserAgent,
    JsonBody(new): JsonBody<NewAccount>,
) -> Result<JsonResponse<AccountView>, ApiError> {
    let (user, token) = accounts::sign_up(&app, new.parse(user_agent)?).await?;
    Ok(JsonResponse::enveloped(AccountView::new(user, &token)).created())
}

/// Logs a user in: creates a session and returns its access token.
#[utoipa::path(
    post,
    path = "/auth/login",
    tag = "auth",
    request_body(content = NewSession, example = json!({
        "email": "ana@example.com", "password": "correct horse battery",
    })),
    responses(
        (status = 200, body = Envelope<AccessTokenView>, description = "The access token of the new session"),
        (status = 401, body = Problem, description = "The email address or the password is incorrect"),
    ),
)]
pub(crate) async fn log_in(
    app: Data<App>,
    UserAgent(user_agent): UserAgent,
    JsonBody(new): JsonBody<NewSession>,
) -> Result<JsonResponse<AccessTokenView>, ApiError> {
    let token = accounts::log_in(&app, new.parse(user_agent)?).await?;
    Ok(JsonResponse::enveloped(AccessTokenView {
        access_token: token.as_str().to_owned(),
        token_type: BEARER,
    }))
}

/// Returns the account of the caller.
#[utoipa::path(
    get,
    path = "/auth/session",
    tag = "auth",
    responses((status = 200, body = Envelope<CurrentUserView>, description = "The account of the caller")),
)]
pub(crate) async fn get_current_user(
    app: Data<App>,
    me: SignedInReader,
) -> Result<JsonResponse<CurrentUserView>, ApiError> {
    let user = me.read(async |user| accounts::get(&app, user).await).await?;
    Ok(JsonResponse::enveloped(user.into()))
}

/// Revokes the session of the request. Succeeds without a valid token too.
#[utoipa::path(
    post,
    path = "/auth/logout",
    tag = "auth",
    responses((status = 200, body = Envelope<MessageView>, description = "The token no longer works")),
)]
pub(crate) async fn log_out(
    app: Data<App>,
    request: HttpRequest,
) -> Result<JsonResponse<MessageView>, ApiError> {
    if let Some(token) = bearer_token(&request) {
        sessions::log_out(&app, &token).await?;
    }
    Ok(JsonResponse::enveloped(MessageView { message: "Successfully logged out" }))
}

/// Lists the sessions of the caller, newest first.
#[utoipa::path(
    get,
    path = "/auth/sessions",
    tag = "auth",
    responses((status = 200, body = Envelope<Vec<SessionView>>, description = "The sessions of the caller")),
)]
pub(crate) async fn list_sessions(
    app: Data<App>,
    me: SignedIn,
) -> Result<JsonResponse<Vec<SessionView>>, ApiError> {
    let sessions = sessions::list(&app, me.user()).await?;
    let views = sessions.into_iter().map(|session| SessionView::new(session, &me.0));
    Ok(JsonResponse::enveloped(views.collect()))
}

/// Revokes a session of the caller. Its token stops working.
#[utoipa::path(
    delete,
    path = "/auth/sessions/{id}",
    tag = "auth",
    params(("id" = Uuid, Path, description = "Session id")),
    responses(
        (status = 200, body = Envelope<RevokedSessionsView>, description = "The session is revoked"),
        (status = 404, body = Problem, description = "The caller has no such session"),
    ),
)]
pub(crate) async fn revoke_session(
    app: Data<App>,
    me: SignedIn,
    SessionPath(session): SessionPath,
) -> Result<JsonResponse<RevokedSessionsView>, ApiError> {
    sessions::revoke(&app, me.user(), session).await?;
    Ok(JsonResponse::enveloped(RevokedSessionsView { ended: 1 }))
}

/// Revokes all sessions of the caller, including that of the request.
#[utoipa::path(
    post,
    path = "/auth/logout-all",
    tag = "auth",
    responses(
        (status = 200, body = Envelope<RevokedSessionsView>, description = "All sessions of the caller are revoked"),
    ),
)]
pub(crate) async fn revoke_all_sessions(
    app: Data<App>,
    me: SignedIn,
) -> Result<JsonResponse<RevokedSessionsView>, ApiError> {
    let ended = sessions::revoke_all(&app, me.user()).await?;
    Ok(JsonResponse::enveloped(RevokedSessionsView { ended }))
}

/// Changes the password of the caller and revokes all other sessions.
#[utoipa::path(
    put,
    path = "/auth/password",
    tag = "auth",
    request_body(content = ChangePasswordBody, example = json!({
        "current_password": "correct horse battery", "new_password": "staple correct horse",
    })),
    responses(
        (status = 200, body = Envelope<MessageView>, description = "The password is changed"),
        (status = 403, body = Problem, description = "The current password is incorrect"),
    ),
)]
pub(crate) async fn change_password(
    app: Data<App>,
    me: SignedIn,
    JsonBody(body): JsonBody<ChangePasswordBody>,
) -> Result<JsonResponse<MessageView>, ApiError> {
    accounts::change_password(&app, &me.0, body.parse()?).await?;
    Ok(JsonResponse::enveloped(MessageView { message: "Password changed" }))
}

impl AccountView {
    fn new(user: User, token: &AccessToken) -> Self {
        Self {
            id: user.id.into(),
            email: user.email.as_str().to_owned(),
            username: user.username.into(),
            access_token: token.as_str().to_owned(),
            token_type: BEARER,
        }
    }
}

impl From<User> for CurrentUserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.into(),
            email: user.email.as_str().to_owned(),
            username: user.username.into(),
        }
    }
}

impl SessionView {
    pub(crate) fn new(session: Session, current: &Session) -> Self {
        Self {
            id: session.id.into(),
            created_at: session.created_at.into(),
            last_used_at: session.last_used_at.into(),
            expires_at: session.expires_at.into(),
            current: session.id == current.id,
            user_agent: session.user_agent,
        }
    }
}
