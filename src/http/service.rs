use super::link::Links;
use crate::transport::Endpoint;

/// What a client knows: the address of its service and what each request has, and where links
/// may lead.
pub(crate) struct Service {
    pub(crate) endpoint: Endpoint,
    pub(crate) links: Links,
}
