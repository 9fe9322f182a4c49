//! How much memory there is, and sizes as people write them; `quantity` writes them back.
//!
//! It reads `/proc` and `/sys` once when asked and keeps nothing.

use std::fs;
use std::path::{Path, PathBuf};

use lakesh_text::quantity::format_size;
use sysinfo::System;
use thiserror::Error;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
const TIB: u64 = 1024 * GIB;

/// The smallest limit with which queries can still run and spill.
pub const MINIMUM_LIMIT: u64 = 16 * MIB;

/// The share of the available memory that a session may use, in percent.
const DEFAULT_PERCENT: u64 = 70;

/// cgroup version 1 writes a number near the largest one for "no limit".
const UNLIMITED_FROM: u64 = 1 << 62;

/// Every unit that a size may carry, in lower case, with its factor in bytes.
const UNITS: [(&str, u64); 14] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("k", KIB),
    ("m", MIB),
    ("g", GIB),
    ("t", TIB),
    ("kib", KIB),
    ("mib", MIB),
    ("gib", GIB),
    ("tib", TIB),
];

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SizeError {
    /// It does not start with a number.
    #[error(
        "`{0}` is not a size; write a number with a unit, such as `512MB`, `2GiB`, `1.5G` or `50%`"
    )]
    NotANumber(String),
    /// The number is followed by something that is not a unit.
    #[error(
        "unknown unit `{0}`; allowed are B, KB, MB, GB, TB (powers of 1000), K, M, G, T, KiB, MiB, GiB, TiB (powers of 1024) and %"
    )]
    UnknownUnit(String),
    /// A percentage outside 0 to 100, or where there is nothing to take a share of.
    #[error("`{0}` is not a share; write a percentage above 0% and up to 100%")]
    NotAShare(String),
    /// More bytes than can be counted.
    #[error("`{0}` is too large")]
    TooLarge(String),
    /// Too small to run queries with.
    #[error("`{0}` is too small; the smallest memory limit is {minimum}", minimum = format_size(MINIMUM_LIMIT))]
    TooSmall(String),
}

/// Parses a size such as `512MB`, `2GiB`, `1.5G`, `1048576` or `50%` (of `whole` bytes).
///
/// `KB`, `MB`, … are powers of 1000; `K`, `M`, … and `KiB`, `MiB`, … are powers of 1024, as
/// DataFusion's own settings have it. Case and spaces do not matter. A fraction of a byte is dropped.
pub fn parse_size(text: &str, whole: u64) -> Result<u64, SizeError> {
    let trimmed = text.trim();
    let digits = trimmed
        .find(|character: char| !character.is_ascii_digit() && character != '.' && character != '_')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let number: f64 = number
        .replace('_', "")
        .parse()
        .map_err(|_| SizeError::NotANumber(trimmed.to_owned()))?;
    let unit = unit.trim().to_ascii_lowercase();
    if unit == "%" {
        if number <= 0.0 || number > 100.0 {
            return Err(SizeError::NotAShare(trimmed.to_owned()));
        }
        return Ok((whole as f64 * number / 100.0) as u64);
    }
    let (_, factor) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or(SizeError::UnknownUnit(unit))?;
    let bytes = number * *factor as f64;
    if bytes >= UNLIMITED_FROM as f64 {
        return Err(SizeError::TooLarge(trimmed.to_owned()));
    }
    Ok(bytes as u64)
}

/// Parses a memory limit; percentages are of the available memory, and it must allow queries to run.
pub fn parse_limit(text: &str) -> Result<u64, SizeError> {
    let limit = parse_size(text, available_memory())?;
    if limit < MINIMUM_LIMIT {
        return Err(SizeError::TooSmall(text.trim().to_owned()));
    }
    Ok(limit)
}

/// Gives the limit that holds unless the user sets one: 70 % of the available memory, rounded down.
pub fn default_limit() -> u64 {
    round_limit(available_memory() / 100 * DEFAULT_PERCENT)
}

/// Gives the bytes of memory that this process can use: the machine's, or its cgroup's if that is less.
pub fn available_memory() -> u64 {
    let machine = machine_memory();
    match cgroup_limit(Path::new("/")) {
        Some(limit) => machine.min(limit),
        None => machine,
    }
}

/// Rounds down to a number that reads well, never below the minimum.
fn round_limit(bytes: u64) -> u64 {
    let step = if bytes >= 4 * GIB {
        256 * MIB
    } else {
        16 * MIB
    };
    (bytes / step * step).max(MINIMUM_LIMIT)
}

/// The machine's memory; where it cannot be known, a modest machine is assumed.
fn machine_memory() -> u64 {
    fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| total_of_meminfo(&text))
        .or_else(physical_memory)
        .unwrap_or(4 * GIB)
}

fn total_of_meminfo(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(KIB)
}

/// Asks the system by its own means, where there is no `/proc`.
fn physical_memory() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory();
    Some(system.total_memory()).filter(|bytes| *bytes > 0)
}

/// The smallest memory limit of this process's cgroup and the groups above it, below a file system root.
fn cgroup_limit(root: &Path) -> Option<u64> {
    let membership = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mount = root.join("sys/fs/cgroup");
    limit_files(&membership, &mount)
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .filter_map(|text| limit_of_file(&text))
        .min()
}

/// The files that may state a limit, from the process's own group up to the mount.
///
/// Inside a container the path in `membership` may not exist below the mount; the walk upwards then
/// ends at the mount itself, which shows the container's own group.
fn limit_files(membership: &str, mount: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in membership.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(group)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let (base, names): (PathBuf, &[&str]) = if controllers.is_empty() {
            (mount.to_owned(), &["memory.max", "memory.high"])
        } else if controllers
            .split(',')
            .any(|controller| controller == "memory")
        {
            (mount.join("memory"), &["memory.limit_in_bytes"])
        } else {
            continue;
        };
        let group = group.trim_start_matches('/');
        if group.split('/').any(|part| part == "..") {
            files.extend(names.iter().map(|name| base.join(name)));
            continue;
        }
        let folder = base.join(group);
        for ancestor in folder
            .ancestors()
            .take_while(|path| path.starts_with(&base))
        {
            files.extend(names.iter().map(|name| ancestor.join(name)));
        }
    }
    files
}

/// Reads the number in a limit file; `max` and the largest numbers mean that there is none.
fn limit_of_file(text: &str) -> Option<u64> {
    let limit: u64 = text.trim().parse().ok()?;
    (limit > 0 && limit < UNLIMITED_FROM).then_some(limit)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_parsed() {
        let cases = [
            ("512MB", 512_000_000),
            ("2GiB", 2 * GIB),
            ("1.5G", GIB + GIB / 2),
            (" 64 mib ", 64 * MIB),
            ("1_048_576", MIB),
            ("17", 17),
            ("17b", 17),
            ("3K", 3 * KIB),
            ("3kb", 3_000),
            ("2TB", 2_000_000_000_000),
            ("50%", 500),
            ("12.5 %", 125),
            ("100%", 1000),
            ("0", 0),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text, 1000), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_size_is_explained() {
        let cases = [
            ("", "`` is not a size"),
            ("lots", "`lots` is not a size"),
            ("-5MB", "`-5MB` is not a size"),
            ("1.2.3G", "`1.2.3G` is not a size"),
            ("5 apples", "unknown unit `apples`; allowed are B, KB"),
            ("5GBit", "unknown unit `gbit`"),
            ("0%", "`0%` is not a share"),
            ("101%", "`101%` is not a share"),
            ("99999999999TB", "`99999999999TB` is too large"),
        ];
        for (text, start) in cases {
            let message = parse_size(text, 1000).unwrap_err().to_string();
            assert!(message.starts_with(start), "{text}: {message}");
        }
        let message = parse_limit("1MB").unwrap_err().to_string();
        assert_eq!(
            message,
            "`1MB` is too small; the smallest memory limit is 16 MiB"
        );
    }

    #[test]
    fn sizes_are_written_for_people() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (64 * MIB, "64 MiB"),
            (GIB + GIB / 2, "1.5 GiB"),
            (3 * TIB, "3 TiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(format_size(bytes), text);
            assert_eq!(parse_size(text, 0), Ok(bytes), "{text} reads back");
        }
    }

    #[test]
    fn limits_are_round_numbers() {
        assert_eq!(round_limit(17 * GIB + 5), 17 * GIB);
        assert_eq!(round_limit(1000 * MIB), 992 * MIB);
        assert_eq!(round_limit(3), MINIMUM_LIMIT);
        assert!(default_limit() >= MINIMUM_LIMIT);
        assert!(default_limit() <= machine_memory());
    }

    #[test]
    fn meminfo_is_read() {
        let text = "MemTotal:       24737352 kB\nMemFree:  100 kB\n";
        assert_eq!(total_of_meminfo(text), Some(24_737_352 * KIB));
        assert_eq!(total_of_meminfo("MemFree: 1 kB\n"), None);
        assert!(physical_memory().unwrap() > MINIMUM_LIMIT);
    }

    /// Lays out a file system with these files and asks for the limit in it.
    #[track_caller]
    fn check_cgroup(membership: &str, files: &[(&str, &str)], expected: Option<u64>) {
        let root = tempfile::tempdir().unwrap();
        let membership_file = ("proc/self/cgroup", membership);
        for (path, text) in files.iter().chain([&membership_file]) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(cgroup_limit(root.path()), expected);
    }

    #[test]
    fn cgroup_limits_include_the_parents() {
        let nested = "0::/user.slice/job.scope\n";
        check_cgroup(
            nested,
            &[
                ("sys/fs/cgroup/user.slice/memory.max", "1073741824\n"),
                ("sys/fs/cgroup/user.slice/job.scope/memory.max", "max\n"),
            ],
            Some(GIB),
        );
        check_cgroup(
            nested,
            &[
                ("sys/fs/cgroup/user.slice/memory.max", "2147483648\n"),
                (
                    "sys/fs/cgroup/user.slice/job.scope/memory.max",
                    "3221225472\n",
                ),
                (
                    "sys/fs/cgroup/user.slice/job.scope/memory.high",
                    "1073741824\n",
                ),
            ],
            Some(GIB),
        );
        check_cgroup(
            nested,
            &[("sys/fs/cgroup/memory.max", "536870912\n")],
            Some(512 * MIB),
        );
        check_cgroup(nested, &[("sys/fs/cgroup/memory.max", "max\n")], None);
        check_cgroup(
            "0::/../../other\n",
            &[("sys/fs/cgroup/memory.max", "99\n")],
            Some(99),
        );
        check_cgroup("garbage\n", &[("sys/fs/cgroup/memory.max", "99\n")], None);
    }

    #[test]
    fn first_version_cgroups_are_read() {
        let membership = "12:cpu,cpuacct:/\n5:memory:/docker/abc\n1:name=systemd:/\n";
        let file = "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes";
        check_cgroup(membership, &[(file, "268435456\n")], Some(256 * MIB));
        check_cgroup(membership, &[(file, "9223372036854771712\n")], None);
        let container = "sys/fs/cgroup/memory/memory.limit_in_bytes";
        check_cgroup(membership, &[(container, "268435456\n")], Some(256 * MIB));
    }
}
