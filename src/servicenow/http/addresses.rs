//! Which addresses an instance may have that a job names: public ones, and those in
//! networks that the operator allows.
//!
//! Policy: an IPv4 address in IPv6 clothing is read as what it is. Of IPv6 only the global
//! unicast range is public, without the parts of it that stand for something else; of IPv4
//! everything but what is registered for a special purpose.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// Special ranges of IPv4.
const SPECIAL_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),           // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // behind a carrier's NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // this machine
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // this link, and clouds' metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocols
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // relays of 6to4
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // class E, and broadcast
];

/// Global unicast. Loopback, link-local, unique local, site-local, multicast, NAT64, `SRv6` and
/// the discard prefix are outside.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Special ranges within it.
const SPECIAL_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocols: Teredo, ORCHID, benchmarks
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// A network in CIDR form, e.g. `10.0.0.0/8`; an address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    /// Not readable.
    #[error("'{0}' is no network: write it as 10.0.0.0/8 or fd00::/8")]
    Unreadable(String),
    /// An address within a network instead of the network's own.
    #[error("'{given}' has bits beyond its prefix: '{meant}' is the network it lies in")]
    HostBits {
        /// What was written.
        given: String,
        /// The network.
        meant: Network,
    },
}

impl Network {
    /// Whether an address lies in it; one of IPv4 in IPv6 clothing is one of IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                within_v4(address, (network, self.prefix))
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                within_v6(address, (network, self.prefix))
            }
            _ => false,
        }
    }

    fn own_address(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => (address & mask_v4(self.prefix)).into(),
            IpAddr::V6(address) => (address & mask_v6(self.prefix)).into(),
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = || InvalidNetwork::Unreadable(text.to_owned());
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| unreadable())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            // No sign and no blank, which a number would be read with.
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().ok().filter(|prefix| *prefix <= longest).ok_or_else(unreadable)?
            }
            Some(_) => return Err(unreadable()),
        };
        let network = Self { address, prefix };
        let meant = Self { address: network.own_address(), prefix };
        if meant != network {
            return Err(InvalidNetwork::HostBits { given: text.to_owned(), meant });
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Whether a job may have us connect to the address.
pub(super) fn may_be_named(address: IpAddr, allowed: &[Network]) -> bool {
    is_public(address) || allowed.iter().any(|network| network.contains(address))
}

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|range| within_v4(address, *range)),
        IpAddr::V6(address) => {
            within_v6(address, GLOBAL_V6)
                && !SPECIAL_V6.iter().any(|range| within_v6(address, *range))
        }
    }
}

fn within_v4(address: Ipv4Addr, (network, prefix): (Ipv4Addr, u8)) -> bool {
    address & mask_v4(prefix) == network
}

fn within_v6(address: Ipv6Addr, (network, prefix): (Ipv6Addr, u8)) -> bool {
    address & mask_v6(prefix) == network
}

fn mask_v4(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0))
}

fn mask_v6(prefix: u8) -> Ipv6Addr {
    Ipv6Addr::from_bits(u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{IpAddr, Network, may_be_named};

    fn public(address: &str) -> bool {
        may_be_named(address.parse().unwrap(), &[])
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.0.0.1",
            "128.0.0.1",
            "149.96.1.1",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.0.1",
            "192.169.0.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "2001:200::1",
            "2606:4700::1111",
            "2a00::1",
        ] {
            assert!(public(address), "{address}");
        }
    }

    #[test]
    fn no_special_address_is_public() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!public(address), "{address}");
            assert!(!public(&format!("::ffff:{address}")), "{address} as IPv6");
            assert!(!public(&format!("::{address}")), "{address} as old IPv6");
            assert!(!public(&format!("64:ff9b::{address}")), "{address} behind NAT64");
        }
        for address in [
            "::",
            "::1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses_in_any_clothing() {
        let networks: Vec<Network> =
            ["10.0.0.0/8", "192.168.7.7", "fd00::/8"].map(|text| text.parse().unwrap()).into();
        let named = |address: &str| may_be_named(address.parse::<IpAddr>().unwrap(), &networks);
        for address in ["10.9.8.7", "::ffff:10.9.8.7", "192.168.7.7", "fd12::1", "1.1.1.1"] {
            assert!(named(address), "{address}");
        }
        for address in ["192.168.7.8", "fc00::1", "127.0.0.1", "::10.9.8.7"] {
            assert!(!named(address), "{address}");
        }
    }

    #[test]
    fn the_networks_at_both_ends_of_the_scale_are_read() {
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(
            all.contains("127.0.0.1".parse().unwrap()) && !all.contains("::1".parse().unwrap())
        );
        let all: Network = "::/0".parse().unwrap();
        assert!(all.contains("::1".parse().unwrap()));
        assert_eq!("10.1.2.3".parse::<Network>().unwrap().to_string(), "10.1.2.3/32");
    }

    #[test]
    fn a_text_that_is_no_network_says_what_to_write() {
        for text in ["", "10.0.0.0/33", "fd00::/129", "10.0.0/8", "10.0.0.0/+8", "10.0.0.0/", "x/8"]
        {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(
                error.ends_with("is no network: write it as 10.0.0.0/8 or fd00::/8"),
                "{error}"
            );
        }
        let error = "10.1.2.3/8".parse::<Network>().unwrap_err().to_string();
        assert!(error.contains("'10.0.0.0/8' is the network it lies in"), "{error}");
    }
}
