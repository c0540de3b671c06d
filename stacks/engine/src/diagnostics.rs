//! Diagnostics with the place and the instance they are about.

use weir_core::{Address, Diagnostic, Diagnostics, Span};
use weir_lang::Config;
use weir_state::StateError;

/// An error of the store.
pub(crate) fn state(error: &StateError) -> Diagnostics {
    Diagnostic::error(error.to_string()).into()
}

/// Adds the place and the instance where they are missing: a provider knows neither.
pub(crate) fn locate(
    diagnostics: Diagnostics,
    config: &Config,
    span: &Span,
    address: &Address,
) -> Diagnostics {
    let located = diagnostics.into_iter().map(|mut d| {
        if d.span.is_none() {
            d = config.sources().point(d, span);
        }
        d.address.get_or_insert_with(|| address.clone());
        d
    });
    Diagnostics(located.collect())
}

/// Adds the instance where it is missing.
pub(crate) fn on(diagnostics: Diagnostics, address: &Address) -> Diagnostics {
    let named = diagnostics.into_iter().map(|mut d| {
        d.address.get_or_insert_with(|| address.clone());
        d
    });
    Diagnostics(named.collect())
}

/// All errors about one instance in one line, without its address: whoever shows the line has
/// named it.
pub(crate) fn one_line_about(address: &Address, diagnostics: &Diagnostics) -> String {
    one_line(diagnostics).replace(&format!("{address}: "), "")
}

/// All errors in one line.
pub(crate) fn one_line(diagnostics: &Diagnostics) -> String {
    let errors: Vec<String> = diagnostics
        .0
        .iter()
        .filter(|d| d.is_error())
        .map(|d| match d.detail.is_empty() {
            true => d.summary.clone(),
            false => format!("{}: {}", d.summary, d.detail),
        })
        .collect();
    errors.join("; ").replace('\n', " ")
}
