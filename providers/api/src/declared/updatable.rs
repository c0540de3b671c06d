//! What of a type can change in place.

use super::{Entry, Rules};
use weir_core::schema::{Block, OnChange, SetBy};

impl Entry {
    /// Paths of the attributes that a configuration may set and that can change in place, but for
    /// `timeouts`.
    pub fn updatable(&self) -> Vec<String> {
        let mut out = Vec::new();
        collect(&self.schema.block, &self.rules, "", &mut out);
        out
    }
}

fn collect(block: &Block, rules: &Rules, path: &str, out: &mut Vec<String>) {
    let at = |name: &str| match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    };
    let fixed = |way: &str| {
        let rule = rules.get(way);
        rule.is_some_and(|r| r.replaces || r.refused || r.computed)
    };
    for (name, a) in &block.attributes {
        let way = at(name);
        if a.set_by != SetBy::Computed && a.on_change != OnChange::Replace && !fixed(&way) {
            out.push(way);
        }
    }
    for (name, nested) in &block.blocks {
        let way = at(name);
        if way != "timeouts" && !fixed(&way) {
            collect(&nested.block, rules, &way, out);
        }
    }
}
