//! Is the schema one that a configuration can be written for?

use super::{Outcome, session::Session};
use weir_core::{
    Type,
    schema::{Attribute, Block, Nesting, OnChange, SetBy, Storage},
};

pub(super) fn sane(session: &Session<'_>) -> Outcome {
    let schema = session.provider.schema();
    let result = block(&schema.provider.block, "provider")
        .and_then(|()| block(&session.schema().block, &session.case.type_name))
        .and_then(|()| {
            schema
                .data
                .iter()
                .try_for_each(|(name, s)| block(&s.block, name))
        });
    Outcome::of(result)
}

fn block(block: &Block, place: &str) -> Result<(), String> {
    for (name, a) in &block.attributes {
        let place = format!("{place}.{name}");
        named_well(name, &place)?;
        attribute(a, &place)?;
        if block.blocks.contains_key(name) {
            return Err(format!("{place} is both an attribute and a block"));
        }
    }
    for (name, nested) in &block.blocks {
        let place = format!("{place}.{name}");
        named_well(name, &place)?;
        let count = (nested.min, nested.max);
        match nested.nesting {
            Nesting::Single if nested.min > 1 || nested.max.is_some_and(|m| m > 1) => {
                return Err(format!(
                    "{place} is single and may not be there {count:?} times"
                ));
            }
            Nesting::Map if count != (0, None) => {
                return Err(format!("{place} is a map, which takes neither min nor max"));
            }
            Nesting::Set if nested.block.ty().has_dynamic() => {
                return Err(format!(
                    "{place} is a set and may not hold an attribute of any type"
                ));
            }
            _ if nested.max.is_some_and(|m| m < nested.min) => {
                return Err(format!("{place} asks for more than it allows: {count:?}"));
            }
            _ => {}
        }
        self::block(&nested.block, &place)?;
    }
    Ok(())
}

fn named_well(name: &str, place: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(format!("{place}: a name is made of a-z, 0-9 and _"));
    }
    Ok(())
}

fn attribute(a: &Attribute, place: &str) -> Result<(), String> {
    if a.set_by == SetBy::Computed && a.on_change == OnChange::Replace {
        return Err(format!(
            "{place}: no configuration can change it, so it can't ask to replace"
        ));
    }
    if a.storage == Storage::WriteOnly && a.is_computed() {
        return Err(format!("{place}: a write-only attribute can't be computed"));
    }
    if matches!(&a.ty, Type::Set(t) if t.has_dynamic()) {
        return Err(format!("{place}: a set may not hold values of any type"));
    }
    Ok(())
}
