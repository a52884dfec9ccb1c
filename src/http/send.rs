use bytes::Bytes;
use http::Response;

use super::{page_request::PageRequest, request::RequestBuilder, template::Template};
use crate::error::Error;

impl RequestBuilder {
    /// Sends this request alone, once. It is not retried. After a 401 it is sent again with
    /// another secret, if the client has a provider.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration) if it can't be built, the transport's, and
    /// [`Status`](crate::ErrorKind::Status) for a response that is no success.
    pub async fn send(self) -> Result<Response<Bytes>, Error> {
        let template = Template::new(self)?;
        let limit = template.limit.as_ref().map(|limit| limit.records);
        let (response, _) = PageRequest::new(&template, limit).send().await?;
        Ok(response)
    }
}
