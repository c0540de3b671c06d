//! Many resources, each read from its row in one pass.

use super::{Bytes, RemovalV1, Result, StatusV1, resource_from_text};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor},
};
use std::{collections::BTreeSet, fmt};
use weir_core::{
    Address, Known,
    address::ProviderRef,
    json::{StoredReader, Text},
    snapshot::{Foreign, Removal, Resource, Status},
};

/// Reads the rows of resources, one after the other. What one has in common with the one before it
/// (its provider, the names of its attributes) they share.
#[derive(Default)]
pub struct ResourceReader {
    values: StoredReader,
    /// The provider of the row before, as it was written.
    provider: Option<(String, ProviderRef)>,
}

impl ResourceReader {
    /// What [`resource_from_text`] reads.
    ///
    /// # Errors
    /// What can't be read.
    pub fn read(&mut self, text: &str) -> Result<Resource> {
        let mut json = serde_json::Deserializer::from_str(text);
        let read = Versioned(self).deserialize(&mut json);
        match read.and_then(|resource| json.end().map(|()| resource)) {
            Ok(resource) => Ok(resource),
            // What is seldom written; or it is damaged, and that says how.
            Err(_) => resource_from_text(text),
        }
    }

    fn provider<E: Error>(&mut self, text: &str) -> std::result::Result<ProviderRef, E> {
        match &self.provider {
            Some((written, provider)) if written == text => Ok(provider.clone()),
            _ => {
                let provider: ProviderRef = text.parse().map_err(E::custom)?;
                self.provider = Some((text.to_owned(), provider.clone()));
                Ok(provider)
            }
        }
    }
}

/// The row with its version around it.
struct Versioned<'a>(&'a mut ResourceReader);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Version {
    V1,
}

impl<'de> DeserializeSeed<'de> for Versioned<'_> {
    type Value = Resource;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<Resource, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Versioned<'_> {
    type Value = Resource;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row with its version")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Resource, A::Error> {
        let Some(Version::V1) = map.next_key()? else {
            return Err(A::Error::custom("the version is missing"));
        };
        map.next_value_seed(Row(self.0))
    }
}

/// The fields of a [`super::ResourceV1`].
struct Row<'a>(&'a mut ResourceReader);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Provider,
    SchemaVersion,
    Value,
    Private,
    Dependencies,
    Status,
    Removal,
    Foreign,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = Resource;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<Resource, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = Resource;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resource")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Resource, A::Error> {
        let (mut provider, mut schema_version, mut value) = (None, None, None);
        let (mut private, mut dependencies, mut status) = (None, None, None);
        let (mut removal, mut foreign) = (None, None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::Provider => {
                    let Text(text) = map.next_value()?;
                    once(&mut provider, self.0.provider(&text)?)?;
                }
                Field::SchemaVersion => once(&mut schema_version, map.next_value()?)?,
                Field::Value => {
                    let read = map.next_value_seed(&mut self.0.values)?;
                    once(&mut value, Known::new(read).map_err(A::Error::custom)?)?;
                }
                Field::Private => once(&mut private, map.next_value::<Bytes>()?)?,
                Field::Dependencies => {
                    once(&mut dependencies, map.next_value::<BTreeSet<Address>>()?)?;
                }
                Field::Status => once(&mut status, map.next_value()?)?,
                Field::Removal => once(&mut removal, map.next_value()?)?,
                Field::Foreign => once(&mut foreign, map.next_value::<Option<Box<str>>>()?)?,
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let private = private.ok_or_else(|| A::Error::missing_field("private"))?;
        Ok(Resource {
            provider: provider.ok_or_else(|| A::Error::missing_field("provider"))?,
            schema_version: schema_version
                .ok_or_else(|| A::Error::missing_field("schema_version"))?,
            value: value.ok_or_else(|| A::Error::missing_field("value"))?,
            private: private.try_into().map_err(A::Error::custom)?,
            dependencies: dependencies.ok_or_else(|| A::Error::missing_field("dependencies"))?,
            status: match status.ok_or_else(|| A::Error::missing_field("status"))? {
                StatusV1::Ready => Status::Ready,
                StatusV1::Tainted => Status::Tainted,
            },
            removal: match removal.unwrap_or_default() {
                RemovalV1::Delete => Removal::Delete,
                RemovalV1::Forget => Removal::Forget,
            },
            foreign: foreign.flatten().map(Foreign),
        })
    }
}

/// Fills a field that must not stand there twice.
fn once<T, E: Error>(field: &mut Option<T>, value: T) -> std::result::Result<(), E> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom("a field stands there twice")),
    }
}
