//! The effects that a session can have on the world around it, and which of them it may have.
//!
//! There is one guard. Whoever is about to do one of these asks `Capabilities::require` right there, so
//! that nothing depends on which statement or command it was. What is refused early, before anything
//! was read in vain, is asked in the same place.

use crate::failure::{Failure, FailureKind};

/// An effect on the world around a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Files that are nobody's table: `COPY`, `\o`, `\save`, the history of the prompt.
    WriteFiles,
    /// Rows, versions and checkpoints of tables.
    WriteTables,
    /// The catalog: definitions, encoders, verified hints.
    WriteCatalog,
    /// Other programs: `\!`, `\e`, the pager.
    RunPrograms,
    /// Functions in Rust, compiled and loaded into this process.
    NativeCode,
    /// Requests to other machines.
    Network,
    /// Temporary files, which go with the session.
    Spill,
}

impl Effect {
    /// Every effect there is.
    pub const ALL: [Self; 7] = [
        Self::WriteFiles,
        Self::WriteTables,
        Self::WriteCatalog,
        Self::RunPrograms,
        Self::NativeCode,
        Self::Network,
        Self::Spill,
    ];

    /// Those that change something which outlives the session, or could.
    pub const CHANGES: [Self; 5] = [
        Self::WriteFiles,
        Self::WriteTables,
        Self::WriteCatalog,
        Self::RunPrograms,
        Self::NativeCode,
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// Why a session lacks an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// It was started so that nothing is changed.
    ReadOnly,
    /// Its text may be anybody's, and nobody looks on.
    Unattended,
}

/// Which effects a session may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    lacks: [Option<Lack>; Effect::ALL.len()],
}

impl Capabilities {
    /// Everything.
    pub const ALL: Self = Self {
        lacks: [None; Effect::ALL.len()],
    };

    /// The same without an effect. What is lacking already keeps its reason.
    #[must_use]
    pub fn without(mut self, effect: Effect, lack: Lack) -> Self {
        self.lacks[effect.index()].get_or_insert(lack);
        self
    }

    /// The same without all that changes anything.
    #[must_use]
    pub fn read_only(self) -> Self {
        let mut lacks = self.lacks;
        for effect in Effect::CHANGES {
            lacks[effect.index()] = Some(Lack::ReadOnly);
        }
        Self { lacks }
    }

    /// Returns why an effect is lacking; `None` where it is not.
    pub fn lack(&self, effect: Effect) -> Option<Lack> {
        self.lacks[effect.index()]
    }

    /// Says whether a session may have an effect.
    pub fn has(&self, effect: Effect) -> bool {
        self.lack(effect).is_none()
    }

    /// Says whether the session was started so that nothing is changed.
    pub fn is_read_only(&self) -> bool {
        Effect::CHANGES
            .into_iter()
            .any(|effect| self.lack(effect) == Some(Lack::ReadOnly))
    }

    /// Refuses an effect that is lacking. `what` is said of it, such as ``"`\o` is refused"``.
    pub fn require(&self, effect: Effect, what: &str) -> Result<(), Failure> {
        let (place, hint) = match (self.lack(effect), effect) {
            (None, _) => return Ok(()),
            (Some(Lack::ReadOnly), _) => (
                "in a read-only session",
                "start lakesh without --readonly to change anything",
            ),
            (Some(Lack::Unattended), Effect::RunPrograms) => (
                "where nobody is at the prompt",
                "--allow-programs lets scripts run programs",
            ),
            (Some(Lack::Unattended), _) => {
                ("where nobody is at the prompt", "run it at the prompt")
            }
        };
        Err(Failure::new(FailureKind::Denied, format!("{what} {place}")).hint(hint))
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::ALL
    }
}

#[cfg(test)]
mod tests {
    use super::{Capabilities, Effect, Lack};

    #[test]
    fn reading_keeps_network_and_temporary_files() {
        let reading = Capabilities::ALL.read_only();
        for effect in Effect::ALL {
            let kept = matches!(effect, Effect::Network | Effect::Spill);
            assert_eq!(reading.has(effect), kept, "{effect:?}");
            assert_eq!(reading.require(effect, "it is refused").is_ok(), kept);
        }
        assert!(reading.is_read_only());
        assert!(!Capabilities::ALL.is_read_only());
    }

    #[test]
    fn read_only_is_the_reason_that_is_told() {
        let unattended = Capabilities::ALL.without(Effect::RunPrograms, Lack::Unattended);
        let refusal = |capabilities: Capabilities| {
            let refused = capabilities.require(Effect::RunPrograms, "`\\!` is refused");
            refused.err().map(|failure| failure.message)
        };
        assert_eq!(
            refusal(unattended).as_deref(),
            Some("`\\!` is refused where nobody is at the prompt")
        );
        assert_eq!(
            refusal(unattended.read_only()).as_deref(),
            Some("`\\!` is refused in a read-only session")
        );
        assert!(unattended.has(Effect::WriteFiles));
        assert!(!unattended.is_read_only());
    }
}
