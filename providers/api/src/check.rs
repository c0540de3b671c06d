//! Holds a provider to its word: what it plans fits the configuration, what it did fits the plan.
//!
//! A broken promise is the provider's fault and the diagnostics say so: they name the provider,
//! the resource, the place in the value, what was promised and what came. Sensitive values are
//! redacted. Marks are not compared: they are the language's, not the provider's.

use crate::proposed::alike;
use std::{fmt::Write as _, sync::LazyLock};
use weir_core::{
    Diagnostic, Diagnostics, Kind, Path, Type, Value,
    schema::{Absent, Attribute, Block, NestedBlock, Nesting, Schema, SetBy, Storage, Visibility},
    types::Presence,
    value::Refinements,
};

/// Whom and what the diagnostics are about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The provider's name.
    pub provider: &'a str,
    /// The instance's address as text.
    pub address: &'a str,
}

/// Whether a planned value fits the configuration it was planned from: every attribute equals the
/// configuration, or keeps its prior value, or is the provider's to choose.
///
/// `prior` is `None` at creation.
pub fn planned(
    subject: Subject<'_>,
    schema: &Schema,
    prior: Option<&Value>,
    config: &Value,
    planned: &Value,
) -> Diagnostics {
    let mut check = Check::new(
        subject,
        "planned a value that does not fit the configuration",
    );
    check.conforms_block(planned, &schema.block, &Place::root());
    if check.found.is_empty() {
        let triple = Triple {
            prior: prior.filter(|p| !p.is_null()),
            config,
            planned,
        };
        check.planned_block(&schema.block, triple, &Place::root());
    }
    check.found
}

/// Whether the object after an operation completes the planned value: what was planned as known
/// is as planned, what was unknown is known now. `new` is `None` where the provider returned no
/// object. Not for deletions.
pub fn applied(
    subject: Subject<'_>,
    schema: &Schema,
    planned: &Value,
    new: Option<&Value>,
) -> Diagnostics {
    let mut check = Check::new(subject, "did something else than it had planned");
    let Some(new) = new else {
        check.broken(&Place::root(), "it returned no object and no error");
        return check.found;
    };
    check.conforms_block(new, &schema.block, &Place::root());
    if check.found.is_empty() {
        check.completes_block(&schema.block, planned, new, &Place::root());
    }
    check.found
}

/// Whether a plan made again at apply, with inputs that were unknown before, completes the first
/// one: what was planned as known is as planned; what was unknown may be known now, or not yet.
pub fn replanned(
    subject: Subject<'_>,
    schema: &Schema,
    planned: &Value,
    final_plan: &Value,
) -> Diagnostics {
    let mut check = Check::new(subject, "plans something else at apply than it had planned");
    check.unknowns = Unknowns::MayStay;
    check.conforms_block(final_plan, &schema.block, &Place::root());
    if check.found.is_empty() {
        check.completes_block(&schema.block, planned, final_plan, &Place::root());
    }
    check.found
}

/// What of the unknowns of a plan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknowns {
    /// They are known now.
    AreOver,
    /// They are known now, or not yet.
    MayStay,
}

/// What is not there.
static NULL: LazyLock<Value> = LazyLock::new(Value::null);

/// A place in the value, and whether what stands there may be shown. It is a step from the place
/// above, which is written out for a diagnostic only: most values break no promise.
#[derive(Clone, Copy)]
struct Place<'a> {
    above: Option<&'a Place<'a>>,
    step: Step<'a>,
    visibility: Visibility,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    fn root() -> Place<'a> {
        Place {
            above: None,
            step: Step::Root,
            visibility: Visibility::Shown,
        }
    }
    fn key(&'a self, key: &'a str) -> Place<'a> {
        Place {
            above: Some(self),
            step: Step::Key(key),
            visibility: self.visibility,
        }
    }
    fn index(&'a self, index: usize) -> Place<'a> {
        Place {
            above: Some(self),
            step: Step::Index(index),
            visibility: self.visibility,
        }
    }
    fn attribute(&'a self, name: &'a str, attribute: &Attribute) -> Place<'a> {
        let mut place = self.key(name);
        if attribute.visibility == Visibility::Sensitive {
            place.visibility = Visibility::Sensitive;
        }
        place
    }
    /// Hides what lies below where one of the values is marked.
    fn seeing(&self, values: &[&Value]) -> Place<'a> {
        let mut place = *self;
        if values.iter().any(|v| v.is_sensitive()) {
            place.visibility = Visibility::Sensitive;
        }
        place
    }
    fn path(&self) -> Path {
        let above = self.above.map_or_else(Path::root, Place::path);
        match self.step {
            Step::Root => above,
            Step::Key(key) => above.key(key),
            Step::Index(index) => above.index(index),
        }
    }
    fn show(&self, value: &Value) -> String {
        match self.visibility {
            Visibility::Sensitive => "(sensitive)".into(),
            Visibility::Shown => value.to_string(),
        }
    }
}

/// The field of that name; null where there is none.
fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&NULL)
}

#[derive(Clone, Copy)]
struct Triple<'a> {
    prior: Option<&'a Value>,
    config: &'a Value,
    planned: &'a Value,
}

struct Check<'a> {
    subject: Subject<'a>,
    promise: &'static str,
    unknowns: Unknowns,
    found: Diagnostics,
}

impl<'a> Check<'a> {
    fn new(subject: Subject<'a>, promise: &'static str) -> Check<'a> {
        Check {
            subject,
            promise,
            unknowns: Unknowns::AreOver,
            found: Diagnostics::new(),
        }
    }

    fn broken(&mut self, place: &Place<'_>, cause: &str) {
        let Subject { provider, address } = self.subject;
        let mut summary = format!("{address}: provider {provider:?} {}", self.promise);
        let path = place.path();
        if !path.0.is_empty() {
            let _ = write!(summary, " at `{path}`");
        }
        let mut diagnostic = Diagnostic::error(summary)
            .because(format!("{cause}."))
            .help(format!("This is a bug in provider {provider:?}, not in your configuration: report it to those who make it."));
        diagnostic.address = address.parse().ok();
        self.found.push(diagnostic);
    }

    fn differs(&mut self, place: &Place<'_>, promised: (&str, &Value), got: (&str, &Value)) {
        let place = place.seeing(&[promised.1, got.1]);
        let cause = format!(
            "{} {} and {} {}",
            promised.0,
            place.show(promised.1),
            got.0,
            place.show(got.1)
        );
        self.broken(&place, &cause);
    }

    // Types.

    fn conforms(&mut self, value: &Value, ty: &Type, place: &Place<'_>) {
        match (value.kind(), ty) {
            (Kind::Null(_) | Kind::Unknown(..), _) | (_, Type::Dynamic) => {}
            (Kind::Bool(_), Type::Bool)
            | (Kind::Number(_), Type::Number)
            | (Kind::String(_), Type::String) => {}
            (Kind::List(_, items), Type::List(t)) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(i, v)| self.conforms(v, t, &place.index(i)));
            }
            (Kind::Set(_, items), Type::Set(t)) => {
                items.iter().for_each(|v| self.conforms(v, t, place));
            }
            (Kind::Map(_, entries), Type::Map(t)) => {
                entries
                    .iter()
                    .for_each(|(k, v)| self.conforms(v, t, &place.key(k)));
            }
            (Kind::Tuple(items), Type::Tuple(ts)) if items.len() == ts.len() => {
                for (i, (v, t)) in items.iter().zip(ts.iter()).enumerate() {
                    self.conforms(v, t, &place.index(i));
                }
            }
            (Kind::Object(entries), Type::Object(fields)) => {
                for (k, v) in entries.iter() {
                    match fields.get(k) {
                        Some(field) => self.conforms(v, &field.ty, &place.key(k)),
                        None => self.broken(&place.key(k), "its schema has no such attribute"),
                    }
                }
                for (k, field) in fields.iter() {
                    if field.presence == Presence::Required && !entries.contains_key(k) {
                        self.broken(&place.key(k), "the attribute is missing");
                    }
                }
            }
            _ => self.of_other_type(value, ty, place),
        }
    }

    fn of_other_type(&mut self, value: &Value, ty: &Type, place: &Place<'_>) {
        let got = value.ty().friendly();
        self.broken(
            place,
            &format!("its schema says {} and it gave {got}", ty.friendly()),
        );
    }

    /// As [`Check::conforms`] with the block's type, which is not made.
    fn conforms_block(&mut self, value: &Value, block: &Block, place: &Place<'_>) {
        let entries = match value.kind() {
            Kind::Null(_) | Kind::Unknown(..) => return,
            Kind::Object(entries) => entries,
            _ => return self.of_other_type(value, &block.ty(), place),
        };
        for (k, v) in entries.iter() {
            let place = &place.key(k);
            match (block.attributes.get(&**k), block.blocks.get(&**k)) {
                (_, Some(nested)) => self.conforms_nested(v, nested, place),
                (Some(attribute), None) => self.conforms(v, &attribute.ty, place),
                (None, None) => self.broken(place, "its schema has no such attribute"),
            }
        }
        for (k, attribute) in &block.attributes {
            if attribute.set_by == SetBy::Required && !entries.contains_key(k.as_str()) {
                self.broken(&place.key(k), "the attribute is missing");
            }
        }
    }

    fn conforms_nested(&mut self, value: &Value, nested: &NestedBlock, place: &Place<'_>) {
        let block = &nested.block;
        match (value.kind(), nested.nesting) {
            (Kind::Null(_) | Kind::Unknown(..), _) => {}
            (_, Nesting::Single) => self.conforms_block(value, block, place),
            // Elements of different types make a tuple, or an object.
            (_, Nesting::List | Nesting::Map) if block.has_dynamic() => {}
            (Kind::List(_, items), Nesting::List) => {
                for (i, item) in items.iter().enumerate() {
                    self.conforms_block(item, block, &place.index(i));
                }
            }
            (Kind::Set(_, items), Nesting::Set) => {
                (items.iter()).for_each(|item| self.conforms_block(item, block, place));
            }
            (Kind::Map(_, entries), Nesting::Map) => {
                for (k, item) in entries.iter() {
                    self.conforms_block(item, block, &place.key(k));
                }
            }
            (_, nesting) => {
                let of = match nesting {
                    Nesting::List => Type::list,
                    Nesting::Set => Type::set,
                    Nesting::Map => Type::map,
                    Nesting::Single => return,
                };
                self.of_other_type(value, &of(block.ty()), place);
            }
        }
    }

    // The plan against the configuration.

    fn planned_block(&mut self, block: &Block, t: Triple<'_>, place: &Place<'_>) {
        if t.config.is_null() != t.planned.is_null() {
            self.differs(
                place,
                ("the configuration has", t.config),
                ("it planned", t.planned),
            );
            return;
        }
        if t.config.is_null() || t.config.is_unknown() {
            return;
        }
        if t.planned.is_unknown() {
            self.broken(place, "a block can't be planned as unknown");
            return;
        }
        for (name, attribute) in &block.attributes {
            let t = Triple {
                prior: t.prior.map(|prior| at(prior, name)),
                config: at(t.config, name),
                planned: at(t.planned, name),
            };
            self.planned_attribute(attribute, t, &place.attribute(name, attribute));
        }
        for (name, nested) in &block.blocks {
            let t = Triple {
                prior: t.prior.and_then(|p| p.get(name)),
                config: at(t.config, name),
                planned: at(t.planned, name),
            };
            self.planned_nested(nested, t, &place.key(name));
        }
    }

    fn planned_attribute(&mut self, attribute: &Attribute, t: Triple<'_>, place: &Place<'_>) {
        if attribute.storage == Storage::WriteOnly {
            if !t.planned.is_null() {
                self.broken(place, "a write-only attribute must be planned as null");
            }
            return;
        }
        let kept =
            !t.config.is_null() && t.prior.is_some_and(|p| !p.is_null() && alike(p, t.planned));
        let chosen = match attribute.set_by {
            SetBy::Computed => true,
            SetBy::OptionalComputed => t.config.is_null(),
            SetBy::Required | SetBy::Optional => false,
        };
        if !(kept || chosen || alike(t.config, t.planned)) {
            self.differs(
                place,
                ("the configuration has", t.config),
                ("it planned", t.planned),
            );
        }
    }

    fn planned_nested(&mut self, nested: &NestedBlock, t: Triple<'_>, place: &Place<'_>) {
        if t.config.is_null() && nested.absent == Absent::Provider {
            return;
        }
        if t.config.is_unknown() {
            if !t.planned.is_unknown() {
                self.broken(
                    place,
                    "blocks that are not known yet must be planned as unknown",
                );
            }
            return;
        }
        if t.planned.is_unknown() {
            self.broken(place, "a block can't be planned as unknown");
            return;
        }
        let block = &nested.block;
        let prior = t.prior.filter(|p| !p.is_null());
        match nested.nesting {
            Nesting::Single => self.planned_block(block, Triple { prior, ..t }, place),
            Nesting::List => {
                let config = t.config.elements().unwrap_or_default();
                let planned = t.planned.elements().unwrap_or_default();
                let prior = prior.and_then(Value::elements).unwrap_or_default();
                if self.same_count(&config, &planned, place) {
                    for (i, (config, planned)) in config.into_iter().zip(planned).enumerate() {
                        let t = Triple {
                            prior: prior.get(i).copied(),
                            config,
                            planned,
                        };
                        self.planned_block(block, t, &place.index(i));
                    }
                }
            }
            Nesting::Map => {
                let none = weir_core::Entries::new();
                let config = t.config.as_entries().unwrap_or(&none);
                let planned = t.planned.as_entries().unwrap_or(&none);
                if !config.keys().eq(planned.keys()) {
                    self.differs(
                        place,
                        ("the configuration has", t.config),
                        ("it planned", t.planned),
                    );
                    return;
                }
                for ((key, config), planned) in config.iter().zip(planned.values()) {
                    let t = Triple {
                        prior: prior.and_then(|p| p.get(key)),
                        config,
                        planned,
                    };
                    self.planned_block(block, t, &place.key(key));
                }
            }
            // Elements of a set can't be matched: they need only be known as blocks.
            Nesting::Set => {
                if t.planned.children().any(Value::is_unknown) {
                    self.broken(place, "a block can't be planned as unknown");
                }
            }
        }
    }

    fn same_count(&mut self, promised: &[&Value], got: &[&Value], place: &Place<'_>) -> bool {
        if promised.len() != got.len() {
            let cause = format!(
                "there must be {} of them and it gave {}",
                promised.len(),
                got.len()
            );
            self.broken(place, &cause);
        }
        promised.len() == got.len()
    }

    // The outcome against the plan.

    fn completes_block(&mut self, block: &Block, planned: &Value, got: &Value, place: &Place<'_>) {
        if planned.is_unknown() || planned.is_null() || got.is_null() {
            self.completes(planned, got, place);
            return;
        }
        for (name, attribute) in &block.attributes {
            let (planned, got) = (at(planned, name), at(got, name));
            self.completes(planned, got, &place.attribute(name, attribute));
        }
        for (name, nested) in &block.blocks {
            let (planned, got) = (at(planned, name), at(got, name));
            self.completes_nested(nested, planned, got, &place.key(name));
        }
    }

    fn completes_nested(
        &mut self,
        nested: &NestedBlock,
        planned: &Value,
        got: &Value,
        place: &Place<'_>,
    ) {
        if planned.is_unknown() || planned.is_null() || got.is_null() {
            return self.completes(planned, got, place);
        }
        match nested.nesting {
            Nesting::Single => self.completes_block(&nested.block, planned, got, place),
            Nesting::List => {
                let planned = planned.elements().unwrap_or_default();
                let got = got.elements().unwrap_or_default();
                if self.same_count(&planned, &got, place) {
                    for (i, (planned, got)) in planned.into_iter().zip(got).enumerate() {
                        self.completes_block(&nested.block, planned, got, &place.index(i));
                    }
                }
            }
            Nesting::Map | Nesting::Set => self.completes(planned, got, place),
        }
    }

    fn completes(&mut self, planned: &Value, got: &Value, place: &Place<'_>) {
        let place = &place.seeing(&[planned, got]);
        match (planned.kind(), got.kind()) {
            (Kind::Unknown(ty, refinements), _) => {
                if got.is_wholly_known() {
                    self.conforms(got, ty, place);
                    self.refined(refinements, got, place);
                } else if self.unknowns == Unknowns::MayStay {
                    self.conforms(got, ty, place);
                } else {
                    self.broken(place, "it is still unknown after the operation");
                }
            }
            (Kind::List(_, p) | Kind::Tuple(p), Kind::List(_, g) | Kind::Tuple(g))
                if p.len() == g.len() =>
            {
                for (i, (p, g)) in p.iter().zip(g.iter()).enumerate() {
                    self.completes(p, g, &place.index(i));
                }
            }
            (Kind::Map(_, p) | Kind::Object(p), Kind::Map(_, g) | Kind::Object(g)) => {
                for (k, planned) in p.iter() {
                    self.completes(planned, g.get(k).unwrap_or(&NULL), &place.key(k));
                }
                for (k, got) in g
                    .iter()
                    .filter(|(k, v)| !p.contains_key(*k) && !v.is_null())
                {
                    self.differs(&place.key(k), ("it planned", &NULL), ("made", got));
                }
            }
            (Kind::Set(_, p), Kind::Set(_, g)) => {
                let open = p.iter().any(|v| !v.is_wholly_known());
                let kept = p
                    .iter()
                    .filter(|v| v.is_wholly_known())
                    .all(|p| g.iter().any(|g| alike(p, g)));
                // Elements that were unknown may turn out equal: the set may shrink, never grow.
                if !kept || g.len() > p.len() || (!open && g.len() != p.len()) {
                    self.differs(place, ("it planned", planned), ("made", got));
                }
            }
            _ if alike(planned, got) => {}
            _ => self.differs(place, ("it planned", planned), ("made", got)),
        }
    }

    fn refined(&mut self, r: &Refinements, got: &Value, place: &Place<'_>) {
        if r.not_null && got.is_null() {
            self.broken(place, "it planned a value that is not null and made null");
        }
        let length = got
            .elements()
            .map(|e| e.len())
            .or(got.as_entries().map(|e| e.len()));
        let fits = r
            .prefix
            .as_deref()
            .is_none_or(|p| got.as_str().is_none_or(|s| s.starts_with(p)))
            && r.min
                .as_ref()
                .is_none_or(|min| got.as_number().is_none_or(|n| min.admits_above(n)))
            && r.max
                .as_ref()
                .is_none_or(|max| got.as_number().is_none_or(|n| max.admits_below(n)))
            && r.min_len.is_none_or(|min| length.is_none_or(|n| n >= min))
            && r.max_len.is_none_or(|max| length.is_none_or(|n| n <= max));
        if !fits {
            let cause = format!("{} lies outside of what it had planned", place.show(got));
            self.broken(place, &cause);
        }
    }
}
