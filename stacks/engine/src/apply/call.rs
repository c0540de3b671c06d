//! One call of a provider: what it is given, how it stands in the journal, and the provider's plan
//! made final where something was not known before.

use weir_core::{
    Address, Diagnostic, Diagnostics, Known, Value,
    plan::Op,
    schema::Schema,
    snapshot::{Resource, Status},
};
use weir_plan::{Prior, Proposal, Requested, Verdict, carry_marks, verdict};
use weir_provider::{ApplyRequest, PlanRequest, Provider, check, proposed};
use weir_state::{Begin, EntryId, Target};

/// One call of `apply`.
pub(super) struct Call {
    pub(super) request: ApplyRequest,
    pub(super) schema: Schema,
    pub(super) entry: JournalEntry,
    /// What the resource is recorded as, but for what comes of the call.
    pub(super) template: Resource,
    /// Where the configuration was not wholly known while planning: what is asked once more.
    pub(super) final_plan: Option<FinalPlan>,
    pub(super) host: Option<String>,
}

/// How the call stands in the journal.
pub(super) enum JournalEntry {
    /// An entry of its own, and where a replacement creates first one for the old object.
    Begin { old: Option<Box<Begin>> },
    /// It was begun with the creation beside it.
    Open(EntryId),
}

/// A provider's plan made again at apply, as the configuration was not wholly known before.
pub(super) struct FinalPlan {
    pub(super) prior: Option<Known>,
    pub(super) promised: Value,
    pub(super) config: Value,
    /// The provider's name.
    pub(super) provider: String,
}

impl Call {
    /// Makes the provider's plan final. It completes what was promised, and asks for nothing more.
    pub(super) async fn complete(&mut self, provider: &dyn Provider) -> Result<(), Diagnostics> {
        let Some(FinalPlan {
            prior,
            promised,
            config,
            provider: name,
        }) = self.final_plan.take()
        else {
            return Ok(());
        };
        let prior_value = prior.as_ref().map(Known::value);
        let response = provider
            .plan(PlanRequest {
                type_name: self.request.type_name.clone(),
                address: self.request.address.clone(),
                prior: prior.clone(),
                config: config.clone(),
                proposed: proposed::merge(&self.schema, prior_value, &config),
                private: self.request.private.clone(),
            })
            .await?;
        let subject = check::Subject {
            provider: &name,
            address: &self.request.address,
        };
        let mut broken = check::planned(
            subject,
            &self.schema,
            prior_value,
            &config,
            &response.planned,
        );
        broken.extend(check::replanned(
            subject,
            &self.schema,
            &promised,
            &response.planned,
        ));
        if broken.has_errors() {
            return Err(broken);
        }
        let proposal = Proposal {
            planned: carry_marks(response.planned, &config, &self.schema.block),
            requires_replace: response.requires_replace,
            private: response.private,
            batch: response.batch,
        };
        let now = Prior {
            stored: prior.as_ref(),
            current: prior.as_ref(),
            status: Status::Ready,
        };
        let verdict = verdict(&now, &proposal, &self.schema, Requested::No)?;
        if self.request.op == Op::Update && matches!(verdict, Verdict::Replace(_)) {
            let address = &self.request.address;
            return Err(Diagnostic::error(format!(
                "{address} can't be updated in place after all"
            ))
            .because(
                "A value that was not known while planning turned out to be one that forces \
                     a replacement.",
            )
            .help("Plan again: the value is known now.")
            .into());
        }
        self.request.planned = Some(proposal.planned);
        self.request.private = proposal.private;
        Ok(())
    }

    /// The journal's entry for it.
    pub(super) fn begin(&self, address: &Address) -> Begin {
        begin(&self.request, address, &self.template, Target::Current)
    }
}

/// The journal's entry for a call.
pub(super) fn begin(
    request: &ApplyRequest,
    address: &Address,
    resource: &Resource,
    target: Target,
) -> Begin {
    Begin {
        address: address.clone(),
        op: request.op,
        target,
        provider: resource.provider.clone(),
        type_name: request.type_name.clone(),
        schema_version: resource.schema_version,
        token: request.token.text(),
        step: request.token.step,
        planned: request.planned.clone(),
        prior: request.prior.clone(),
        private: request.private.clone(),
        dependencies: resource.dependencies.clone(),
        foreign: resource.foreign.clone(),
    }
}
