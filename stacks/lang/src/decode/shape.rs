//! A schema's block, prepared once so that decoding an instance costs no more than it must.

use super::Format;
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{
    Entries, Type, Value,
    schema::{Absent, Attribute, Block, Nesting},
};

/// A schema's block, prepared for decoding.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) attributes: BTreeMap<Arc<str>, Attribute>,
    pub(crate) blocks: BTreeMap<Arc<str>, Nested>,
    /// What the attributes' text must look like, beyond their types.
    pub(crate) formats: BTreeMap<Arc<str>, Format>,
    /// The object of a body that sets nothing.
    pub(crate) empty: Entries,
    /// The type of the object.
    pub(crate) ty: Type,
}

/// A nested block.
#[derive(Debug, Clone)]
pub(crate) struct Nested {
    pub(crate) shape: Shape,
    pub(crate) nesting: Nesting,
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
    pub(crate) absent: Absent,
    /// The type of all of them together.
    pub(crate) ty: Type,
}

impl Shape {
    /// The shape of a block.
    pub(crate) fn new(block: &Block) -> Shape {
        Shape::with_formats(block, &[])
    }

    /// The shape of a block some of whose attributes hold text of a certain form. They are named
    /// by their way from the block: `ready.timeout`.
    pub(crate) fn with_formats(block: &Block, formats: &[(&str, Format)]) -> Shape {
        let attributes: BTreeMap<Arc<str>, Attribute> = block
            .attributes
            .iter()
            .map(|(k, a)| (Arc::from(k.as_str()), a.clone()))
            .collect();
        let mut blocks: BTreeMap<Arc<str>, Nested> = BTreeMap::new();
        for (name, b) in &block.blocks {
            let inner: Vec<(&str, Format)> = formats
                .iter()
                .filter_map(|(path, f)| {
                    Some((path.strip_prefix(name.as_str())?.strip_prefix('.')?, *f))
                })
                .collect();
            let shape = Shape::with_formats(&b.block, &inner);
            let element = shape.ty.clone();
            let ty = match b.nesting {
                Nesting::Single => element,
                Nesting::List | Nesting::Map if element.has_dynamic() => Type::Dynamic,
                Nesting::List => Type::list(element),
                Nesting::Set => Type::set(element),
                Nesting::Map => Type::map(element),
            };
            let nested = Nested {
                shape,
                nesting: b.nesting,
                min: b.min,
                max: b.max,
                absent: b.absent,
                ty,
            };
            blocks.insert(Arc::from(name.as_str()), nested);
        }
        let mut empty: Entries = attributes
            .iter()
            .map(|(name, a)| (name.clone(), Value::null_of(a.ty.clone())))
            .collect();
        for (name, nested) in &blocks {
            empty.insert(name.clone(), nested.none());
        }
        let formats = formats
            .iter()
            .filter(|(p, _)| !p.contains('.'))
            .map(|(p, f)| (Arc::from(*p), *f))
            .collect();
        Shape {
            attributes,
            blocks,
            formats,
            empty,
            ty: block.ty(),
        }
    }
}

impl Nested {
    /// The value where there is no such block.
    fn none(&self) -> Value {
        let element = self.shape.ty.clone();
        match self.nesting {
            _ if self.absent == Absent::Provider => Value::null_of(self.ty.clone()),
            Nesting::Single => Value::null_of(element),
            Nesting::List if element.has_dynamic() => Value::tuple(Vec::new()),
            Nesting::List => Value::list(element, Vec::new()),
            Nesting::Set => Value::set(element, []),
            Nesting::Map if element.has_dynamic() => Value::object::<Arc<str>>([]),
            Nesting::Map => Value::map(element, Entries::new()),
        }
    }
}
