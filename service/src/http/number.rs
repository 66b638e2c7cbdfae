//! How values are written.

use serde::{Deserialize, Serialize, Serializer};
use utoipa::PartialSchema;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

/// How values are written. A program whose numbers are floating-point loses integers beyond 2^53: it asks for texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Numbers {
    /// As integers.
    #[default]
    Integer,
    /// As texts of decimal digits.
    String,
}

/// A value, and how to write it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(pub(super) i128, pub(super) Numbers);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.1 {
            Numbers::Integer => serializer.serialize_i128(self.0),
            Numbers::String => serializer.collect_str(&self.0),
        }
    }
}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        let integer = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
        let text =
            ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).pattern(Some("^-?[0-9]+$"));
        let number = OneOfBuilder::new().item(integer).item(text);
        number.description(Some("A text if `numbers=string` was asked for.")).into()
    }
}

impl utoipa::ToSchema for Number {}
