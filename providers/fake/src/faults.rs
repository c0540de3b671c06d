//! Faults on demand: by seed, and by kill point.

use std::{
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
};
use weir_core::Value;

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Update,
    Delete,
    Read,
}

impl Verb {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Delete => "delete",
            Verb::Read => "read",
        }
    }
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Nothing was done.
    Before,
    /// The object is half made.
    Mid,
    /// All was done and nobody was told.
    After,
}

/// Which operations fail, in percent, decided by a seed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    seed: u64,
    create: u64,
    partial: u64,
    update: u64,
    delete: u64,
    read: u64,
}

impl Faults {
    pub(crate) fn read(config: Option<&Value>) -> Faults {
        let number = |name: &str| -> u64 {
            let value = config
                .and_then(|c| c.get(name))
                .and_then(Value::as_i64)
                .unwrap_or(0);
            value.unsigned_abs()
        };
        Faults {
            seed: number("seed"),
            create: number("create_error_rate"),
            partial: number("partial_create_rate"),
            update: number("update_error_rate"),
            delete: number("delete_error_rate"),
            read: number("read_error_rate"),
        }
    }

    /// Whether this attempt fails. A later attempt at the same may not.
    pub(crate) fn strikes(&self, verb: Verb, name: &str, attempt: usize) -> bool {
        let rate = match verb {
            Verb::Create => self.create,
            Verb::Update => self.update,
            Verb::Delete => self.delete,
            Verb::Read => self.read,
        };
        self.dice(&format!("{}/{name}/{attempt}", verb.word())) < rate
    }

    /// Whether this creation stops half-way.
    pub(crate) fn leaves_half(&self, name: &str, attempt: usize) -> bool {
        self.dice(&format!("partial/{name}/{attempt}")) < self.partial
    }

    /// A number below 100 that depends on the seed and the text alone (FNV-1a, then mixed).
    fn dice(&self, text: &str) -> u64 {
        let fnv = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        let mut h = text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ self.seed, fnv);
        h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        (h ^ (h >> 33)) % 100
    }
}

/// Where the process is aborted: at the n-th such moment since the process began.
#[derive(Debug)]
pub(crate) struct KillPoint {
    moment: Moment,
    verb: Verb,
    left: AtomicU64,
}

impl KillPoint {
    /// Whether this is the moment.
    pub(crate) fn is_now(&self, moment: Moment, verb: Verb) -> bool {
        self.moment == moment && self.verb == verb && self.left.fetch_sub(1, Ordering::SeqCst) == 1
    }
}

impl FromStr for KillPoint {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            format!(
                "{text:?} is not a kill point: write `before_create:3`, with before, mid or after; create, update or delete; and a number from 1"
            )
        };
        let (point, number) = text.split_once(':').ok_or_else(wrong)?;
        let (moment, verb) = point.split_once('_').ok_or_else(wrong)?;
        let moment = match moment {
            "before" => Moment::Before,
            "mid" => Moment::Mid,
            "after" => Moment::After,
            _ => return Err(wrong()),
        };
        let verb = match verb {
            "create" => Verb::Create,
            "update" if moment != Moment::Mid => Verb::Update,
            "delete" if moment != Moment::Mid => Verb::Delete,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?;
        Ok(KillPoint {
            moment,
            verb,
            left: AtomicU64::new(number),
        })
    }
}
