//! Evaluation as far as it goes without state: whoever waits for state to be read has the time.

use super::{
    refused,
    wave::{self, Wave},
};
use crate::{
    engine::{Mode, PlanInput},
    registry::Registry,
};
use std::sync::Arc;
use weir_core::Diagnostics;
use weir_lang::{Config, Evaluator};

/// The beginning of a plan: what is evaluated before the first question about what there is.
pub struct Begun {
    config: Arc<Config>,
    pub(super) evaluator: Evaluator,
    /// What was ready by then.
    pub(super) first: Result<Wave, Diagnostics>,
}

impl Begun {
    /// Begins; `None` where state has a say in what is evaluated.
    pub fn of(input: &PlanInput, registry: &Arc<Registry>) -> Option<Begun> {
        is_whole(input).then(|| {
            let config = input.config.clone();
            let mut evaluator = Evaluator::new(config.clone(), registry.clone());
            let first = wave::drain(&mut evaluator);
            Begun {
                config,
                evaluator,
                first,
            }
        })
    }

    /// Whether it is the beginning of this plan.
    pub(super) fn is_of(&self, input: &PlanInput) -> bool {
        Arc::ptr_eq(&self.config, &input.config) && is_whole(input)
    }
}

/// Whether all of the configuration is evaluated, to be made, whatever there is. Which offer makes
/// which machine of a pool depends on those that are there.
fn is_whole(input: &PlanInput) -> bool {
    let options = &input.options;
    !input.config.makes_machines()
        && options.mode == Mode::Apply
        && options.targets.is_empty()
        && !refused::sets_aside(options)
}
