use std::{
    collections::HashSet,
    fmt::{self, Debug, Formatter},
};

use super::{
    account::{account_setters, endpoint},
    associations::Associations,
    associations_of::AssociationsOf,
    inputs::Inputs,
    reader::Reader,
    wire::ObjectId,
};
use crate::{
    error::{Error, ErrorKind},
    paginator::Paginator,
    transport::{EndpointBuilder, path_segment},
};

/// The largest number of inputs in one request that HubSpot accepts (its changelog).
const MAX_BATCH_SIZE: usize = 1000;

/// The paths of HubSpot's associations. Both have the same request and response bodies.
///
/// ```
/// use pagestream::{PaginatorExt, hubspot::{ApiVersion, Associations}, testing::HubSpot};
/// # use futures::TryStreamExt;
///
/// # futures::executor::block_on(async {
/// let service = HubSpot::new(1);
/// let companies = Associations::builder("deals", "companies").ids(service.ids());
/// let companies = companies.version(ApiVersion::V4).token("pat-na1-...");
/// # let companies = companies.transport(service.clone());
/// let companies: Vec<_> = companies.build()?.into_records().try_collect().await?;
/// # assert!(service.log()[0].path.starts_with("/crm/v4/associations/"));
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiVersion {
    /// `/crm/associations/2026-03/...` and `/crm/objects/2026-03/...`
    #[default]
    V2026_03,
    /// `/crm/v4/associations/...` and `/crm/v4/objects/...`
    V4,
}

impl ApiVersion {
    /// What the paths between two types begin with.
    pub(super) fn associations(self) -> &'static str {
        match self {
            Self::V2026_03 => "/crm/associations/2026-03",
            Self::V4 => "/crm/v4/associations",
        }
    }

    /// What the paths of an object begin with.
    pub(super) fn objects(self) -> &'static str {
        match self {
            Self::V2026_03 => "/crm/objects/2026-03",
            Self::V4 => "/crm/v4/objects",
        }
    }
}

/// Builds [`Associations`]: [`Associations::builder`].
#[derive(Clone)]
#[must_use = "call `build` to make a paginator of it"]
pub struct AssociationsBuilder {
    from: String,
    to: String,
    ids: Vec<ObjectId>,
    left_out: HashSet<ObjectId>,
    batch_size: usize,
    version: ApiVersion,
    endpoint: EndpointBuilder,
}

impl Associations {
    /// The associations from objects of one type to objects of another type. A type is
    /// a name or an id: `deals`, `0-3`, `p1234_pets`.
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
            left_out: HashSet::new(),
            batch_size: MAX_BATCH_SIZE,
            version: ApiVersion::default(),
            endpoint: endpoint(),
        }
    }

    /// Adds the ids to read from. There may be any number of them, as numbers or
    /// strings. An id that is given more than once is read once, at its first
    /// position. Without ids there is no request and no record.
    pub fn ids(mut self, ids: impl IntoIterator<Item = impl Into<ObjectId>>) -> Self {
        self.ids.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Leaves out some of the [`ids`](Self::ids): they are not asked for, and have neither
    /// records nor errors.
    ///
    /// A checkpoint is bound to the whole list. To go on without an id that fails for good, or
    /// that is gone, give the list as it was and leave that id out here: the checkpoint still
    /// fits.
    ///
    /// ```
    /// use pagestream::{PaginatorExt, hubspot::Associations, testing::HubSpot};
    /// # use futures::TryStreamExt;
    ///
    /// # futures::executor::block_on(async {
    /// let service = HubSpot::new(1).objects(3);
    /// let [first, _, _] = service.ids().collect::<Vec<_>>()[..] else { panic!() };
    /// let all = Associations::builder("deals", "companies")
    ///     .ids(service.ids())
    ///     .token("a-token")
    ///     .transport(service);
    /// let others = all.without([first]).build()?;
    /// let records: Vec<_> = others.records().try_collect().await?;
    /// assert!(records.iter().all(|record| record.from != first.into()));
    /// # Ok::<(), pagestream::Error>(()) }).unwrap();
    /// ```
    pub fn without(mut self, ids: impl IntoIterator<Item = impl Into<ObjectId>>) -> Self {
        self.left_out.extend(ids.into_iter().map(Into::into));
        self
    }

    /// The largest number of ids in a request: 1 to 1000, and 1000 by default. A
    /// smaller number makes smaller responses and pages.
    pub fn batch_size(mut self, ids: usize) -> Self {
        self.batch_size = ids;
        self
    }

    /// The path to read from: [`ApiVersion::V2026_03`] by default.
    pub fn version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    account_setters!();

    /// Builds the paginator.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`]:
    ///
    /// - if the token is missing, or a header can't carry it,
    /// - if the batch size is not from 1 to 1000,
    /// - if an object type can't be part of a path,
    /// - if an id is empty,
    /// - if the base URL is invalid, or would send the token unencrypted,
    /// - if no transport is given, and the feature `reqwest` is off or the base URL is
    ///   `https` and no TLS feature is on.
    pub fn build(self) -> Result<Associations, Error> {
        let path = self.path()?;
        let inputs = Inputs::new(self.ids, self.left_out, self.batch_size, MAX_BATCH_SIZE)?;
        let endpoint = self.endpoint.build(&path, "token", None::<(&str, String)>)?;
        let identity = inputs.identity(&path);
        Ok(Associations::new(Reader { endpoint, inputs, identity }))
    }

    /// Builds a paginator of the associations of all objects that another paginator finds. Its
    /// records are ids or [objects](super::Object); [`map`](crate::PaginatorExt::map) makes ids
    /// of others.
    ///
    /// # Errors
    ///
    /// As for [`build`](Self::build), and if there are [`ids`](Self::ids) too.
    pub fn build_from<P>(self, ids: P) -> Result<AssociationsOf<P>, Error>
    where
        P: Paginator<Record: Into<ObjectId>>,
    {
        if !self.ids.is_empty() {
            let message = "both ids and a paginator of ids: make a paginator of each";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        let path = self.path()?;
        let inputs = Inputs::new(self.ids, self.left_out, self.batch_size, MAX_BATCH_SIZE)?;
        let endpoint = self.endpoint.build(&path, "token", None::<(&str, String)>)?;
        let identity = format!("hubspot {path}");
        Ok(AssociationsOf::new(ids, Reader { endpoint, inputs, identity }))
    }

    fn path(&self) -> Result<String, Error> {
        let from = path_segment("object type", &self.from)?;
        let to = path_segment("object type", &self.to)?;
        Ok(format!("{}/{from}/{to}/batch/read", self.version.associations()))
    }
}

impl Debug for AssociationsBuilder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssociationsBuilder")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("ids", &self.ids.len())
            .field("left_out", &self.left_out.len())
            .field("batch_size", &self.batch_size)
            .field("version", &self.version)
            .field("endpoint", &self.endpoint)
            .finish()
    }
}
