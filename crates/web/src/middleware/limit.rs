//! Refuses whoever asks too much, before their body is read.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::error::ApiError;
use crate::extract::now;
use crate::limits::Limits;

/// Lets pass whoever has something left, and tells them how much.
pub(crate) async fn limit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let counted = match request.app_data::<Data<Limits>>() {
        Some(limits) => limits.count(&request, now(request.request())),
        None => Ok(None),
    };
    match counted {
        Ok(quota) => {
            let mut response = next.call(request).await?.map_into_boxed_body();
            if let Some(quota) = quota {
                quota.tell(response.headers_mut());
            }
            Ok(response)
        }
        Err(error) => Ok(request.error_response(ApiError::from(error))),
    }
}
