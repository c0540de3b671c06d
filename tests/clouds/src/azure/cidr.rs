//! Ranges of addresses.

use std::net::{IpAddr, Ipv4Addr};

/// A range whose first address is that of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    v4: bool,
    first: u128,
    bits: u32,
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(a) => u128::from(u32::from(a)),
        IpAddr::V6(a) => u128::from(a),
    }
}

impl Range {
    /// `10.0.0.0/16`; `None` where it is no range, or its address is not the first of it.
    pub(super) fn parse(text: &str) -> Option<Range> {
        let (address, length) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let length: u32 = length.parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = all - length.min(all);
        let range = Range {
            v4: address.is_ipv4(),
            first: number(address),
            bits,
        };
        (length <= all && range.first & range.mask() == 0).then_some(range)
    }

    fn mask(self) -> u128 {
        match self.bits {
            128 => u128::MAX,
            bits => (1 << bits) - 1,
        }
    }

    /// How many of its bits are free.
    pub(super) fn bits(self) -> u32 {
        self.bits
    }

    pub(super) fn is_v4(self) -> bool {
        self.v4
    }

    pub(super) fn holds(self, other: Range) -> bool {
        self.v4 == other.v4 && self.bits >= other.bits && other.first & !self.mask() == self.first
    }

    pub(super) fn meets(self, other: Range) -> bool {
        self.holds(other) || other.holds(self)
    }

    pub(super) fn has(self, address: IpAddr) -> bool {
        self.v4 == address.is_ipv4() && number(address) & !self.mask() == self.first
    }

    /// The first address after those that Azure keeps which is none of these.
    pub(super) fn free(self, taken: &[String]) -> Option<String> {
        let size = self.mask().saturating_add(1);
        let texts = (4..size.saturating_sub(1).min(100_000)).map(|n| {
            let number = self.first + n;
            match u32::try_from(number) {
                Ok(n) if self.v4 => Ipv4Addr::from(n).to_string(),
                _ => std::net::Ipv6Addr::from(number).to_string(),
            }
        });
        texts.into_iter().find(|t| !taken.contains(t))
    }
}
