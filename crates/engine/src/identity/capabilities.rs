//! Capabilities as the kernel takes them: five sets of 64 bits.
//!
//! Names are checked when a spec is read, and the engine's oldest kernel knows all of them, so each has its bit. What a
//! spec does not list is in no set: inheritable above all, which no default ever fills.
//!
//! Keeps: `c15_nothing_is_inheritable_unless_the_spec_says_so`.
//! Source: capabilities(7), linux/capability.h.

use oci_spec::runtime::{Capabilities, Capability, LinuxCapabilities};

use super::Error;

/// The capabilities of a process, a bit each by the kernel's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CapabilitySets {
    /// What executing a program can give at most.
    pub bounding: u64,
    /// What counts now.
    pub effective: u64,
    /// What can be made effective.
    pub permitted: u64,
    /// What survives executing a program that asks for it.
    pub inheritable: u64,
    /// What survives executing any program.
    pub ambient: u64,
}

impl CapabilitySets {
    /// Gives the bit of one capability.
    pub fn bit(capability: Capability) -> u64 {
        1 << number(capability)
    }

    /// Reads the sets of a spec. Ambient ones that are not permitted and inheritable too are left out: the kernel
    /// cannot raise them, and specs as `runc spec` writes them ask for such.
    pub(super) fn plan(sets: Option<&LinuxCapabilities>) -> Result<Self, Error> {
        let Some(sets) = sets else { return Ok(Self::default()) };
        let (effective, permitted) = (bits(sets.effective()), bits(sets.permitted()));
        if effective & !permitted != 0 {
            return Err(Error::NotPermitted { names: names(sets.effective(), effective & !permitted) });
        }
        let inheritable = bits(sets.inheritable());
        let ambient = bits(sets.ambient()) & permitted & inheritable;
        Ok(Self { bounding: bits(sets.bounding()), effective, permitted, inheritable, ambient })
    }
}

fn bits(set: &Option<Capabilities>) -> u64 {
    set.iter().flatten().fold(0, |bits, capability| bits | CapabilitySets::bit(*capability))
}

fn names(set: &Option<Capabilities>, among: u64) -> String {
    let named = set.iter().flatten().filter(|capability| CapabilitySets::bit(**capability) & among != 0);
    let mut names: Vec<String> = named.map(|capability| format!("CAP_{capability}")).collect();
    names.sort_unstable();
    names.join(", ")
}

#[rustfmt::skip]
fn number(capability: Capability) -> u32 {
    use Capability::*;
    match capability {
        Chown => 0, DacOverride => 1, DacReadSearch => 2, Fowner => 3, Fsetid => 4, Kill => 5, Setgid => 6, Setuid => 7,
        Setpcap => 8, LinuxImmutable => 9, NetBindService => 10, NetBroadcast => 11, NetAdmin => 12, NetRaw => 13,
        IpcLock => 14, IpcOwner => 15, SysModule => 16, SysRawio => 17, SysChroot => 18, SysPtrace => 19, SysPacct => 20,
        SysAdmin => 21, SysBoot => 22, SysNice => 23, SysResource => 24, SysTime => 25, SysTtyConfig => 26, Mknod => 27,
        Lease => 28, AuditWrite => 29, AuditControl => 30, Setfcap => 31, MacOverride => 32, MacAdmin => 33, Syslog => 34,
        WakeAlarm => 35, BlockSuspend => 36, AuditRead => 37, Perfmon => 38, Bpf => 39, CheckpointRestore => 40,
    }
}
