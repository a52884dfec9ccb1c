use serde::Serialize;

/// A condition that the objects of a [`Search`](super::Search) fulfil.
///
/// Values are texts: of a number its digits, of a time its milliseconds since 1970 or
/// `2024-09-12T11:36:05.267Z`.
///
/// ```
/// use pagestream::hubspot::Filter;
///
/// let open = Filter::is_in("dealstage", ["appointmentscheduled", "qualifiedtobuy"]);
/// let large = Filter::at_least("amount", 10_000);
/// let owned = Filter::has("hubspot_owner_id");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    property_name: String,
    operator: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high_value: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
}

#[allow(clippy::needless_pass_by_value, reason = "a call reads better without a &")]
impl Filter {
    fn new(property: impl Into<String>, operator: &'static str) -> Self {
        let property_name = property.into();
        Self { property_name, operator, value: None, high_value: None, values: Vec::new() }
    }

    fn with(mut self, value: impl ToString) -> Self {
        self.value = Some(value.to_string());
        self
    }

    fn among(mut self, values: impl IntoIterator<Item = impl ToString>) -> Self {
        self.values = values.into_iter().map(|value| value.to_string()).collect();
        self
    }

    /// The property has this value (`EQ`).
    pub fn equals(property: impl Into<String>, value: impl ToString) -> Self {
        Self::new(property, "EQ").with(value)
    }

    /// The property has another value (`NEQ`).
    pub fn differs(property: impl Into<String>, value: impl ToString) -> Self {
        Self::new(property, "NEQ").with(value)
    }

    /// The property is less than the value (`LT`).
    pub fn less_than(property: impl Into<String>, value: impl ToString) -> Self {
        Self::new(property, "LT").with(value)
    }

    /// The property is the value or less (`LTE`).
    pub fn at_most(property: impl Into<String>, value: impl ToString) -> Self {
        Self::new(property, "LTE").with(value)
    }

    /// The property is greater than the value (`GT`).
    pub fn greater_than(property: impl Into<String>, value: impl ToString) -> Self {
        Self::new(property, "GT").with(value)
    }

    /// The property is the value or greater (`GTE`).
    pub fn at_least(property: impl Into<String>, value: impl ToString) -> Self {
        Self::new(property, "GTE").with(value)
    }

    /// The property is one of the values between these, or one of both (`BETWEEN`).
    pub fn between(property: impl Into<String>, low: impl ToString, high: impl ToString) -> Self {
        let high_value = Some(high.to_string());
        Self { high_value, ..Self::new(property, "BETWEEN").with(low) }
    }

    /// The property is one of these values (`IN`). HubSpot wants texts in small letters here.
    pub fn is_in(
        property: impl Into<String>,
        values: impl IntoIterator<Item = impl ToString>,
    ) -> Self {
        Self::new(property, "IN").among(values)
    }

    /// The property is none of these values (`NOT_IN`).
    pub fn is_not_in(
        property: impl Into<String>,
        values: impl IntoIterator<Item = impl ToString>,
    ) -> Self {
        Self::new(property, "NOT_IN").among(values)
    }

    /// The property has a value (`HAS_PROPERTY`).
    pub fn has(property: impl Into<String>) -> Self {
        Self::new(property, "HAS_PROPERTY")
    }

    /// The property has no value (`NOT_HAS_PROPERTY`).
    pub fn has_not(property: impl Into<String>) -> Self {
        Self::new(property, "NOT_HAS_PROPERTY")
    }

    /// The property has this word in it, where `*` stands for any characters
    /// (`CONTAINS_TOKEN`).
    pub fn contains_token(property: impl Into<String>, token: impl ToString) -> Self {
        Self::new(property, "CONTAINS_TOKEN").with(token)
    }

    /// The property has not this word in it (`NOT_CONTAINS_TOKEN`).
    pub fn contains_not_token(property: impl Into<String>, token: impl ToString) -> Self {
        Self::new(property, "NOT_CONTAINS_TOKEN").with(token)
    }
}
