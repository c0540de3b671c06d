//! Events on their way to the client that asked for the work; one that hung up misses them.

use tokio::sync::mpsc::UnboundedSender;
use weir_agent::wire::{Event, EventKind};

/// Where events go.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    /// None: nobody asked; the agent resumes work by itself.
    out: Option<UnboundedSender<Event>>,
}

impl Events {
    pub(crate) fn to(out: UnboundedSender<Event>) -> Self {
        Self { out: Some(out) }
    }

    pub(crate) fn nobody() -> Self {
        Self { out: None }
    }

    pub(crate) fn pod(&self, pod: &str) -> PodEvents {
        PodEvents {
            events: self.clone(),
            pod: pod.to_owned(),
        }
    }
}

/// Where events of one pod go.
#[derive(Clone, Debug)]
pub(crate) struct PodEvents {
    events: Events,
    pod: String,
}

impl PodEvents {
    pub(crate) fn send(&self, step: &str, kind: EventKind) {
        if let Some(out) = &self.events.out {
            let event = Event {
                pod: self.pod.clone(),
                step: step.to_owned(),
                kind,
            };
            // The client may be gone; the work goes on.
            let _ = out.send(event);
        }
    }

    pub(crate) fn started(&self, step: &str) {
        self.send(step, EventKind::Started);
    }

    pub(crate) fn progress(&self, step: &str, text: impl Into<String>) {
        self.send(step, EventKind::Progress { text: text.into() });
    }

    pub(crate) fn changed(&self, step: &str, what: impl Into<String>) {
        self.send(step, EventKind::Changed { what: what.into() });
    }

    pub(crate) fn done(&self, step: &str) {
        self.send(step, EventKind::Done);
    }

    pub(crate) fn failed(&self, step: &str, message: &str) {
        let message = message.to_owned();
        self.send(step, EventKind::Failed { message });
    }
}
