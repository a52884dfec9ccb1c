use std::fmt::{self, Debug, Formatter};

use super::{
    account::{account_setters, client, endpoint},
    association_types::AssociationType,
    builder::ApiVersion,
};
use crate::{
    error::Error,
    rest::{List, SinglePage, forward_to_list},
    transport::{EndpointBuilder, path_segment},
};

/// All types that an association from one type of object to another can have, with their labels.
///
/// It calls `GET /crm/associations/2026-03/{from}/{to}/labels`, which answers with all of them in
/// one page (the guide of HubSpot's associations schema). The record type `T` is your own, or
/// [`AssociationType`].
///
/// The records are what can be in the [`AssociationTypes`](super::AssociationTypes) of an
/// association between these types: an association has some of them, and this list has all,
/// also those that no association has yet. A type without a label is the plain association; its
/// `label` is `None`. The direction counts: from companies to deals, the same label has another
/// number.
///
/// # Errors
///
/// A type that does not fit `T` is a [partial error](Error::is_partial) with its index. All
/// others come.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, testing::HubSpot};
/// use pagestream::hubspot::{AssociationLabels, AssociationType, Associations};
///
/// # futures::executor::block_on(async {
/// let service = HubSpot::new(1);
/// # let (deals, transport) = (service.ids(), service.clone());
/// let labels = AssociationLabels::builder("deals", "companies").token("pat-na1-...");
/// # let labels = labels.transport(service);
/// let labels = labels.build::<AssociationType>()?;
/// let labels: Vec<_> = labels.records().try_collect().await?;
/// let primary = labels.iter().find(|kind| kind.label.as_deref() == Some("Primary"));
///
/// // The primary company of each deal, by the number of the type.
/// let companies = Associations::builder("deals", "companies").ids(deals).token("pat-na1-...");
/// # let companies = companies.transport(transport);
/// let companies: Vec<_> = companies.build()?.records().try_collect().await?;
/// let is_primary = |kind| Some(kind) == primary;
/// let primary = companies.iter().filter(|association| association.types.iter().any(is_primary));
/// # assert!((1..200).contains(&primary.count()));
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
#[must_use = "a paginator does nothing until it is read"]
pub struct AssociationLabels<T = AssociationType> {
    list: List<T, SinglePage>,
}

/// Builds [`AssociationLabels`]: [`AssociationLabels::builder`].
#[derive(Clone)]
#[must_use = "call `build` to make a paginator of it"]
pub struct AssociationLabelsBuilder {
    from: String,
    to: String,
    version: ApiVersion,
    endpoint: EndpointBuilder,
}

impl AssociationLabels {
    /// The labels of associations from objects of one type to objects of another type. A type is
    /// a name or an id: `deals`, `0-3`, `p1234_pets`.
    pub fn builder(
        from_object_type: impl Into<String>,
        to_object_type: impl Into<String>,
    ) -> AssociationLabelsBuilder {
        AssociationLabelsBuilder {
            from: from_object_type.into(),
            to: to_object_type.into(),
            version: ApiVersion::default(),
            endpoint: endpoint(),
        }
    }
}

impl AssociationLabelsBuilder {
    /// The path to read from: [`ApiVersion::V2026_03`] by default.
    pub fn version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    account_setters!();

    /// Builds the paginator. `T` is a record: [`AssociationType`], or a type of your own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration):
    ///
    /// - if the token is missing, or a header can't carry it,
    /// - if an object type can't be part of a path,
    /// - if the base URL is invalid, or would send the token unencrypted,
    /// - if no transport is given, and the feature `reqwest` is off or the base URL is
    ///   `https` and no TLS feature is on.
    pub fn build<T>(self) -> Result<AssociationLabels<T>, Error>
    where
        T: serde::de::DeserializeOwned + Send + 'static,
    {
        let from = path_segment("object type", &self.from)?;
        let to = path_segment("object type", &self.to)?;
        let path = format!("{}/{from}/{to}/labels", self.version.associations());
        let client = client(self.endpoint)?;
        let list = client.get(path).pages(SinglePage).records_at("/results");
        Ok(AssociationLabels { list: list.build()? })
    }
}

forward_to_list!(AssociationLabels, ());

impl Debug for AssociationLabelsBuilder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssociationLabelsBuilder")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("version", &self.version)
            .field("endpoint", &self.endpoint)
            .finish()
    }
}
