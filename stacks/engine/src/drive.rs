//! Takes an evaluator through a configuration with values that are there already.

use std::collections::BTreeMap;
use weir_core::{Address, Diagnostics, Object, Value, snapshot::Snapshot};
use weir_lang::{Evaluator, Instance, Next, PlaceRequest, Placement, ProviderConfig};

/// What an evaluator gets for an instance.
pub(crate) enum Supply {
    /// What it is, or will be.
    Value(Value),
    /// It is not there, and this run does not make it.
    Absent,
}

impl From<Value> for Supply {
    fn from(value: Value) -> Supply {
        Supply::Value(value)
    }
}

impl Supply {
    /// What there is of an instance that this run does nothing with. What is only read or opened is
    /// not kept, so that nothing is known of it.
    pub(crate) fn as_it_is(snapshot: &Snapshot, address: &Address) -> Supply {
        let is_kept = !matches!(
            address.object,
            Object::Data { .. } | Object::Ephemeral { .. }
        );
        match snapshot.resources.contains_key(address) || !is_kept {
            true => from_state(snapshot, address).into(),
            false => Supply::Absent,
        }
    }

    /// The value, where there is one.
    pub(crate) fn value(&self) -> Option<&Value> {
        match self {
            Supply::Value(value) => Some(value),
            Supply::Absent => None,
        }
    }

    /// Gives it to the evaluator.
    pub(crate) fn to(self, evaluator: &mut Evaluator, address: &Address) {
        match self {
            Supply::Value(value) => evaluator.supply(address, value),
            Supply::Absent => evaluator.leave_out(address),
        }
    }
}

/// What an evaluator yielded on its way.
#[derive(Default)]
pub(crate) struct Driven {
    pub(crate) providers: Vec<ProviderConfig>,
    pub(crate) instances: BTreeMap<Address, Instance>,
}

/// Drives to the end: each instance gets what `value` says, each pod the place that `placement`
/// has for it (without one it is left out, with what depends on it). Returns the errors there
/// were beside what was yielded all the same.
pub(crate) fn drive(
    evaluator: &mut Evaluator,
    mut value: impl FnMut(&Address) -> Supply,
    mut placement: impl FnMut(&Address) -> Option<Placement>,
) -> (Driven, Diagnostics) {
    let mut driven = Driven::default();
    let mut yielded: Vec<Instance> = Vec::new();
    loop {
        let next = match evaluator.next() {
            Ok(next) => next,
            Err(errors) => return (driven, errors),
        };
        match next {
            Next::Provider(p) => driven.providers.push(*p),
            Next::Instance(i) => yielded.push(*i),
            Next::Place(request) => {
                let placed = places(&request, &mut placement);
                evaluator.place(&request, placed);
            }
            Next::Waiting if yielded.is_empty() => return (driven, stuck()),
            Next::Waiting => {
                yielded.sort_by(|a, b| a.address.cmp(&b.address));
                for instance in yielded.drain(..) {
                    value(&instance.address).to(evaluator, &instance.address);
                    driven.instances.insert(instance.address.clone(), instance);
                }
            }
            Next::Done => return (driven, Diagnostics::new()),
        }
    }
}

fn places(
    request: &PlaceRequest,
    placement: &mut impl FnMut(&Address) -> Option<Placement>,
) -> BTreeMap<Address, Placement> {
    request
        .demands
        .iter()
        .filter_map(|d| placement(&d.address).map(|p| (d.address.clone(), p)))
        .collect()
}

/// The evaluator waits for something, and everything was supplied.
pub(crate) fn stuck() -> Diagnostics {
    weir_core::Diagnostic::error("the evaluation can't go on")
        .because("It waits for a value that nothing is to supply.")
        .help("This is a bug of weir: please report it.")
        .into()
}

/// What state has for an instance; all unknown where it has none.
pub(crate) fn from_state(snapshot: &Snapshot, address: &Address) -> Value {
    match snapshot.resources.get(address) {
        Some(resource) => resource.value.value().clone(),
        None => Value::unknown(weir_core::Type::Dynamic),
    }
}
