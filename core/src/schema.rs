//! What attributes a resource has, and what a change of each means.

use crate::types::{Field, Presence, Type};
use std::{collections::BTreeMap, sync::Arc};

/// The schema of a resource, data source or provider configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// Rises when stored values need an upgrade.
    pub version: u32,
    /// Its body.
    pub block: Block,
}

/// A body: attributes and nested blocks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// Attributes by name.
    pub attributes: BTreeMap<String, Attribute>,
    /// Nested blocks by type name.
    pub blocks: BTreeMap<String, NestedBlock>,
}

/// An attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its type; `Dynamic` takes any.
    pub ty: Type,
    /// Who sets it.
    pub set_by: SetBy,
    /// What a change of it means.
    pub on_change: OnChange,
    /// Whether it is shown.
    pub visibility: Visibility,
    /// Whether it is kept in state.
    pub storage: Storage,
    /// One sentence for documentation and `help` lines.
    pub description: String,
}

/// Who sets an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetBy {
    /// The configuration must.
    Required,
    /// The configuration may.
    Optional,
    /// The provider does.
    Computed,
    /// The configuration may; the provider does where it doesn't.
    OptionalComputed,
}

/// What a change of an attribute means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChange {
    /// The object is updated in place.
    Update,
    /// The object is replaced.
    Replace,
}

/// Whether an attribute's value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// It is.
    Shown,
    /// It prints as `(sensitive)`.
    Sensitive,
}

/// Whether an attribute's value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In state.
    Stored,
    /// Handed to the provider and forgotten; null in plan and state.
    WriteOnly,
}

/// A nested block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestedBlock {
    /// Its body.
    pub block: Block,
    /// How many, and how they are told apart.
    pub nesting: Nesting,
    /// At least so many.
    pub min: u32,
    /// At most so many; `None` for no bound.
    pub max: Option<u32>,
    /// What it means that the configuration has none.
    pub absent: Absent,
}

/// What it means that the configuration has no nested block of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Absent {
    /// There is none.
    #[default]
    None,
    /// The provider makes what it sees fit: the value is null in the configuration, and blocks or
    /// unknown in the plan. Such blocks may also be written as an attribute, so that `name = []`
    /// says that there are none.
    Provider,
}

/// How nested blocks become a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    /// At most one: an object, or null.
    Single,
    /// In order: a list of objects.
    List,
    /// Without order: a set of objects.
    Set,
    /// By their label: a map of objects.
    Map,
}

impl Attribute {
    /// An attribute of that type, set by that party; updated in place, shown, stored.
    pub fn new(ty: Type, set_by: SetBy) -> Attribute {
        Attribute {
            ty,
            set_by,
            on_change: OnChange::Update,
            visibility: Visibility::Shown,
            storage: Storage::Stored,
            description: String::new(),
        }
    }
    /// A change of it replaces the object.
    pub fn replaces(mut self) -> Self {
        self.on_change = OnChange::Replace;
        self
    }
    /// It is never shown.
    pub fn sensitive(mut self) -> Self {
        self.visibility = Visibility::Sensitive;
        self
    }
    /// It is never stored.
    pub fn write_only(mut self) -> Self {
        self.storage = Storage::WriteOnly;
        self
    }
    /// With a description.
    pub fn describe(mut self, text: &str) -> Self {
        self.description = text.into();
        self
    }
    /// Whether the provider may set it.
    pub fn is_computed(&self) -> bool {
        matches!(self.set_by, SetBy::Computed | SetBy::OptionalComputed)
    }
}

impl Block {
    /// Whether [`Block::ty`] has an attribute of any type, at any depth.
    pub fn has_dynamic(&self) -> bool {
        self.attributes.values().any(|a| a.ty.has_dynamic())
            || self.blocks.values().any(|b| b.block.has_dynamic())
    }
    /// The type of the value this body makes.
    pub fn ty(&self) -> Type {
        let attributes = self.attributes.iter().map(|(name, a)| {
            let presence = match a.set_by {
                SetBy::Required => Presence::Required,
                _ => Presence::Optional,
            };
            (
                Arc::from(name.as_str()),
                Field {
                    ty: a.ty.clone(),
                    presence,
                },
            )
        });
        let blocks = self.blocks.iter().map(|(name, b)| {
            let object = b.block.ty();
            let ty = match b.nesting {
                Nesting::Single => object,
                Nesting::List if object.has_dynamic() => Type::Dynamic,
                Nesting::List => Type::list(object),
                Nesting::Set => Type::set(object),
                Nesting::Map if object.has_dynamic() => Type::Dynamic,
                Nesting::Map => Type::map(object),
            };
            (
                Arc::from(name.as_str()),
                Field {
                    ty,
                    presence: Presence::Optional,
                },
            )
        });
        Type::Object(Arc::new(attributes.chain(blocks).collect()))
    }
}
