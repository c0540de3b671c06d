//! An evaluator taken to the end, with values that are there already.

use std::collections::BTreeMap;
use weir_core::{Address, Diagnostics, Type, Value};
use weir_lang::{Evaluator, Next, PlaceRequest, Placement};

/// Supplies every instance with what `value` has for it; what it has nothing for is unknown.
/// Returns what was found on the way, failed checks among it.
pub(crate) fn drive(
    evaluator: &mut Evaluator,
    value: &dyn Fn(&Address) -> Option<Value>,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut yielded: Vec<Address> = Vec::new();
    loop {
        match evaluator.next() {
            Ok(Next::Provider(_)) => {}
            Ok(Next::Place(request)) => {
                let places = places(&request, value);
                evaluator.place(&request, places);
            }
            Ok(Next::Instance(instance)) => yielded.push(instance.address),
            Ok(Next::Waiting) if yielded.is_empty() => break,
            Ok(Next::Waiting) => {
                yielded.sort();
                for address in yielded.drain(..) {
                    let open = || Value::unknown(Type::Dynamic);
                    evaluator.supply(&address, value(&address).unwrap_or_else(open));
                }
            }
            Ok(Next::Done) => break,
            Err(errors) => {
                found.extend(errors);
                break;
            }
        }
    }
    found.merge(evaluator.take_diagnostics());
    found
}

/// The places that pods have by their values; one that has none is left out.
fn places(
    request: &PlaceRequest,
    value: &dyn Fn(&Address) -> Option<Value>,
) -> BTreeMap<Address, Placement> {
    let place = |address: &Address| {
        let pod = value(address)?;
        let ports = pod.get("ports").and_then(Value::as_entries);
        let port = |(name, n): (&std::sync::Arc<str>, &Value)| {
            Some((name.to_string(), u16::try_from(n.as_i64()?).ok()?))
        };
        Some(Placement {
            host: pod.get("host")?.as_str()?.to_owned(),
            ports: ports.into_iter().flatten().filter_map(port).collect(),
        })
    };
    request
        .demands
        .iter()
        .filter_map(|d| Some((d.address.clone(), place(&d.address)?)))
        .collect()
}
