//! Resource limits by the kernel's numbers.
//!
//! The numbers are those of x86, arm and most others; no two entries may limit the same resource, since which of them
//! holds would be chance.
//!
//! Source: getrlimit(2), asm-generic/resource.h.

use oci_spec::runtime::{PosixRlimit, PosixRlimitType};

use super::Error;

/// Reads the limits of a spec: number, soft and hard value, in the spec's order.
pub(super) fn plan(limits: &[PosixRlimit]) -> Result<Vec<(u32, u64, u64)>, Error> {
    let mut planned: Vec<(u32, u64, u64)> = Vec::with_capacity(limits.len());
    for limit in limits {
        let resource = number(limit.typ());
        if planned.iter().any(|(earlier, ..)| *earlier == resource) {
            return Err(Error::RepeatedLimit { name: limit.typ().to_string() });
        }
        if limit.soft() > limit.hard() {
            return Err(Error::SoftOverHard { name: limit.typ().to_string() });
        }
        planned.push((resource, limit.soft(), limit.hard()));
    }
    Ok(planned)
}

fn number(resource: PosixRlimitType) -> u32 {
    use PosixRlimitType::*;
    match resource {
        RlimitCpu => 0,
        RlimitFsize => 1,
        RlimitData => 2,
        RlimitStack => 3,
        RlimitCore => 4,
        RlimitRss => 5,
        RlimitNproc => 6,
        RlimitNofile => 7,
        RlimitMemlock => 8,
        RlimitAs => 9,
        RlimitLocks => 10,
        RlimitSigpending => 11,
        RlimitMsgqueue => 12,
        RlimitNice => 13,
        RlimitRtprio => 14,
        RlimitRttime => 15,
    }
}
