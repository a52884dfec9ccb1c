use std::{
    collections::HashSet,
    fmt::{self, Debug, Formatter},
    hash::Hasher,
    sync::Arc,
};

use secrecy::SecretString;
use twox_hash::XxHash3_64;

use super::{associations::Associations, reader::Reader, refusal::refusal, wire::ObjectId};
use crate::{
    error::{Error, ErrorKind},
    transport::{Credentials, EndpointBuilder, Secret, Transport, path_segment},
};

const BASE_URL: &str = "https://api.hubapi.com";

/// The most inputs that HubSpot takes in one request (its changelog).
const MAX_BATCH_SIZE: usize = 1000;

/// The path under which HubSpot serves the batch read. Both take and give the
/// same bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiVersion {
    /// `/crm/associations/2026-03/{from}/{to}/batch/read`
    #[default]
    V2026_03,
    /// `/crm/v4/associations/{from}/{to}/batch/read`
    V4,
}

/// Builds [`Associations`]: [`Associations::builder`].
#[derive(Clone)]
#[must_use = "call `build` to make a paginator of it"]
pub struct AssociationsBuilder {
    from: String,
    to: String,
    ids: Vec<ObjectId>,
    batch_size: usize,
    version: ApiVersion,
    endpoint: EndpointBuilder,
}

impl Associations {
    /// The associations from objects of one type to objects of another, each
    /// type by its name or id: `deals`, `0-3`, `p1234_pets`.
    pub fn builder(
        from_object_type: impl Into<String>,
        to_object_type: impl Into<String>,
    ) -> AssociationsBuilder {
        AssociationsBuilder::new(from_object_type.into(), to_object_type.into())
    }
}

impl AssociationsBuilder {
    fn new(from: String, to: String) -> Self {
        Self {
            from,
            to,
            ids: Vec::new(),
            batch_size: MAX_BATCH_SIZE,
            version: ApiVersion::default(),
            endpoint: EndpointBuilder::new(BASE_URL, refusal),
        }
    }

    /// Adds ids to read from: any number, as numbers or strings. An id that
    /// comes more than once is read once, at its first place. Without ids
    /// nothing is read, and no request made.
    pub fn ids(mut self, ids: impl IntoIterator<Item = impl Into<ObjectId>>) -> Self {
        self.ids.extend(ids.into_iter().map(Into::into));
        self
    }

    /// The access token, of a private app or OAuth. It goes into the
    /// `Authorization` header, and nowhere else. Either this or
    /// [`credentials`](Self::credentials) is required.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.endpoint.credentials = Some(Secret::Fixed(SecretString::from(token.into())));
        self
    }

    /// Where the access token comes from, if it expires: HubSpot's OAuth tokens
    /// last 30 minutes. It is asked again when the service answers 401.
    pub fn credentials(mut self, provider: impl Credentials + 'static) -> Self {
        self.endpoint.credentials = Some(Secret::Provided(Arc::new(provider)));
        self
    }

    /// How many ids one request asks for at most: 1000 by default, and at most.
    /// A smaller number makes smaller responses and pages.
    pub fn batch_size(mut self, ids: usize) -> Self {
        self.batch_size = ids;
        self
    }

    /// The path to read from: [`ApiVersion::V2026_03`] by default.
    pub fn version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// Where the service is: `https://api.hubapi.com` by default.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.endpoint.base_url = base_url.into();
        self
    }

    /// Allows a base URL with plain http to another host than this machine, where
    /// everybody on the way can read the credentials. By default it is refused.
    pub fn allow_plain_http(mut self) -> Self {
        self.endpoint.allows_plain_http = true;
        self
    }

    /// What carries the requests: a new `Reqwest` by default, which needs a TLS feature
    /// of this crate for an `https` address, the default one too. Several paginators
    /// share connections if they are given clones of one.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.endpoint.transport = Some(Arc::new(transport));
        self
    }

    /// The paginator.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if there is no token or one that no header
    /// can carry, if the batch size is not from 1 to 1000, if an object type
    /// can't stand in a path, if an id is empty, if the base URL is none or would
    /// send the token in the clear, if there is no transport, or if the base URL is
    /// `https`, no transport is given and no TLS feature is on.
    pub fn build(self) -> Result<Associations, Error> {
        if !(1..=MAX_BATCH_SIZE).contains(&self.batch_size) {
            let message = format!(
                "a batch of {} ids can't be asked for: give a number from 1 to {MAX_BATCH_SIZE}",
                self.batch_size
            );
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        let from = path_segment("object type", &self.from)?;
        let to = path_segment("object type", &self.to)?;
        let path = match self.version {
            ApiVersion::V2026_03 => format!("/crm/associations/2026-03/{from}/{to}/batch/read"),
            ApiVersion::V4 => format!("/crm/v4/associations/{from}/{to}/batch/read"),
        };
        let mut seen = HashSet::with_capacity(self.ids.len());
        let mut ids = self.ids;
        ids.retain(|id| seen.insert(id.clone()));
        if seen.contains(&ObjectId::from("")) {
            return Err(Error::new(ErrorKind::Configuration, "one of the ids is empty"));
        }
        drop(seen);
        let identity = format!("hubspot {path} of {} ids {:016x}", ids.len(), digest(&ids));
        let endpoint = self.endpoint.build(&path, "token", None)?;
        Ok(Associations::new(Reader { endpoint, ids, batch_size: self.batch_size, identity }))
    }
}

/// Tells two lists of ids apart; it stays the same on every machine, since
/// checkpoints hold it.
fn digest(ids: &[ObjectId]) -> u64 {
    let mut digest = XxHash3_64::new();
    for id in ids {
        digest.write(id.to_string().as_bytes());
        digest.write(b"\n");
    }
    digest.finish()
}

impl Debug for AssociationsBuilder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssociationsBuilder")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("ids", &self.ids.len())
            .field("batch_size", &self.batch_size)
            .field("version", &self.version)
            .field("endpoint", &self.endpoint)
            .finish()
    }
}
