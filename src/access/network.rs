//! Networks that a key may be used from.
//!
//! Invariants: a network has no bit set beyond its prefix; an IPv4 address that came as IPv6 (`::ffff:10.0.0.1`)
//! is the IPv4 address.
//!
//! Not here: whose address it is (the doors: the connection's own, never what a header says).
//!
//! Source: RFC 4632, section 3.1.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An address, or all that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Not the text of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a network: allowed an address, or the first address of a network and its bits, as 10.0.0.0/8 or 2001:db8::/32"
)]
pub struct NotANetwork;

impl Network {
    /// Whether an address lies in it.
    ///
    /// ```
    /// use bellwether::access::Network;
    /// let network: Network = "10.1.0.0/16".parse().unwrap();
    /// assert!(network.holds("10.1.255.7".parse().unwrap()));
    /// assert!(!network.holds("10.2.0.0".parse().unwrap()));
    /// ```
    pub fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let (ours, width) = bits(self.address);
        let (theirs, other_width) = bits(address);
        width == other_width && first(ours, width, self.prefix) == first(theirs, width, self.prefix)
    }

    /// Whether all of it lies in `outer`.
    pub fn within(&self, outer: &Self) -> bool {
        self.prefix >= outer.prefix && outer.holds(self.address)
    }
}

/// An address as a number, and how many bits it has.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u32::from(address).into(), 32),
        IpAddr::V6(address) => (address.into(), 128),
    }
}

/// The first `prefix` of `width` bits.
fn first(bits: u128, width: u8, prefix: u8) -> u128 {
    // A shift by all 128 bits is none.
    bits.checked_shr(u32::from(width.saturating_sub(prefix)))
        .unwrap_or(0)
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        // `::ffff:10.0.0.0/104` would be one of two things: as an address alone it is clear.
        let address = match prefix {
            None => address.to_canonical(),
            Some(_) => address,
        };
        let (value, width) = bits(address);
        let digits = |text: &str| {
            let plain = text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten()
        };
        let prefix = match prefix {
            Some(text) => digits(text).ok_or(NotANetwork)?,
            None => width,
        };
        let network = Self { address, prefix };
        let rest = u32::from(width.saturating_sub(prefix));
        let cut = first(value, width, prefix).checked_shl(rest).unwrap_or(0);
        match prefix <= width && cut == value {
            true => Ok(network),
            false => Err(NotANetwork),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    /// Whether the network of this text holds each of these.
    fn check(network: &str, inside: &[&str], outside: &[&str]) {
        let network: Network = network.parse().unwrap();
        for (addresses, expected) in [(inside, true), (outside, false)] {
            for address in addresses {
                let held = network.holds(address.parse().unwrap());
                assert_eq!(held, expected, "{network} {address}");
            }
        }
    }

    #[test]
    fn a_network_holds_what_begins_alike() {
        check(
            "10.0.0.0/8",
            &["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
            &["11.0.0.0", "9.255.255.255", "::a00:1", "::1"],
        );
        check("127.0.0.1", &["127.0.0.1"], &["127.0.0.2"]);
        check("::ffff:127.0.0.1", &["127.0.0.1"], &["::1"]);
        check("0.0.0.0/0", &["1.2.3.4", "255.255.255.255"], &["::1"]);
        check("::/0", &["::1", "ffff::"], &["1.2.3.4"]);
        check("2001:db8::/32", &["2001:db8:1::"], &["2001:db9::"]);
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "::1/64",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "here",
            "10.0.0.0/8/8",
            " 10.0.0.0/8",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
    }

    #[test]
    fn a_network_lies_within_a_wider_one_of_its_kind() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        let within = |inner: &str, outer: &str| network(inner).within(&network(outer));
        assert!(within("10.1.0.0/16", "10.0.0.0/8") && within("10.0.0.0/8", "10.0.0.0/8"));
        assert!(!within("10.0.0.0/8", "10.0.0.0/16") && !within("11.0.0.0/16", "10.0.0.0/8"));
        assert!(!within("10.0.0.0/8", "::/0") && within("10.0.0.0/8", "0.0.0.0/0"));
    }

    fn address() -> impl Strategy<Value = IpAddr> {
        let four = any::<u32>().prop_map(|bits| IpAddr::from(Ipv4Addr::from(bits)));
        let six = any::<u128>().prop_map(|bits| IpAddr::from(Ipv6Addr::from(bits)).to_canonical());
        prop_oneof![four, six]
    }

    proptest! {
        #[test]
        fn a_network_reads_as_it_is_written_and_holds_what_a_narrower_one_holds(
            address in address(), other in address(), prefix in 0_u8..=128, more in 0_u8..=128,
        ) {
            let (value, width) = bits(address);
            let cut = |prefix: u8| {
                let rest = u32::from(width - prefix);
                let value = first(value, width, prefix).checked_shl(rest).unwrap_or(0);
                let address = match width {
                    32 => IpAddr::from(Ipv4Addr::from(u32::try_from(value).unwrap())),
                    _ => IpAddr::from(Ipv6Addr::from(value)),
                };
                Network { address, prefix }
            };
            let wide = cut(prefix.min(width));
            let narrow = cut(prefix.saturating_add(more).min(width));
            prop_assert_eq!(wide.to_string().parse(), Ok(wide));
            prop_assert!(narrow.within(&wide) && narrow.holds(address) && wide.holds(address));
            prop_assert!(!narrow.holds(other) || wide.holds(other));
        }
    }
}
