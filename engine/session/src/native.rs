//! Whether functions written in Rust may run in a session: their code can do all that the process can.

use lakesh_catalog::Trust;
use lakesh_text::failure::{Failure, FailureKind};

use super::Session;

/// Where a front end lets functions written in Rust run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NativeFunctions {
    /// Nowhere: nobody looks on, and nobody has said that it is meant.
    #[default]
    Refused,
    /// Where the catalog that they come from is the user's own or trusted.
    InOwnCatalog,
}

impl Session {
    /// Says why functions written in Rust cannot run; `None` where they can.
    pub fn native_refusal(&self) -> Option<Failure> {
        if let Some(refusal) = self.native_ban() {
            return Some(refusal);
        }
        if self.behaviour().allow_native_functions {
            return None;
        }
        let refusal = denied("functions in Rust are off: `lakesh.allow_native_functions` is false");
        Some(refusal.hint("SET lakesh.allow_native_functions = true"))
    }

    /// Says why functions written in Rust cannot run whatever the setting says.
    pub(crate) fn native_ban(&self) -> Option<Failure> {
        if self.options.read_only {
            let refusal = denied("functions in Rust do not run in a read-only session");
            return Some(
                refusal.hint("their code could write anything; start lakesh without --readonly"),
            );
        }
        if self.options.native_functions == NativeFunctions::Refused {
            let refusal = denied(
                "functions in Rust run at a terminal and in a notebook, not in what is piped",
            );
            return Some(
                refusal.hint("--allow-native lets them run; their code can do all that you can"),
            );
        }
        match self.catalog.trust() {
            Ok(Trust::Own) => None,
            Ok(Trust::Foreign(reason)) => Some(
                denied(&format!(
                    "functions in Rust do not run, as the catalog is not trusted: {reason}"
                ))
                .hint(
                    "look at what is in it: if it is yours alone, name its folder with --catalog, else \
                     make the functions in a catalog of your own",
                ),
            ),
            Err(error) => Some(error.into()),
        }
    }
}

fn denied(message: &str) -> Failure {
    Failure::new(FailureKind::Denied, message)
}
