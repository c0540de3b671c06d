//! Old objects that a replacement of an earlier run put aside and could not delete any more.

use super::{Run, State};
use crate::{diagnostics, guard::caught, settle::Unsettled};
use weir_core::{Diagnostic, event::Event, plan::Op};
use weir_provider::{ApplyRequest, NoProgress};
use weir_state::{Entry, Outcome};

impl Run<'_> {
    /// Deletes them where everything went well: before that somebody may still use them.
    pub(super) async fn clean_up(&mut self) {
        if !self.states.iter().all(|s| *s == State::Done) {
            return;
        }
        for entry in std::mem::take(&mut self.deposed) {
            if self.stop.is_cancelled() || self.broken.is_some() {
                return;
            }
            self.delete_old(entry).await;
        }
    }

    async fn delete_old(&mut self, entry: Entry) {
        let journal = self.engine.journal(self.lease);
        if let Err(error) = journal.confirm().await {
            self.broken = Some(error);
            return;
        }
        let token = self.token();
        let begin = &entry.begin;
        let address = begin.address.clone();
        self.engine.events.event(Event::Started {
            address: address.clone(),
            op: Op::Delete,
            host: None,
        });
        let started = std::time::Instant::now();
        let answer = match self.engine.session.get(&begin.provider).await {
            Err(errors) => Err(errors),
            Ok(provider) => {
                let request = ApplyRequest {
                    type_name: begin.type_name.clone(),
                    address: address.to_string(),
                    op: Op::Delete,
                    prior: begin.prior.clone(),
                    planned: None,
                    config: None,
                    private: begin.private.clone(),
                    token,
                };
                let response = caught(provider.apply(request, &NoProgress)).await;
                response.and_then(|r| match (r.diagnostics.has_errors(), r.value) {
                    (false, None) => Ok(()),
                    (true, _) => Err(r.diagnostics),
                    (false, Some(_)) => Err(still_there().into()),
                })
            }
        };
        let elapsed_ms = super::elapsed_ms(started);
        let (outcome, event) = match answer {
            Ok(()) => {
                let op = Op::Delete;
                (
                    Outcome::Gone,
                    Event::Finished {
                        address: address.clone(),
                        op,
                        elapsed_ms,
                        id: None,
                    },
                )
            }
            Err(errors) => {
                let message = diagnostics::one_line(&errors);
                let reason = message.clone();
                let unsettled = Unsettled {
                    address: address.clone(),
                    op: Op::Delete,
                    reason,
                };
                self.old_failures
                    .push((unsettled, diagnostics::on(errors, &address)));
                (
                    Outcome::Failed {
                        message: message.clone(),
                        leftover: None,
                    },
                    Event::Failed {
                        address: address.clone(),
                        op: Op::Delete,
                        elapsed_ms,
                        message,
                    },
                )
            }
        };
        match journal.settle(&address, entry.id, outcome).await {
            Ok(_) => self.engine.events.event(event),
            Err(error) => self.broken = Some(error),
        }
    }
}

fn still_there() -> Diagnostic {
    Diagnostic::error("the old object is still there after its deletion")
        .because("The provider returned an object and no error.")
        .help("This is a bug of the provider: report it to its authors.")
}
