use std::{
    fmt::{self, Debug, Formatter},
    ops::Deref,
    slice,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How many types a response is expected to have. Those beyond are not shared.
const MOST_KNOWN: usize = 32;

/// How two objects are associated: the types of one association, as a slice.
///
/// [`AssociationLabels`](super::AssociationLabels) lists all types that there are between two
/// types of objects.
///
/// The associations of a response have a handful of different types, so they share them: a
/// clone allocates nothing.
///
/// ```
/// use pagestream::hubspot::AssociationTypes;
///
/// let json = r#"[{"category":"USER_DEFINED","typeId":7,"label":"Owner"}]"#;
/// let types: AssociationTypes = serde_json::from_str(json)?;
/// assert!(types.iter().any(|kind| kind.label.as_deref() == Some("Owner")));
/// assert_eq!(serde_json::to_string(&types)?, r#"[{"category":"USER_DEFINED","typeId":7,"label":"Owner"}]"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
// Its hash is that of a slice, since checkpoints hold digests of associations.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize)]
pub struct AssociationTypes(Arc<[AssociationType]>);

impl Deref for AssociationTypes {
    type Target = [AssociationType];

    fn deref(&self) -> &[AssociationType] {
        &self.0
    }
}

impl Debug for AssociationTypes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Vec<AssociationType>> for AssociationTypes {
    fn from(types: Vec<AssociationType>) -> Self {
        if types.is_empty() { Self::default() } else { Self(types.into()) }
    }
}

impl FromIterator<AssociationType> for AssociationTypes {
    fn from_iter<I: IntoIterator<Item = AssociationType>>(types: I) -> Self {
        types.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a> IntoIterator for &'a AssociationTypes {
    type Item = &'a AssociationType;
    type IntoIter = slice::Iter<'a, AssociationType>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'de> Deserialize<'de> for AssociationTypes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

/// How two objects are associated.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AssociationType {
    /// Who defined the type.
    pub category: Category,
    /// The number of the type; it is unique within its category.
    pub type_id: i64,
    /// The label, where the type has one.
    #[serde(default)]
    pub label: Option<String>,
}

/// Who defined an association type.
///
/// ```
/// use pagestream::hubspot::Category;
///
/// assert_eq!(Category::from("USER_DEFINED"), Category::UserDefined);
/// // One that is new is kept as it came.
/// assert_eq!(Category::from("NEW").as_str(), "NEW");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// `HUBSPOT_DEFINED`
    HubspotDefined,
    /// `INTEGRATOR_DEFINED`
    IntegratorDefined,
    /// `USER_DEFINED`
    UserDefined,
    /// `WORK`
    Work,
    /// A category that the schema does not have, as the service wrote it.
    Other(Box<str>),
}

impl Category {
    /// Its name in requests and responses.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::HubspotDefined => "HUBSPOT_DEFINED",
            Self::IntegratorDefined => "INTEGRATOR_DEFINED",
            Self::UserDefined => "USER_DEFINED",
            Self::Work => "WORK",
            Self::Other(other) => other,
        }
    }
}

impl From<&str> for Category {
    fn from(category: &str) -> Self {
        match category {
            "HUBSPOT_DEFINED" => Self::HubspotDefined,
            "INTEGRATOR_DEFINED" => Self::IntegratorDefined,
            "USER_DEFINED" => Self::UserDefined,
            "WORK" => Self::Work,
            other => Self::Other(other.into()),
        }
    }
}

impl Serialize for Category {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Category {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Category;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("an association category")
            }

            fn visit_str<E: de::Error>(self, category: &str) -> Result<Category, E> {
                Ok(category.into())
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

/// The types that a response had so far, each with the text that it was read from.
#[derive(Default)]
pub(super) struct KnownTypes<'de>(Vec<(&'de str, AssociationTypes)>);

impl<'de> KnownTypes<'de> {
    /// Reads a text, or takes what an equal one gave.
    ///
    /// # Errors
    ///
    /// The text does not fit.
    pub(super) fn read(&mut self, text: &'de str) -> serde_json::Result<AssociationTypes> {
        if let Some(at) = self.0.iter().position(|(known, _)| *known == text) {
            return Ok(self.take(at));
        }
        let types = serde_json::from_str::<Option<AssociationTypes>>(text)?.unwrap_or_default();
        self.add(text, &types);
        Ok(types)
    }

    /// The same types, shared with equal ones.
    pub(super) fn share(&mut self, types: AssociationTypes) -> AssociationTypes {
        if let Some(at) = self.0.iter().position(|(_, known)| *known == types) {
            return self.take(at);
        }
        self.add("", &types);
        types
    }

    /// What is used often comes to the front.
    fn take(&mut self, at: usize) -> AssociationTypes {
        self.0.swap(0, at);
        self.0[0].1.clone()
    }

    fn add(&mut self, text: &'de str, types: &AssociationTypes) {
        if self.0.len() < MOST_KNOWN {
            self.0.push((text, types.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{AssociationTypes, KnownTypes, MOST_KNOWN};
    use crate::keys::key;

    fn text(id: usize) -> String {
        format!(r#"[{{"category":"USER_DEFINED","typeId":{id},"label":"Owner"}}]"#)
    }

    #[test]
    fn equal_texts_share_their_types_and_others_do_not() {
        let texts = (0..2 * MOST_KNOWN).map(text).collect::<Vec<_>>();
        let mut known = KnownTypes::default();
        let first = known.read(&texts[0]).unwrap();
        for _ in 0..2 {
            for (id, text) in (0..).zip(&texts) {
                let types = known.read(text).unwrap();
                assert_eq!(types.iter().map(|it| it.type_id).collect::<Vec<_>>(), [id]);
                assert_eq!(Arc::ptr_eq(&types.0, &first.0), id == 0);
            }
        }
        assert_eq!(known.0.len(), MOST_KNOWN);
        let alone = serde_json::from_str::<AssociationTypes>(&texts[0]).unwrap();
        assert!(Arc::ptr_eq(&known.share(alone).0, &first.0));
    }

    /// Nor is it known later.
    #[test]
    fn a_text_that_does_not_fit_is_an_error_each_time() {
        let mut known = KnownTypes::default();
        for _ in 0..2 {
            for bad in ["7", "{}", r#"[{"typeId":1}]"#, "[null]"] {
                assert!(known.read(bad).is_err(), "{bad}");
            }
        }
        assert!(known.0.is_empty());
    }

    /// Checkpoints hold digests of associations.
    #[test]
    fn the_hash_is_that_of_a_list() {
        let types = serde_json::from_str::<AssociationTypes>(&text(1)).unwrap();
        assert_eq!(key(&types), key(&types.to_vec()));
        assert_eq!(key(&AssociationTypes::default()), key(&Vec::<u8>::new()));
    }
}
