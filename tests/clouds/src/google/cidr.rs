//! Ranges of addresses.

use std::net::Ipv4Addr;

/// A range of IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    first: u32,
    bits: u8,
}

impl Cidr {
    /// The range; `None` where the text is none, or has bits beyond its prefix.
    pub fn parse(text: &str) -> Option<Cidr> {
        let (address, bits) = text.split_once('/')?;
        let first = u32::from(address.parse::<Ipv4Addr>().ok()?);
        let bits: u8 = bits.parse().ok().filter(|b| *b <= 32)?;
        let cidr = Cidr { first, bits };
        (first & !cidr.mask() == 0).then_some(cidr)
    }

    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0)
    }

    /// How long its prefix is.
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// Whether both hold an address.
    pub fn overlaps(self, other: Cidr) -> bool {
        let mask = self.mask() & other.mask();
        self.first & mask == other.first & mask
    }

    /// Whether it holds all of the other.
    pub fn holds(self, other: Cidr) -> bool {
        self.bits <= other.bits && self.overlaps(other)
    }

    /// Its n-th address.
    pub fn nth(self, n: u32) -> Ipv4Addr {
        Ipv4Addr::from(self.first.wrapping_add(n))
    }

    /// Whether the address may be given to a machine: not the first two, nor the last two.
    pub fn serves(self, address: Ipv4Addr) -> bool {
        let offset = u32::from(address).wrapping_sub(self.first);
        let size = 1_u64 << (32 - self.bits);
        offset >= 2 && u64::from(offset) + 2 < size
    }

    /// The addresses that may be given to machines.
    pub fn usable(self) -> impl Iterator<Item = Ipv4Addr> {
        let last = (1_u64 << (32 - self.bits)).saturating_sub(2);
        (2..u32::try_from(last).unwrap_or(u32::MAX)).map(move |n| self.nth(n))
    }
}
