//! What cannot be followed: a node of a plan that is not known here, a column that is not found.
//!
//! Nothing is said of its rows, so it may hold the target or rows of any time. A feature that depends on it
//! is reported as one of which nothing can be told; it must not pass for one without a leak.

use super::{Cause, CauseKind, Dependency, LogicalPlan, Relation, Scan, Value, Walker};
use crate::leakage::lineage::Reach;

impl Walker<'_> {
    /// Returns a relation of which nothing is known.
    pub(super) fn unknown(&mut self, plan: &LogicalPlan) -> Relation {
        let name = plan.display().to_string();
        let value = self.unknown_value(&name);
        Relation {
            columns: vec![value.clone(); plan.schema().fields().len()],
            rows: value.dependencies.clone(),
            conditions: value.dependencies,
            ..Relation::default()
        }
    }

    /// Returns a value of which nothing is known; the name says what it comes from.
    pub(in crate::leakage) fn unknown_value(&mut self, name: &str) -> Value {
        let cause = self.cause(Cause {
            kind: CauseKind::Use,
            body: self.body,
            function: None,
            shown: name.to_owned(),
            spans: Vec::new(),
        });
        let scan = self.scans.len();
        self.scans.push(Scan {
            name: name.to_owned(),
            identity: format!("unknown {scan}"),
            location: None,
            columns: Vec::new(),
        });
        Value::of(vec![Dependency {
            reach: Reach::Unknown,
            cause: Some(cause),
            ..Dependency::own(scan, None)
        }])
    }
}
