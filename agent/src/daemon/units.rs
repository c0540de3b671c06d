//! Tasks on a systemd host: units written, started, reloaded, and waited for.

use std::sync::Arc;
use std::time::Duration;

use weir_agent::wire::TaskState;

use super::accounts::Accounts;
use super::apply::PodWork;
use super::health::{Handle, Order};
use super::keeper;
use super::ledger::UnitRecord;
use super::systemd::{self, UnitState};
use super::task::{TaskConfig, TaskKey};
use super::tasks::{Facts, Move, decide, reload};
use super::{StepError, disk};

/// How long units that were just started must stay up.
const SETTLE: Duration = Duration::from_millis(300);

impl PodWork {
    async fn unit(&self, name: &str) -> Result<UnitState, String> {
        let units = self.units.get(&self.agent, &self.scope).await?;
        Ok(units.get(name).cloned().unwrap_or_default())
    }

    /// Writes the unit of a command; makes systemd read it.
    async fn write_unit(&self, config: &TaskConfig) -> Result<(), String> {
        if let Some(run) = keeper::command_of(config)
            && keeper::write_unit(config, run)?
        {
            systemd::systemctl(&["daemon-reload"]).await?;
            self.units.forget();
        }
        Ok(())
    }

    /// Keeps a unit running: a command's own, or one that is there.
    pub(crate) async fn keep_unit(
        &self,
        config: TaskConfig,
        step: &str,
        started: &mut Vec<String>,
    ) -> Result<(), String> {
        let name = systemd::unit_of(&config.spec, &self.home);
        let generated = keeper::command_of(&config).is_some();
        let record = self.task_record(&config.key.task);
        let digest = config.digest();
        let unit_record = Some(UnitRecord {
            name: name.clone(),
            generated,
        });
        if record.unit != unit_record {
            // Before the unit exists: what a crash leaves behind must be known.
            self.agent
                .record_task(&config.key, |task| task.unit.clone_from(&unit_record));
        }
        self.write_unit(&config).await?;
        let unit = self.unit(&name).await?;
        match unit.load.as_str() {
            "loaded" => {}
            "masked" => {
                return Err(format!(
                    "unit {name} is masked on this host; unmask it and apply again"
                ));
            }
            _ => {
                return Err(format!(
                    "unit {name} does not exist on this host; add the package that ships it, or correct the name"
                ));
            }
        }
        let facts = Facts {
            runs: unit.is_active() || unit.is_waiting(),
            // A command's unit that runs with nothing recorded may run with anything.
            outdated: record.digest != digest && (generated || !record.digest.is_empty()),
            stopped: record.stopped,
            pending: record.pending.0,
            can_reload: config.spec.reload.is_some(),
        };
        let what = decide(facts);
        let stays_stopped = facts.stopped && what == Move::Nothing;
        if !unit.is_enabled() && !stays_stopped {
            systemd::systemctl(&["enable", "--", &name]).await?;
            if what == Move::Nothing {
                self.events.changed(step, "enabled");
            }
            self.units.forget();
        }
        let key = config.key.clone();
        if what == Move::Nothing {
            if record.digest != digest {
                self.record_started(&config, &digest, unit_record);
            }
            return self.watch_unit(config, &unit, facts.runs).await;
        }
        self.events.started(step);
        if what == Move::Reload {
            reload(&config, unit.main_pid).await?;
        } else {
            if what == Move::Start {
                self.check_ports()?;
            }
            self.drop_watch(&key).await;
            let verb = if what == Move::Start {
                "start"
            } else {
                "restart"
            };
            self.units.forget();
            if let Err(message) = systemd::systemctl(&[verb, "--", &name]).await {
                let unit = self.unit(&name).await?;
                return Err(match keeper::last_exit(&unit) {
                    Some(_) => self.ended_at_once(&config, &unit).await,
                    None => message,
                });
            }
            started.push(name.clone());
        }
        self.record_started(&config, &digest, unit_record);
        self.events.changed(
            step,
            match what {
                Move::Reload => "reloaded",
                Move::Restart => "restarted",
                _ => "started",
            },
        );
        self.watch_unit(config, &unit, true).await?;
        self.events.done(step);
        Ok(())
    }

    /// Has the checks of a unit watched, and waits until it is ready.
    async fn watch_unit(
        &self,
        config: TaskConfig,
        unit: &UnitState,
        runs: bool,
    ) -> Result<(), String> {
        if !runs || (config.spec.ready.is_none() && config.spec.alive.is_none()) {
            self.drop_watch(&config.key).await;
            return Ok(());
        }
        let same_checks = |handle: &Arc<Handle>| {
            let old = handle.config();
            let runs = matches!(handle.status().state, TaskState::Running { .. });
            runs && old.spec.ready == config.spec.ready && old.spec.alive == config.spec.alive
        };
        let handle = match self.agent.handle(&config.key).filter(same_checks) {
            Some(handle) => handle,
            None => {
                self.drop_watch(&config.key).await;
                keeper::watch(&self.agent, config, unit.main_pid)
            }
        };
        if handle.config().spec.ready.is_some() {
            handle.wait_ready(&self.scope, self.generation).await?;
        }
        Ok(())
    }

    async fn drop_watch(&self, key: &TaskKey) {
        if let Some(handle) = self.agent.handle(key) {
            // A watch always ends when told to.
            let _ = handle.order(Order::Stop).await;
            self.agent.drop_handle(key);
        }
    }

    /// Runs a command with an end as a unit, and waits for it.
    pub(crate) async fn finish_unit(&self, config: TaskConfig, step: &str) -> Result<(), String> {
        let record = self.task_record(&config.key.task);
        let digest = config.digest();
        if self.is_finished(&config, &record, &digest) {
            return Ok(());
        }
        if keeper::command_of(&config).is_none() {
            return Err("a systemd unit can't have the goal finish or once".to_owned());
        }
        let name = systemd::unit_of(&config.spec, &self.home);
        let running = record.digest == digest && self.unit(&name).await?.is_active();
        // Asked again: it may have ended between the first question and the look at it.
        if !running && self.is_finished(&config, &record, &digest) {
            return Ok(());
        }
        self.events.started(step);
        if !running {
            // The old end goes before the new start is recorded, or it would count for it.
            disk::remove_if_there(&config.exit_file()).map_err(|error| disk::cause(&error))?;
            let unit_record = Some(UnitRecord {
                name: name.clone(),
                generated: true,
            });
            self.record_started(&config, &digest, unit_record);
            self.write_unit(&config).await?;
        }
        self.units.forget();
        if systemd::systemctl(&["start", "--", &name]).await.is_err() {
            let unit = self.unit(&name).await?;
            let exit =
                keeper::last_exit(&unit).map_or_else(String::new, |exit| format!(" with {exit}"));
            return Err(format!("it ended{exit}{}", config.last_words().await));
        }
        self.agent
            .record_task(&config.key, |task| task.finished = Some(digest));
        self.events.changed(step, "finished");
        self.events.done(step);
        Ok(())
    }

    /// Looks once more at units that were just started: what dies at once counts as failed.
    pub(crate) async fn settle(&self, started: &[String]) -> Result<(), StepError> {
        if started.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(SETTLE).await;
        self.units.forget();
        for spec in &self.spec.tasks {
            let name = systemd::unit_of(spec, &self.home);
            if !started.contains(&name) {
                continue;
            }
            let failed = |message| StepError::new(format!("task {}", spec.name), message);
            let unit = self.unit(&name).await.map_err(failed)?;
            if unit.is_active() {
                continue;
            }
            let config = self.config(spec, &Accounts::load()).map_err(failed)?;
            return Err(failed(self.ended_at_once(&config, &unit).await));
        }
        Ok(())
    }

    async fn ended_at_once(&self, config: &TaskConfig, unit: &UnitState) -> String {
        let exit = keeper::last_exit(unit).map_or_else(String::new, |exit| format!(" with {exit}"));
        let last_words = config.last_words().await;
        format!("it ended right after its start{exit}{last_words}")
    }
}
