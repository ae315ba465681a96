//! Which CPU this is. Its timings are kept apart from those of others, by the name of its design where that is known: two
//! designs may call themselves `AMD EPYC`.

use std::fmt;

/// What a system says of its CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// As the seller names it.
    pub name: String,
    /// `AuthenticAMD`, or the number of an ARM implementer.
    pub vendor: String,
    /// The family; 0 where there is none.
    pub family: u32,
    /// The model, or the part of an ARM core.
    pub model: u32,
}

/// The designs of servers and desktops of the last ten years: vendor, family, first and last model, slug.
///
/// # Source
/// Linux 6.16, `arch/x86/kernel/cpu/amd.c` (`bsp_init_amd`) and `arch/x86/include/asm/intel-family.h`.
const DESIGNS: [(&str, u32, [u32; 2], &str); 26] = [
    ("AuthenticAMD", 23, [0x00, 0x2f], "amd-zen1"),
    ("AuthenticAMD", 23, [0x50, 0x5f], "amd-zen1"),
    ("AuthenticAMD", 23, [0x30, 0x4f], "amd-zen2"),
    ("AuthenticAMD", 23, [0x60, 0x7f], "amd-zen2"),
    ("AuthenticAMD", 23, [0x90, 0x91], "amd-zen2"),
    ("AuthenticAMD", 23, [0xa0, 0xaf], "amd-zen2"),
    ("AuthenticAMD", 25, [0x00, 0x0f], "amd-zen3"),
    ("AuthenticAMD", 25, [0x20, 0x5f], "amd-zen3"),
    ("AuthenticAMD", 25, [0x10, 0x1f], "amd-zen4"),
    ("AuthenticAMD", 25, [0x60, 0xaf], "amd-zen4"),
    ("AuthenticAMD", 26, [0x00, 0x2f], "amd-zen5"),
    ("AuthenticAMD", 26, [0x40, 0x4f], "amd-zen5"),
    ("AuthenticAMD", 26, [0x60, 0x7f], "amd-zen5"),
    ("GenuineIntel", 6, [0x3f, 0x3f], "intel-haswell-server"),
    ("GenuineIntel", 6, [0x4f, 0x4f], "intel-broadwell-server"),
    ("GenuineIntel", 6, [0x55, 0x55], "intel-skylake-server"),
    ("GenuineIntel", 6, [0x6a, 0x6a], "intel-ice-lake-server"),
    ("GenuineIntel", 6, [0x6c, 0x6c], "intel-ice-lake-server"),
    ("GenuineIntel", 6, [0x8f, 0x8f], "intel-sapphire-rapids"),
    ("GenuineIntel", 6, [0xcf, 0xcf], "intel-emerald-rapids"),
    ("GenuineIntel", 6, [0xad, 0xae], "intel-granite-rapids"),
    ("GenuineIntel", 6, [0x97, 0x97], "intel-alder-lake"),
    ("GenuineIntel", 6, [0x9a, 0x9a], "intel-alder-lake"),
    ("GenuineIntel", 6, [0xb7, 0xb7], "intel-raptor-lake"),
    ("0x41", 0, [0xd0c, 0xd0c], "arm-neoverse-n1"),
    ("0x41", 0, [0xd40, 0xd40], "arm-neoverse-v1"),
];

impl Cpu {
    /// The CPU of this machine.
    pub fn this() -> Self {
        Self::described_by(&std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default())
    }

    /// The CPU that a text like Linux' `/proc/cpuinfo` describes.
    fn described_by(cpuinfo: &str) -> Self {
        let field = |names: &[&str]| {
            let mut fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
            fields.find(|(name, _)| names.contains(&name.trim())).map(|(_, value)| value.trim())
        };
        let number = |names: &[&str]| {
            let text = field(names)?;
            text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())
        };
        Self {
            name: field(&["model name"]).unwrap_or("CPU without a name").to_owned(),
            vendor: field(&["vendor_id", "CPU implementer"]).unwrap_or(std::env::consts::OS).to_owned(),
            family: number(&["cpu family"]).unwrap_or(0),
            model: number(&["model", "CPU part"]).unwrap_or(0),
        }
    }

    /// The name of a folder: `amd-zen5`, or `vendor-family-model` of a design that is not known.
    pub fn slug(&self) -> String {
        let known = DESIGNS.iter().find(|(vendor, family, [first, last], _)| {
            (*vendor, *family) == (self.vendor.as_str(), self.family)
                && (*first..=*last).contains(&self.model)
        });
        if let Some((.., slug)) = known {
            return (*slug).to_owned();
        }
        let vendor = match self.vendor.as_str() {
            "AuthenticAMD" => "amd",
            "GenuineIntel" => "intel",
            "0x41" => "arm",
            other => other,
        };
        let letters = vendor.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        format!("{letters}-{}-{}", self.family, self.model)
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, vendor, family, model } = self;
        write!(f, "{name} (`{}`: {vendor}, family {family}, model {model})", self.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpuinfo(vendor: &str, family: u32, model: u32) -> String {
        format!(
            "processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\n\
             model name\t: AMD EPYC\nstepping\t: 1\n\nprocessor\t: 1\nvendor_id\t: {vendor}\n"
        )
    }

    #[test]
    fn one_name_of_two_designs_has_two_folders() {
        let slug = |vendor, family, model| Cpu::described_by(&cpuinfo(vendor, family, model)).slug();
        assert_eq!(slug("AuthenticAMD", 25, 17), "amd-zen4");
        assert_eq!(slug("AuthenticAMD", 26, 2), "amd-zen5");
        assert_eq!(slug("AuthenticAMD", 25, 1), "amd-zen3");
        assert_eq!(slug("GenuineIntel", 6, 207), "intel-emerald-rapids");
        assert_eq!(slug("GenuineIntel", 6, 1), "intel-6-1");
        assert_eq!(slug("AuthenticAMD", 26, 0x50), "amd-26-80");
    }

    #[test]
    fn what_a_system_says_of_its_cpu_is_read() {
        let cpu = Cpu::described_by(&cpuinfo("AuthenticAMD", 26, 2));
        assert_eq!(cpu.to_string(), "AMD EPYC (`amd-zen5`: AuthenticAMD, family 26, model 2)");
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd0c\n";
        assert_eq!(Cpu::described_by(arm).slug(), "arm-neoverse-n1");
        assert_eq!(Cpu::described_by("").slug(), format!("{}-0-0", std::env::consts::OS));
    }

    #[test]
    fn no_model_is_of_two_designs() {
        for (i, (vendor, family, [first, last], _)) in DESIGNS.iter().enumerate() {
            assert!(first <= last);
            let overlaps = |(v, f, [a, b], _): &(&str, u32, [u32; 2], &str)| {
                (v, f) == (vendor, family) && a <= last && first <= b
            };
            assert!(!DESIGNS[i + 1..].iter().any(overlaps), "{vendor} {family} {first:x}");
        }
    }
}
