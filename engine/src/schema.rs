use datafusion::arrow::datatypes::{FieldRef, Schema};
use pagestream::{Error, ErrorKind};
use serde::Deserialize;
use serde_arrow::schema::{SchemaLike, TracingOptions};

/// The columns of a record type: one for each of its fields, derived by `serde_arrow`.
///
/// A field that is an `Option` may be null. An enum without data is a string. A type whose
/// fields are known only when records come, such as a map or a `serde_json::Value`, has no
/// such schema: give one.
///
/// ```
/// use pagestream_datafusion::schema_of;
///
/// #[derive(serde::Deserialize)]
/// struct Deal {
///     id: u64,
///     name: Option<String>,
/// }
///
/// let schema = schema_of::<Deal>()?;
/// assert!(schema.field_with_name("name").unwrap().is_nullable());
/// # Ok::<(), pagestream::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Configuration`] if the type does not tell its fields, or has no names for them.
pub fn schema_of<'de, T: Deserialize<'de>>() -> Result<Schema, Error> {
    let options = TracingOptions::default()
        .strings_as_large_utf8(false)
        .sequence_as_large_list(false)
        .enums_without_data_as_strings(true);
    let fields = Vec::<FieldRef>::from_type::<T>(options).map_err(|error| {
        let message = format!("no columns can be derived from {}", std::any::type_name::<T>());
        Error::new(ErrorKind::Configuration, message).with_source(error.to_string())
    })?;
    Ok(Schema::new(fields))
}
