//! What an hour of a machine costs.

use std::{fmt, iter::Sum, str::FromStr};

/// Millionths of a US dollar per hour: exact, where a float is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Price(u64);

/// Of a dollar.
const MILLION: u64 = 1_000_000;

/// The hours of a month, as the clouds' own calculators count them: 365 days in 12 months.
const HOURS_A_MONTH: u64 = 730;

impl Price {
    /// From millionths of a US dollar per hour.
    pub const fn from_micros(micros: u64) -> Price {
        Price(micros)
    }

    /// In millionths of a US dollar per hour.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// From US dollars per hour, rounded to the millionth; `None` for what is no price: negative,
    /// not a number, or more than a million dollars an hour.
    pub fn from_dollars(dollars: f64) -> Option<Price> {
        (0.0..=1e6)
            .contains(&dollars)
            .then(|| Price((dollars * MILLION as f64).round() as u64))
    }

    /// Of so many machines.
    #[must_use]
    pub fn times(self, machines: u64) -> Price {
        Price(self.0.saturating_mul(machines))
    }

    /// US dollars of a month of 730 hours, rounded to the cent: `87.60`.
    pub fn per_month(self) -> String {
        let cents = (self.0.saturating_mul(HOURS_A_MONTH) + MILLION / 200) / (MILLION / 100);
        format!("{}.{:02}", cents / 100, cents % 100)
    }
}

impl fmt::Display for Price {
    /// US dollars per hour with four digits after the point, or as many as it takes: `0.0960`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = format!("{}.{:06}", self.0 / MILLION, self.0 % MILLION);
        let short = all.trim_end_matches('0');
        let least = all.len() - 2;
        f.pad(&all[..short.len().max(least)])
    }
}

impl FromStr for Price {
    type Err = ();

    /// Reads `0.0832`.
    fn from_str(text: &str) -> Result<Price, ()> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || part.len() > 6 || !is_digits(whole) || !is_digits(part) {
            return Err(());
        }
        let whole: u64 = whole.parse().map_err(|_| ())?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| ())?;
        let micros = whole.checked_mul(MILLION).and_then(|w| w.checked_add(part));
        micros.map(Price).ok_or(())
    }
}

impl Sum for Price {
    fn sum<I: Iterator<Item = Price>>(prices: I) -> Price {
        Price(prices.fold(0, |sum, p| sum.saturating_add(p.0)))
    }
}
