use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    association_types::AssociationTypes,
    wire::{Associated, ObjectId, null_as_default},
};
use crate::opaque_cursor::OpaqueCursor;

/// An object of the CRM, of any type.
///
/// It is the ready record of all that reads objects, such as [`Objects`](super::Objects). A
/// type of your own will do too: any that deserializes from the JSON of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Object {
    /// Its id, which is unique within its type.
    pub id: ObjectId,
    /// The requested properties. All values are texts, also those of numbers and times. A
    /// property without a value is `None`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub properties: BTreeMap<String, Option<String>>,
    /// The values that the properties had, the newest first. It is empty unless
    /// `properties_with_history` was called.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub properties_with_history: BTreeMap<String, Vec<PropertyVersion>>,
    /// When it was created, as in `2024-09-12T11:36:05.267Z`.
    pub created_at: String,
    /// When it was changed last, in the same form.
    pub updated_at: String,
    /// Whether it is archived: deleted, and not for ever yet.
    #[serde(default, deserialize_with = "null_as_default")]
    pub archived: bool,
    /// When it was archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<String>,
    /// The associated objects by the name of their type, such as `companies`. It is empty
    /// unless they are asked for: [`ObjectsBuilder::associations`](super::ObjectsBuilder::associations).
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub associations: BTreeMap<String, AssociatedObjects>,
}

/// A value that a property had.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PropertyVersion {
    /// The value.
    #[serde(default)]
    pub value: Option<String>,
    /// When the property got it, as in `2024-09-12T11:36:05.267Z`.
    pub timestamp: String,
    /// What set it, such as `CRM_UI` or `API`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_type: Option<String>,
    /// Which one of these it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
}

/// The objects of one type that a listed object is associated with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AssociatedObjects {
    /// The objects, in the order of the service. In a list, one that is associated in two ways
    /// is there twice.
    #[serde(default, deserialize_with = "null_as_default")]
    pub results: Vec<AssociatedObject>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paging: Option<Paging>,
}

/// An object that a listed object is associated with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AssociatedObject {
    /// Its id.
    pub id: ObjectId,
    /// How it is associated, such as `deal_to_company`, where the list says so.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How it is associated, where the batch read of associations says so: in the objects that
    /// [`CompleteObjects`](super::CompleteObjects) has completed.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub types: AssociationTypes,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Paging {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Next {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<OpaqueCursor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// Its id.
impl From<Object> for ObjectId {
    fn from(object: Object) -> Self {
        object.id
    }
}

impl Object {
    /// A type of which it has more associations than it carries.
    pub(super) fn incomplete(&self) -> Option<&str> {
        self.associations.iter().find(|(_, objects)| objects.has_more()).map(|(to, _)| &**to)
    }
}

impl AssociatedObjects {
    /// All of them.
    pub(super) fn whole(to: Vec<Associated>) -> Self {
        let results =
            to.into_iter().map(|to| AssociatedObject { id: to.to, kind: None, types: to.types });
        Self { results: results.collect(), paging: None }
    }

    /// Whether the service has more of them than these. A listed object carries the first page
    /// alone.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.paging.as_ref().is_some_and(|paging| paging.next.is_some())
    }
}
