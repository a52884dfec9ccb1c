use std::fmt::Display;

use super::error_response::error_response;
use crate::{
    error::{Error, ErrorKind},
    http::Client,
    transport::{EndpointBuilder, ReadError},
};

const BASE_URL: &str = "https://api.hubapi.com";

/// An endpoint of HubSpot, with what all builders set by default.
pub(super) fn endpoint() -> EndpointBuilder {
    EndpointBuilder::new(BASE_URL, ReadError::Vendor(error_response))
}

/// A client of the account.
///
/// # Errors
///
/// The token is missing, or the endpoint can't be reached so.
pub(super) fn client(endpoint: EndpointBuilder) -> Result<Client, Error> {
    Ok(Client::of(endpoint.build("", "token", None::<(&str, String)>)?))
}

/// # Errors
///
/// A request can't ask for so many.
pub(super) fn check_size<N>(what: &str, size: N, most: N) -> Result<(), Error>
where
    N: Copy + PartialOrd + Display + From<u8>,
{
    if N::from(1) <= size && size <= most {
        return Ok(());
    }
    let message = format!("invalid {what} {size}: expected 1 to {most}");
    Err(Error::new(ErrorKind::Configuration, message))
}

/// The setters that all builders have: how the account is reached.
macro_rules! account_setters {
    () => {
        $crate::transport::endpoint_setters! {
            /// The access token of a private app or of OAuth. It goes into the
            /// `Authorization` header, and nowhere else. Either this or
            /// [`credentials`](Self::credentials) is required.
            token;
            /// Where the access token comes from, if it expires: HubSpot's OAuth tokens
            /// last 30 minutes. It is requested again when the service answers 401.
            credentials;
            /// The address of the service: `https://api.hubapi.com` by default.
            base_url;
        }
    };
}
pub(super) use account_setters;
