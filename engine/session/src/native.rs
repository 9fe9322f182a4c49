//! Whether functions written in Rust may run in a session: their code can do all that the process can.
//!
//! A session that may run them at all runs those of a catalog that is the user's own or trusted.

use lakesh_catalog::Trust;
use lakesh_text::effect::{Effect, Lack};
use lakesh_text::failure::{Failure, FailureKind};

use super::Session;

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
        match self.options.capabilities.lack(Effect::NativeCode) {
            Some(Lack::ReadOnly) => {
                let refusal = denied("functions in Rust do not run in a read-only session");
                let hint = "their code could write anything; start lakesh without --readonly";
                return Some(refusal.hint(hint));
            }
            Some(Lack::Unattended) => {
                let refusal = denied(
                    "functions in Rust run at a terminal and in a notebook, not in what is piped",
                );
                let hint = "--allow-native lets them run; their code can do all that you can";
                return Some(refusal.hint(hint));
            }
            None => {}
        }
        match self.catalog.trust() {
            Ok(Trust::Own) => None,
            Ok(Trust::Foreign(reason)) => Some(
                denied(&format!(
                    "functions in Rust do not run, as the catalog is not trusted: {reason}"
                ))
                .hint(
                    "look at what is in it: `lakesh trust` says that you trust it, or make the functions in a \
                     catalog of your own",
                ),
            ),
            Err(error) => Some(error.into()),
        }
    }
}

fn denied(message: &str) -> Failure {
    Failure::new(FailureKind::Denied, message)
}
