//! How much memory this process holds, and how much is left of the machine or its cgroup.

use std::fs;
use std::path::Path;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// So much at least is left to everybody else, and a fiftieth of what there is.
const LEAST: u64 = 192 * MIB;
const PART: u64 = 50;

/// A look at the memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resident {
    /// What this process holds of its own, without the files that it has mapped.
    pub(super) bytes: u64,
    /// What can still be had.
    pub(super) available: u64,
    /// What there is at all.
    pub(super) total: u64,
}

impl Resident {
    /// Looks at this process and its surroundings; `None` where the system does not tell.
    pub(super) fn of_process() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
        let mut look = Self {
            bytes: field(&status, "RssAnon:")?,
            available: field(&meminfo, "MemAvailable:")?,
            total: field(&meminfo, "MemTotal:")?,
        };
        if let Some((limit, used)) = cgroup(Path::new("/")) {
            look.total = look.total.min(limit);
            look.available = look.available.min(limit.saturating_sub(used));
        }
        Some(look)
    }

    /// Says whether little is left for anybody, and this process holds a good part of the rest; of a small
    /// machine a tenth counts as little.
    pub(super) fn is_nearly_full(&self) -> bool {
        let little = (self.total / PART).max(LEAST).min(self.total / 10);
        self.available < little && self.bytes > self.total / 4
    }
}

/// Reads a line such as `RssAnon:  1234 kB`.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(number * KIB)
}

/// The limit of the process's own cgroup and what its processes hold, without the files that the kernel
/// can let go of; `None` where there is no limit.
fn cgroup(root: &Path) -> Option<(u64, u64)> {
    let membership = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let own = membership
        .lines()
        .find_map(|line| line.strip_prefix("0::"))?;
    let folder = root.join("sys/fs/cgroup").join(own.trim_start_matches('/'));
    let number = |name: &str| -> Option<u64> {
        let text = fs::read_to_string(folder.join(name)).ok()?;
        text.trim().parse().ok()
    };
    let limit = number("memory.max")?;
    let used = number("memory.current")?;
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let files = ["inactive_file ", "active_file "]
        .into_iter()
        .filter_map(|name| {
            let line = stat.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse::<u64>().ok()
        });
    Some((limit, used.saturating_sub(files.sum())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_seen() {
        let look = Resident::of_process().unwrap();
        assert!(look.bytes > MIB && look.bytes < look.total);
        assert!(look.available <= look.total);
    }

    #[test]
    fn a_cgroup_counts_without_its_files() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("sys/fs/cgroup/a/b");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(root.path().join("proc/self")).unwrap();
        fs::write(root.path().join("proc/self/cgroup"), "0::/a/b\n").unwrap();
        assert_eq!(cgroup(root.path()), None);
        fs::write(folder.join("memory.max"), "max\n").unwrap();
        fs::write(folder.join("memory.current"), "1000\n").unwrap();
        assert_eq!(cgroup(root.path()), None);
        fs::write(folder.join("memory.max"), "5000\n").unwrap();
        fs::write(
            folder.join("memory.stat"),
            "anon 500\nactive_file 100\ninactive_file 200\n",
        )
        .unwrap();
        assert_eq!(cgroup(root.path()), Some((5000, 700)));
    }

    #[test]
    fn little_is_little_for_the_machine() {
        let look = |available: u64, total: u64| Resident {
            bytes: total * MIB / 2,
            available: available * MIB,
            total: total * MIB,
        };
        assert!(look(150, 16_000).is_nearly_full());
        assert!(!look(400, 16_000).is_nearly_full());
        assert!(!look(150, 1_000).is_nearly_full());
        assert!(look(90, 1_000).is_nearly_full());
        // Who holds little has nothing to give back.
        let small = Resident {
            bytes: 50 * MIB,
            ..look(90, 1_000)
        };
        assert!(!small.is_nearly_full());
    }
}
