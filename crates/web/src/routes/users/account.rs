//! `/users/me`: the account itself.

use actix_web::HttpResponse;
use actix_web::web::Data;
use grateful_application::{App, accounts};
use grateful_domain::{FieldValidator, ValidationError};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{Field, JsonBody, SignedIn, as_is};
use crate::response::Problem;

/// The password that confirms the deletion of an account.
#[derive(Deserialize, ToSchema)]
pub(crate) struct DeleteAccountBody {
    #[serde(default)]
    #[schema(value_type = String, required)]
    password: Field<String>,
}

impl DeleteAccountBody {
    fn parse(self) -> Result<String, ValidationError> {
        let mut fields = FieldValidator::default();
        let password = fields.check("password", self.password.required(as_is));
        fields.finish(|| password)
    }
}

/// Deletes the account of the caller with all its data.
#[utoipa::path(
    delete,
    path = "/users/me",
    tag = "profiles",
    request_body(content = DeleteAccountBody, example = json!({"password": "correct horse battery"})),
    responses(
        (status = 204, description = "The account is deleted"),
        (status = 403, body = Problem, description = "The password is incorrect"),
    ),
)]
pub(crate) async fn delete_account(
    app: Data<App>,
    me: SignedIn,
    JsonBody(body): JsonBody<DeleteAccountBody>,
) -> Result<HttpResponse, ApiError> {
    accounts::delete_own(&app, me.user(), body.parse()?).await?;
    Ok(HttpResponse::NoContent().finish())
}
