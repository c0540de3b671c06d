//! Network addresses.

use super::{
    Function, FunctionError, Outcome,
    signature::{number, string},
    text,
};
use crate::eval::Context;
use bigdecimal::{ToPrimitive, num_bigint::BigInt};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use weir_core::{Type, Value};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new("cidrhost", [string("prefix"), number("hostnum")], host).gives(Type::String),
        Function::new("cidrnetmask", [string("prefix")], netmask).gives(Type::String),
        Function::new(
            "cidrsubnet",
            [string("prefix"), number("newbits"), number("netnum")],
            subnet,
        )
        .gives(Type::String),
        Function::new("cidrsubnets", [string("prefix")], subnets)
            .rest(number("newbits"))
            .gives(Type::list(Type::String)),
    ]
}

/// A network: its address as a number, the bits of it that are the prefix, all bits.
#[derive(Clone, Copy)]
struct Network {
    address: u128,
    prefix: u32,
    bits: u32,
}

impl Network {
    fn parse(args: &[Value]) -> Outcome<Network> {
        let written = text(args, 0);
        let wrong = || {
            FunctionError::Argument(
                0,
                format!("invalid CIDR expression: invalid CIDR address: {written}"),
            )
        };
        let (address, prefix) = written.split_once('/').ok_or_else(wrong)?;
        let (address, bits) = match parse_address(address).ok_or_else(wrong)? {
            IpAddr::V4(a) => (u128::from(u32::from(a)), 32),
            IpAddr::V6(a) => (u128::from(a), 128),
        };
        let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
        let prefix: u32 = prefix
            .parse()
            .ok()
            .filter(|p| digits && *p <= bits)
            .ok_or_else(wrong)?;
        let network = Network {
            address,
            prefix,
            bits,
        };
        Ok(Network {
            address: address & network.mask(),
            ..network
        })
    }
    fn mask(self) -> u128 {
        let all = if self.bits == 128 {
            u128::MAX
        } else {
            (1 << self.bits) - 1
        };
        let host = self.bits - self.prefix;
        if host >= 128 {
            0
        } else {
            (all >> host) << host
        }
    }
    fn show(self, address: u128) -> String {
        match self.bits {
            // Fits: a 32-bit network has 32-bit addresses.
            32 => Ipv4Addr::from(u32::try_from(address).unwrap_or(u32::MAX)).to_string(),
            _ => Ipv6Addr::from(address).to_string(),
        }
    }
}

/// An address; each part of an IPv4 address may have leading zeros, as Terraform keeps taking it.
fn parse_address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    let parts: Vec<u8> = text
        .split('.')
        .map(|p| {
            p.parse()
                .ok()
                .filter(|_| p.bytes().all(|b| b.is_ascii_digit()))
        })
        .collect::<Option<_>>()?;
    <[u8; 4]>::try_from(parts)
        .ok()
        .map(|p| IpAddr::V4(Ipv4Addr::from(p)))
}

/// A whole number of any size in an argument.
fn integer(args: &[Value], index: usize) -> Outcome<BigInt> {
    args.get(index)
        .and_then(Value::as_number)
        .filter(|n| n.is_integer())
        .map(|n| n.to_decimal().with_scale(0).into_bigint_and_exponent().0)
        .ok_or_else(|| FunctionError::Argument(index, "a whole number is required".into()))
}

fn host(args: &[Value], _: &Context) -> Outcome {
    let network = Network::parse(args)?;
    let number = integer(args, 1)?;
    let size = BigInt::from(1) << (network.bits - network.prefix);
    // A negative number counts back from the end.
    let offset = if number < BigInt::from(0) {
        &size + &number
    } else {
        number.clone()
    };
    match offset.to_u128().filter(|_| offset < size) {
        Some(offset) => Ok(network.show(network.address | offset).into()),
        None => Err(FunctionError::call(format!(
            "prefix of {} does not accommodate a host numbered {number}",
            network.prefix
        ))),
    }
}

fn netmask(args: &[Value], _: &Context) -> Outcome {
    let network = Network::parse(args)?;
    if network.bits != 32 {
        return Err(FunctionError::Argument(
            0,
            "IPv6 addresses cannot have a netmask".into(),
        ));
    }
    Ok(network.show(network.mask()).into())
}

fn narrowed(network: Network, newbits: u32) -> Outcome<u32> {
    let prefix = network.prefix + newbits;
    if prefix > network.bits {
        return Err(FunctionError::Argument(
            1,
            format!(
                "insufficient address space to extend prefix of {} by {newbits}",
                network.prefix
            ),
        ));
    }
    Ok(prefix)
}

fn subnet(args: &[Value], _: &Context) -> Outcome {
    let network = Network::parse(args)?;
    let newbits = integer(args, 1)?
        .to_u32()
        .filter(|n| *n <= 128)
        .ok_or_else(|| {
            FunctionError::Argument(1, "must extend prefix by at least zero bits".into())
        })?;
    let number = integer(args, 2)?;
    let prefix = narrowed(network, newbits)?;
    let limit = BigInt::from(1) << newbits;
    let wanted = if number < BigInt::from(0) {
        &limit + &number
    } else {
        number.clone()
    };
    let Some(index) = wanted.to_u128().filter(|_| wanted < limit) else {
        return Err(FunctionError::call(format!(
            "prefix extension of {newbits} does not accommodate a subnet numbered {number}"
        )));
    };
    let shift = network.bits - prefix;
    let offset = if shift >= 128 { 0 } else { index << shift };
    Ok(format!("{}/{prefix}", network.show(network.address | offset)).into())
}

fn subnets(args: &[Value], _: &Context) -> Outcome {
    let network = Network::parse(args)?;
    let end = BigInt::from(network.address) + (BigInt::from(1) << (network.bits - network.prefix));
    let mut at = BigInt::from(network.address);
    let mut out = Vec::new();
    for i in 1..args.len() {
        let newbits = integer(args, i)?
            .to_u32()
            .filter(|n| (1..=32).contains(n))
            .ok_or_else(|| {
                let why = "must extend prefix by at least one bit, and by at most 32";
                FunctionError::Argument(i, why.into())
            })?;
        let prefix = network.prefix + newbits;
        if prefix > network.bits {
            return Err(FunctionError::Argument(
                i,
                format!(
                    "would extend prefix to {prefix} bits, which is too long for an address of {} bits",
                    network.bits
                ),
            ));
        }
        let size = BigInt::from(1) << (network.bits - prefix);
        // A network starts at a multiple of its size.
        let start: BigInt = ((&at + &size - 1) / &size) * &size;
        if &start + &size > end {
            return Err(FunctionError::Argument(
                i,
                format!(
                    "not enough remaining address space for a subnet with a prefix of {prefix} bits after {}",
                    out.len()
                ),
            ));
        }
        out.push(format!("{}/{prefix}", network.show(start.to_u128().unwrap_or(0))).into());
        at = start + size;
    }
    Ok(Value::list(Type::String, out))
}
