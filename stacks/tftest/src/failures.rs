//! Failed conditions: which were expected, and which are not.

use crate::RunBlock;
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{Diagnostic, Diagnostics, Severity, Span};
use weir_lang::{Config, Sources};

/// The conditions of a configuration, and what a run expects of them.
pub(crate) struct Expectations<'a> {
    conditions: BTreeMap<Span, Vec<String>>,
    expected: &'a [(String, Span)],
    met: BTreeSet<usize>,
}

impl<'a> Expectations<'a> {
    pub(crate) fn new(config: &Config, run: &'a RunBlock) -> Expectations<'a> {
        Expectations {
            conditions: config.conditions(),
            expected: &run.expect_failures,
            met: BTreeSet::new(),
        }
    }

    /// That each names a block of the configuration.
    pub(crate) fn check(&self, config: &Config, sources: &Sources) -> Diagnostics {
        let unknown = |(name, _): &&(String, Span)| !config.has_checkable(block_of(name));
        let report = |(name, span): &(String, Span)| {
            let d = Diagnostic::error("Reference to unknown checkable object")
                .because(format!(
                    "There is no {name} in the configuration, so it can't fail."
                ))
                .help("Correct the name, or remove it from `expect_failures`.");
            sources.point(d, span)
        };
        Diagnostics(self.expected.iter().filter(unknown).map(report).collect())
    }

    /// Leaves out failed conditions that were expected; those of `check` blocks that were not are
    /// errors in a test.
    pub(crate) fn sort(&mut self, found: Diagnostics) -> Diagnostics {
        let mut kept = Diagnostics::new();
        for mut d in found {
            let Some(blocks) = self.failed(&d) else {
                kept.push(d);
                continue;
            };
            let instance = d.address.as_ref().map(ToString::to_string);
            let names = |(name, _): &(String, Span)| {
                blocks.contains(name) || instance.as_ref() == Some(name)
            };
            match self.expected.iter().position(names) {
                Some(at) => drop(self.met.insert(at)),
                None => {
                    d.severity = Severity::Error;
                    kept.push(d);
                }
            }
        }
        kept
    }

    /// What is said where an apply can't go on, as a condition failed while planning. Those that
    /// were expected are explained.
    pub(crate) fn explain(&self, found: Diagnostics) -> Diagnostics {
        let mut out = Diagnostics::new();
        for d in found {
            let blocks = self.failed(&d).filter(|_| d.is_error());
            let name = blocks.and_then(|blocks| {
                let named = |(name, _): &&(String, Span)| blocks.contains(name);
                self.expected.iter().find(named)
            });
            if let Some((name, _)) = name {
                out.push(Diagnostic::warning("Expected failure while planning").because(format!(
                    "A custom condition within {name} failed during the planning stage and prevented the requested apply operation. While this was an expected failure, the apply operation could not be executed and so the overall test case will be marked as a failure and the original diagnostic included in the test report."
                )));
            }
            out.push(d);
        }
        out
    }

    /// What is left of all that was found once the run is over: with what was expected and did not
    /// come.
    pub(crate) fn missing_after(&mut self, found: Diagnostics, sources: &Sources) -> Diagnostics {
        let mut kept = self.sort(found);
        kept.extend(self.missing(sources));
        kept
    }

    /// Those that were expected and did not come.
    pub(crate) fn missing(&self, sources: &Sources) -> Diagnostics {
        let unmet = self.expected.iter().enumerate();
        let unmet = unmet.filter(|(at, _)| !self.met.contains(at));
        let report = |(_, (name, span)): (usize, &(String, Span))| {
            let d = Diagnostic::error("Missing expected failure").because(format!(
                "The checkable object, {name}, was expected to report an error but did not."
            ));
            sources.point(d, span)
        };
        Diagnostics(unmet.map(report).collect())
    }

    /// The blocks whose condition failed, where that is what it says.
    fn failed(&self, d: &Diagnostic) -> Option<&Vec<String>> {
        d.span
            .as_ref()
            .filter(|_| d.is_failed_condition())
            .and_then(|span| self.conditions.get(span))
    }
}

/// The name without the key of an instance.
fn block_of(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}
