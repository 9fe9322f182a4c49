//! Plans of nodes that are known, and of some that are not.

use std::fmt;
use std::sync::Arc;

use datafusion::common::DFSchemaRef;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNodeCore, col, lit,
};
use lakesh_session::scope::Opened;

use super::{Origin, Walker};
use crate::leakage::label::Label;
use crate::leakage::leak::LeakKind;
use crate::leakage::verdict::Judge;

/// A node that nobody here has heard of, with the columns of its first input.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd)]
struct Stranger(Vec<LogicalPlan>);

impl UserDefinedLogicalNodeCore for Stranger {
    fn name(&self) -> &str {
        "Stranger"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.0.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        self.0[0].schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Stranger")
    }

    fn with_exprs_and_inputs(
        &self,
        _: Vec<Expr>,
        inputs: Vec<LogicalPlan>,
    ) -> Result<Self, DataFusionError> {
        Ok(Self(inputs))
    }
}

/// Two columns, a time and a target.
fn labels() -> LogicalPlan {
    let rows = vec![vec![lit(1_i64), lit(0_i64)], vec![lit(2_i64), lit(1_i64)]];
    LogicalPlanBuilder::values(rows).unwrap().build().unwrap()
}

fn strange(inputs: Vec<LogicalPlan>) -> LogicalPlan {
    LogicalPlan::Extension(Extension {
        node: Arc::new(Stranger(inputs)),
    })
}

/// What is wrong with the first column of a plan, if the label lies in the table that is read first.
fn leaks(plan: &LogicalPlan) -> Vec<LeakKind> {
    let opened = Opened::default();
    let mut walker = Walker::new(&opened);
    let relation = walker.plan(plan).unwrap();
    let label = Label {
        times: vec![Origin { scan: 0, column: 0 }],
        targets: vec![Origin { scan: 0, column: 1 }],
        time: "ts".to_owned(),
        target: "y".to_owned(),
        outputs: Vec::new(),
    };
    let judge = Judge {
        walker: &walker,
        label: &label,
        facts: &relation.facts,
        fitted_here: &[],
    };
    let found = judge.leaks("f", &relation.columns[0], 0);
    found.into_iter().map(|leak| leak.kind).collect()
}

#[test]
fn what_is_not_known_cannot_be_told() {
    assert_eq!(leaks(&strange(vec![labels()])), [LeakKind::Unknown]);
    assert_eq!(
        leaks(&strange(vec![labels(), labels()])),
        [LeakKind::Unknown]
    );
}

#[test]
fn what_is_made_of_it_cannot_be_told_either() {
    let built = |builder: LogicalPlanBuilder| builder.build().unwrap();
    let above = || LogicalPlanBuilder::from(strange(vec![labels(), labels()]));
    let sum = col("column1") + lit(1_i64);
    let project = built(above().project([sum.alias("f")]).unwrap());
    assert_eq!(leaks(&project), [LeakKind::Unknown]);
    // It decides which rows there are, perhaps by the target.
    let count = datafusion::functions_aggregate::expr_fn::count(lit(1_i64));
    let counted = built(above().aggregate(Vec::<Expr>::new(), [count]).unwrap());
    assert_eq!(leaks(&counted), [LeakKind::Unknown]);
}

#[test]
fn what_is_known_is_followed() {
    let built = |builder: LogicalPlanBuilder| builder.build().unwrap();
    let of = || LogicalPlanBuilder::from(labels());
    let sorted = built(of().sort([col("column1").sort(true, false)]).unwrap());
    let limited = built(of().limit(0, Some(1)).unwrap());
    let target = built(of().project([col("column2")]).unwrap());
    let constant = LogicalPlanBuilder::empty(true).project([lit(1_i64)]);
    assert_eq!(leaks(&sorted), []);
    assert_eq!(leaks(&limited), []);
    assert_eq!(leaks(&target), [LeakKind::Target]);
    assert_eq!(leaks(&built(constant.unwrap())), []);
}
