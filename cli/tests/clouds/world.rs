//! Clouds, the machines that they say are running, and a stack that `weir` applies there.

use crate::{
    cloud::{Cloud, Kind},
    common::{Ended, Stack, ended},
    gate::Moment,
    machine::Machine,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What a test has.
pub struct World {
    pub stack: Stack,
    pub clouds: Vec<Cloud>,
    power: Option<Power>,
}

/// Who boots machines and switches them off.
struct Power {
    off: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// What a pool is asked for.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    pub count: usize,
    /// Whether a service runs on every machine.
    pub serves: bool,
    /// More attributes of the pool.
    pub more: String,
    /// More attributes of each offer.
    pub offer: String,
}

impl World {
    /// These clouds, and machines that boot; `None`, said aloud, where one can't be had.
    pub fn start(kinds: &[Kind]) -> Option<World> {
        let clouds: Option<Vec<Cloud>> = kinds.iter().map(|k| Cloud::start(*k)).collect();
        let mut world = World {
            stack: Stack::new(""),
            clouds: clouds?,
            power: None,
        };
        world.power_on();
        Some(world)
    }

    /// Machines boot as soon as their cloud says that they run.
    pub fn power_on(&mut self) {
        let doors: Vec<_> = self.clouds.iter().map(Cloud::door).collect();
        let off = Arc::new(AtomicBool::new(false));
        let stop = off.clone();
        let thread = thread::spawn(move || {
            let mut machines: BTreeMap<String, Machine> = BTreeMap::new();
            while !stop.load(Ordering::SeqCst) {
                let running: Vec<_> = doors.iter().flat_map(|d| d.running()).collect();
                machines.retain(|id, _| running.iter().any(|r| r.id == *id));
                for machine in running {
                    machines
                        .entry(machine.id)
                        .or_insert_with(|| Machine::boot(&machine.address, &machine.user_data));
                }
                thread::sleep(Duration::from_millis(100));
            }
        });
        self.power = Some(Power { off, thread });
    }

    /// All machines are dead, and none boots.
    pub fn power_off(&mut self) {
        if let Some(power) = self.power.take() {
            power.off.store(true, Ordering::SeqCst);
            power.thread.join().unwrap();
        }
    }

    /// The machines that run, over all clouds.
    pub fn running(&self) -> usize {
        self.clouds.iter().map(|c| c.door().running().len()).sum()
    }

    /// Writes the stack: a pool with an offer of each cloud.
    pub fn write(&self, pool: &Pool) {
        let providers: String = self.clouds.iter().map(Cloud::provider).collect();
        let offer = |c: &Cloud| c.offer().replace("}\n", &format!("{}\n}}\n", pool.offer));
        let offers: String = self.clouds.iter().map(offer).collect();
        let (count, more) = (pool.count, &pool.more);
        let service = match pool.serves {
            true => SERVICE,
            false => "",
        };
        let text = format!(
            r#"stack "shop" {{}}
{providers}
cluster "main" {{
  pool "cloud" {{
    count    = {count}
    ssh_from = ["203.0.113.7/32"]
    {more}
    machine {{
      cpus   = 2
      memory = "4GiB"
    }}
    {offers}
  }}
}}
{service}
output "addresses" {{
  value = {{ for host in cluster.main.hosts : host.name => host.address }}
}}
"#
        );
        self.stack.write("main.hcl", &text);
    }

    /// Applies what is written, which must end with this code; all that was said.
    #[track_caller]
    pub fn apply(&self, code: i32) -> String {
        let ended = self.stack.expect(code, "apply -auto-approve -no-color");
        format!("{}{}", ended.out, ended.err)
    }

    /// Nothing is left to do.
    #[track_caller]
    pub fn settled(&self) {
        self.stack.expect(0, "plan -no-color -detailed-exitcode");
    }

    /// Applies the pool, and nothing is left to do.
    #[track_caller]
    pub fn converge(&self, pool: &Pool) -> String {
        self.write(pool);
        let said = self.apply(0);
        self.settled();
        assert_eq!(self.running(), pool.count, "{said}");
        said
    }

    /// Destroys all, and nothing is left in any cloud.
    #[track_caller]
    pub fn destroy(&self) {
        self.stack.expect(0, "destroy -auto-approve -no-color");
        for cloud in &self.clouds {
            assert_eq!(cloud.made(), Default::default(), "{:?}", cloud.kind);
        }
    }

    /// Applies, and is killed at the `nth` change of the first cloud; false where it ended before.
    pub fn killed(&self, nth: usize, moment: Moment) -> bool {
        let gate = &self.clouds[0].gate;
        gate.kill(nth, moment);
        let child = self.stack.spawn("apply -auto-approve -no-color");
        gate.victim(child.id());
        let ended: Ended = ended(child.wait_with_output().unwrap());
        let died = gate.spare();
        assert_eq!(died, ended.code.is_none(), "{ended:#?}");
        assert!(died || ended.code == Some(0), "{ended:#?}");
        died
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(power) = self.power.take() {
            power.off.store(true, Ordering::SeqCst);
            // A failure of the test itself says more.
            let _ = power.thread.join();
        }
    }
}

const SERVICE: &str = r#"
service "web" {
  cluster = cluster.main
  pod "app" {
    every = "host"
    resources { memory = "64MiB" }
    task "run" { run = "exec sleep 1000" }
  }
}
"#;
