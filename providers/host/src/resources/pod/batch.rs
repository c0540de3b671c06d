//! One host's whole change in one round trip.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use weir_agent::wire::{Event, HostReport, HostSpec, PodSpec, PodStatus, TaskState};
use weir_core::{Diagnostic, Diagnostics, Known, Object};
use weir_provider::{ApplyRequest, ApplyResponse, Progress};

use super::{host_of, observe, spec};
use crate::attributes::Faults;
use crate::change::Change;
use crate::error::{HostError, about, sentence};
use crate::host::Host;
use crate::hosts::{Hosts, Private};
use crate::resources::{known_part, line};

/// Applies requests for pods, one round trip for each host among them.
pub(crate) async fn apply(
    hosts: &Hosts,
    requests: Vec<ApplyRequest>,
    progress: &dyn Progress,
) -> Vec<ApplyResponse> {
    let mut by_host: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let jobs: Vec<_> = requests.into_iter().map(Job::new).collect();
    for (index, job) in jobs.iter().enumerate() {
        by_host.entry(job.host.clone()).or_default().push(index);
    }
    let mut responses: Vec<_> = jobs.iter().map(|_| None).collect();
    for (id, indices) in by_host {
        let jobs: Vec<_> = indices.iter().map(|&index| &jobs[index]).collect();
        let answers = apply_on(hosts, &id, &jobs, progress).await;
        for (index, answer) in indices.into_iter().zip(answers) {
            responses[index] = Some(answer);
        }
    }
    // Every job has a host, and every host has answered for its jobs.
    responses.into_iter().flatten().collect()
}

/// A request, taken apart.
struct Job {
    request: ApplyRequest,
    host: String,
    private: Private,
}

impl Job {
    fn new(request: ApplyRequest) -> Self {
        let mut private = Private::decode(&request.private);
        private.scope = Some(request.token.lineage.clone());
        let object = request.planned.as_ref();
        let object = object.or(request.prior.as_ref().map(Known::value));
        Self {
            host: object.and_then(host_of).unwrap_or_default().to_owned(),
            private,
            request,
        }
    }

    fn address(&self) -> &str {
        &self.request.address
    }

    /// The answer where the agent was not asked or did not accept: all is as
    /// it was before.
    fn untouched(&self, diagnostic: Diagnostic) -> ApplyResponse {
        ApplyResponse {
            value: self.request.prior.clone(),
            private: self.private.encode(),
            diagnostics: diagnostic.into(),
        }
    }

    /// The answer where the host was lost in the middle: it may be there.
    fn lost(&self, diagnostic: Diagnostic) -> ApplyResponse {
        let mut private = self.private.clone();
        private.unsettled = true;
        let planned = self.request.planned.clone().and_then(known_part);
        ApplyResponse {
            value: self.request.prior.clone().or(planned),
            private: private.encode(),
            diagnostics: diagnostic.into(),
        }
    }
}

async fn apply_on(
    hosts: &Hosts,
    id: &str,
    jobs: &[&Job],
    progress: &dyn Progress,
) -> Vec<ApplyResponse> {
    // Without a record of its own, a request finds the host by another's.
    let recorded = jobs.iter().map(|job| &job.private);
    let recorded = recorded
        .max_by_key(|private| private.connection.is_some())
        .cloned()
        .unwrap_or_default();
    let host = match hosts.find(id, &recorded) {
        Ok(host) => host,
        Err(error) => {
            let refuse = |job: &&Job| job.untouched(error.diagnostic(job.address(), id));
            return jobs.iter().map(refuse).collect();
        }
    };
    let mut round = Round {
        change: host.change().await,
        jobs,
        progress,
        refused: BTreeMap::new(),
        steps: Mutex::default(),
    };
    let pods = round.goals().await;
    let outcome = round.send(pods).await;
    let answer = |job: &&Job| match (round.refused.get(job.address()), &outcome) {
        (Some(diagnostic), _) => job.untouched(diagnostic.clone()),
        (None, Ok(report)) => answer(job, &host, report),
        (None, Err(error)) if error.is_hang_up() => job.lost(round.lost(job.address(), error)),
        (None, Err(error)) => job.untouched(error.diagnostic(job.address(), id)),
    };
    jobs.iter().map(answer).collect()
}

/// One host's change under way.
struct Round<'a> {
    change: Change<'a>,
    jobs: &'a [&'a Job],
    progress: &'a dyn Progress,
    /// Requests that are out, by address, and why.
    refused: BTreeMap<String, Diagnostic>,
    /// The step each pod was last heard in.
    steps: Mutex<BTreeMap<String, String>>,
}

impl Round<'_> {
    /// The goals of the pods to set, with all their agent can't fetch brought
    /// there.
    async fn goals(&mut self) -> Vec<PodSpec> {
        let mut pods = Vec::new();
        for job in self.jobs {
            let Some(planned) = &job.request.planned else {
                continue;
            };
            let mut faults = Faults::default();
            let pod = spec::pod(job.address(), planned, &mut faults);
            if let Some(fault) = faults.into_diagnostics().into_iter().next() {
                self.refuse(job.address(), about(fault, job.address()));
                continue;
            }
            let say = |text| self.progress.progress(job.address(), text);
            match self.change.put_blobs(&spec::uploads(planned), &say).await {
                Ok(()) => pods.push(pod),
                Err(error) => {
                    let diagnostic = error.diagnostic(job.address(), self.change.host().id());
                    self.refuse(job.address(), diagnostic);
                }
            }
        }
        pods
    }

    /// Sends the goal; a pod the agent finds invalid is left out, and the
    /// others are sent again: they have nothing to do with it.
    async fn send(&mut self, mut pods: Vec<PodSpec>) -> Result<HostReport, HostError> {
        let Some(token) = self.jobs.first().map(|job| &job.request.token) else {
            return Ok(HostReport::default());
        };
        loop {
            // A pod that is deleted and made anew in one change is brought to
            // its new goal in place.
            let removed = self.jobs.iter().filter(|job| job.request.planned.is_none());
            let remove: Vec<_> = removed
                .map(|job| job.address().to_owned())
                .filter(|name| pods.iter().all(|pod| pod.name != *name))
                .collect();
            if pods.is_empty() && remove.is_empty() {
                return Ok(HostReport::default());
            }
            let goal = HostSpec {
                scope: token.lineage.clone(),
                generation: token.generation(),
                set: pods.clone(),
                remove,
            };
            let (progress, steps) = (self.progress, &self.steps);
            let say = |event: Event| hear(event, progress, steps);
            let error = match self.change.apply(goal, &say).await {
                Ok(report) => {
                    return start_stopped(&mut self.change, &token.lineage, &pods, report).await;
                }
                Err(error) => error,
            };
            let Some(name) = error.invalid_pod() else {
                return Err(error);
            };
            let Some(index) = pods.iter().position(|pod| pod.name == name) else {
                return Err(error);
            };
            let diagnostic = error.diagnostic(name, self.change.host().id());
            self.refuse(name, diagnostic);
            pods.remove(index);
        }
    }

    fn refuse(&mut self, address: &str, diagnostic: Diagnostic) {
        self.refused.insert(address.to_owned(), diagnostic);
    }

    /// The host was lost in the middle.
    fn lost(&self, address: &str, error: &HostError) -> Diagnostic {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let step = steps.get(address).map_or("apply", String::as_str);
        let host = self.change.host();
        let summary = format!("{address}: host {} was lost in step `{step}`", host.id());
        let diagnostic = Diagnostic::error(summary)
            .because(sentence(&error.to_string()))
            .help("Run `weir apply` again once the host answers: its agent keeps the goal and goes on.");
        about(diagnostic, address)
    }
}

/// Notes the step, and passes the event on as progress.
fn hear(event: Event, progress: &dyn Progress, steps: &Mutex<BTreeMap<String, String>>) {
    if let Some(text) = line(&event) {
        progress.progress(&event.pod, text);
    }
    // A map is sound whatever panicked while holding it.
    let mut steps = steps.lock().unwrap_or_else(PoisonError::into_inner);
    steps.insert(event.pod, event.step);
}

/// The agent leaves a task stopped that somebody has stopped by hand, but a
/// stack says that it runs.
async fn start_stopped(
    change: &mut Change<'_>,
    scope: &str,
    pods: &[PodSpec],
    report: HostReport,
) -> Result<HostReport, HostError> {
    let mut stopped = Vec::new();
    for pod in pods {
        let status = observe::pod_of(&report, scope, &pod.name);
        let Some(status) = status.filter(|status| status.settled) else {
            continue;
        };
        for (task, found) in &status.tasks {
            if found.state == TaskState::Stopped {
                stopped.push((pod.name.clone(), task.clone()));
            }
        }
    }
    if stopped.is_empty() {
        return Ok(report);
    }
    change.start(scope, &stopped).await
}

/// What the agent's report means for one request.
fn answer(job: &Job, host: &Host, report: &HostReport) -> ApplyResponse {
    let scope = &job.request.token.lineage;
    let status = observe::pod_of(report, scope, job.address());
    let mut private = job.private.clone().on(host);
    let (value, failure) = match (&job.request.planned, status) {
        (None, None) => (None, None),
        (None, Some(status)) => {
            private.unsettled = true;
            let why = failure(status).unwrap_or(("remove", "it is still there".into()));
            (job.request.prior.clone(), Some(why))
        }
        (Some(planned), Some(status)) => match failure(status) {
            None => {
                private.unsettled = false;
                (known_part(observe::achieved(planned.clone(), status)), None)
            }
            Some(why) => {
                private.unsettled = true;
                (known_part(observe::observe(planned, status)), Some(why))
            }
        },
        (Some(_), None) => {
            let why = "the agent's report does not mention it";
            (job.request.prior.clone(), Some(("apply", why.into())))
        }
    };
    let mut diagnostics = Diagnostics::new();
    if let Some((step, message)) = failure {
        diagnostics.push(failed(job.address(), host.id(), step, &message));
    }
    ApplyResponse {
        value,
        private: private.encode(),
        diagnostics,
    }
}

/// The step that failed and why, if the pod is not at its goal.
fn failure(status: &PodStatus) -> Option<(&str, String)> {
    match &status.error {
        Some(error) => Some((&error.step, error.message.clone())),
        None if status.settled => None,
        None => Some((
            "apply",
            "the agent was interrupted; run `weir apply` again to continue".into(),
        )),
    }
}

fn failed(address: &str, host: &str, step: &str, message: &str) -> Diagnostic {
    let summary = format!("{address}: step `{step}` failed on host {host}");
    let diagnostic = Diagnostic::error(summary).because(sentence(message));
    let mut diagnostic = about(diagnostic, address);
    // Only the end of what a task said is in the message.
    if let Some(task) = step
        .strip_prefix("task ")
        .filter(|_| message.contains('\n'))
        && let Some(Object::Pod { service, .. }) = diagnostic.address.as_ref().map(|a| &a.object)
    {
        let logs = format!("weir service logs {service} --task {task}");
        diagnostic.help = Some(format!(
            "Run `{logs}` to see more; mend it and apply again."
        ));
    }
    diagnostic
}
