//! Ranges of addresses, checked before AWS refuses them.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
};
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::declared::Fields as _;

/// The sizes of the range of a VPC or subnet.
pub(super) const VPC: RangeInclusive<u8> = 16..=28;
/// Any size.
pub(super) const ANY: RangeInclusive<u8> = 0..=32;

/// Refuses an IPv4 range that is none, that has another size, or whose host bits are set.
pub(super) fn check(config: &Value, key: &str, sizes: RangeInclusive<u8>, out: &mut Diagnostics) {
    if let Some(text) = config.text(key)
        && let Err(why) = v4(&text, &sizes)
    {
        let d = Diagnostic::error(format!(
            "`{key}` is not a range of IPv4 addresses: {text:?}"
        ));
        out.push(d.because(why).help("Write it as \"10.0.0.0/16\"."));
    }
}

/// Refuses an IPv6 range that is none.
pub(super) fn check_v6(config: &Value, key: &str, out: &mut Diagnostics) {
    if let Some(text) = config.text(key)
        && let Err(why) = v6(&text)
    {
        let d = Diagnostic::error(format!(
            "`{key}` is not a range of IPv6 addresses: {text:?}"
        ));
        out.push(d.because(why).help("Write it as \"2001:db8::/56\"."));
    }
}

/// Whether the text is a range of IPv4 addresses of one of the sizes.
pub(super) fn v4(text: &str, sizes: &RangeInclusive<u8>) -> Result<(), String> {
    let (address, size) = text.split_once('/').ok_or("It has no `/`.")?;
    let address: Ipv4Addr = address.parse().map_err(|_| "Its address is none.")?;
    let size: u8 = size.parse().map_err(|_| "Its size is no number.")?;
    if size > 32 || !sizes.contains(&size) {
        return Err(format!(
            "Its size must be from /{} to /{}.",
            sizes.start(),
            sizes.end()
        ));
    }
    let hosts = u32::MAX.checked_shr(u32::from(size)).unwrap_or(0);
    let net = u32::from(address) & !hosts;
    if u32::from(address) != net {
        return Err(format!(
            "It begins at {}: {}/{size}.",
            Ipv4Addr::from(net),
            Ipv4Addr::from(net)
        ));
    }
    Ok(())
}

/// Whether the text is a range of IPv6 addresses.
pub(super) fn v6(text: &str) -> Result<(), String> {
    let (address, size) = text.split_once('/').ok_or("It has no `/`.")?;
    let _: Ipv6Addr = address.parse().map_err(|_| "Its address is none.")?;
    match size.parse::<u8>() {
        Ok(size) if size <= 128 => Ok(()),
        _ => Err("Its size must be from /0 to /128.".into()),
    }
}
