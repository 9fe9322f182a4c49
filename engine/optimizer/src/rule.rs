//! The rules of this crate: one list for their switches, for SHOW and for EXPLAIN.
//!
//! The switches are an extension of DataFusion's settings, so that they reach rules, and SET, RESET and
//! SHOW know them, as they know DataFusion's own.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::common::{DataFusionError, Result, plan_err};

/// A rule that can be switched off.
#[derive(Debug)]
pub struct Rule {
    /// Its name, as EXPLAIN shows it.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
}

pub(crate) const SHARE_SUBPLANS: &str = "share_subplans";
pub(crate) const ORDER_JOINS: &str = "order_joins";
pub(crate) const PUSH_SEMI_JOINS: &str = "push_semi_joins";
pub(crate) const RESTRICT_GROUPS: &str = "restrict_groups";
pub(crate) const ORDER_CONDITIONS: &str = "order_conditions";

/// The rules, in alphabetical order.
pub static RULES: &[Rule] = &[
    Rule {
        name: ORDER_CONDITIONS,
        summary: "Whether filters compute cheap conditions that drop many rows first.",
    },
    Rule {
        name: ORDER_JOINS,
        summary: "Whether inner joins are done in the order that estimates say is the cheapest.",
    },
    Rule {
        name: PUSH_SEMI_JOINS,
        summary: "Whether IN and EXISTS are asked of the table that has the key, before it is joined.",
    },
    Rule {
        name: RESTRICT_GROUPS,
        summary: "Whether aggregates that are joined compute only the groups that the join can use.",
    },
    Rule {
        name: SHARE_SUBPLANS,
        summary: "Whether equal subqueries and CTEs of a query are computed once.",
    },
];

/// What stands before the name of each switch, behind the prefix.
const FOLDER: &str = "optimizer.";

/// The names of the rules that changed a plan.
pub type Changes = Arc<Mutex<BTreeSet<&'static str>>>;

/// Which rules are off, and who wants to know which have changed a plan.
#[derive(Debug, Clone, Default)]
pub struct Switches {
    off: BTreeSet<&'static str>,
    changes: Option<Changes>,
}

impl Switches {
    /// Lets rules write down that they changed a plan.
    pub fn watched_by(mut self, changes: Changes) -> Self {
        self.changes = Some(changes);
        self
    }
}

impl ConfigExtension for Switches {
    const PREFIX: &'static str = "lakesh";
}

impl ExtensionOptions for Switches {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let name = key.strip_prefix(FOLDER).unwrap_or(key);
        let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
            return plan_err!("setting `{}.{key}` not found", Self::PREFIX);
        };
        match value.to_ascii_lowercase().as_str() {
            "on" | "true" => self.off.remove(rule.name),
            "off" | "false" => self.off.insert(rule.name),
            _ => {
                return Err(DataFusionError::Configuration(
                    "on or off is expected".to_owned(),
                ));
            }
        };
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let entry = |rule: &Rule| ConfigEntry {
            key: format!("{}.{FOLDER}{}", Self::PREFIX, rule.name),
            value: Some(
                if self.off.contains(rule.name) {
                    "off"
                } else {
                    "on"
                }
                .to_owned(),
            ),
            description: rule.summary,
        };
        RULES.iter().map(entry).collect()
    }
}

/// Says whether a rule is on. Where nobody has put switches in, as in a state of a library's own, it is off.
pub(crate) fn is_on(rule: &str, options: &ConfigOptions) -> bool {
    let switches = options.extensions.get::<Switches>();
    switches.is_some_and(|switches| !switches.off.contains(rule))
}

/// Writes down that a rule changed a plan.
pub(crate) fn changed(rule: &'static str, options: &ConfigOptions) {
    let switches = options.extensions.get::<Switches>();
    if let Some(changes) = switches.and_then(|switches| switches.changes.as_ref()) {
        let mut changes = changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.insert(rule);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn options() -> ConfigOptions {
        let mut options = ConfigOptions::new();
        options.extensions.insert(Switches::default());
        options
    }

    #[test]
    fn rules_stand_in_alphabetical_order_with_a_summary_each() {
        assert!(RULES.is_sorted_by(|one, other| one.name < other.name));
        assert!(RULES.iter().all(|rule| rule.summary.ends_with('.')));
    }

    #[test]
    fn each_rule_has_a_switch() {
        let mut options = options();
        for rule in RULES {
            let name = format!("lakesh.optimizer.{}", rule.name);
            assert!(is_on(rule.name, &options));
            options.set(&name, "off").unwrap();
            assert!(!is_on(rule.name, &options));
            options.set(&name, "ON").unwrap();
            assert!(is_on(rule.name, &options));
            assert!(options.set(&name, "maybe").is_err());
            assert!(options.entries().iter().any(|entry| entry.key == name));
        }
        assert!(options.set("lakesh.optimizer.nothing", "off").is_err());
    }

    #[test]
    fn nothing_is_on_where_there_are_no_switches() {
        assert!(!is_on(ORDER_JOINS, &ConfigOptions::new()));
    }

    #[test]
    fn changes_are_written_down_for_whoever_asks() {
        let mut options = options();
        changed(ORDER_JOINS, &options);
        let changes = Changes::default();
        let switches = Switches::default().watched_by(Arc::clone(&changes));
        options.extensions.insert(switches);
        changed(ORDER_JOINS, &options.clone());
        assert_eq!(
            changes.lock().unwrap().iter().copied().collect::<Vec<_>>(),
            [ORDER_JOINS]
        );
    }
}
