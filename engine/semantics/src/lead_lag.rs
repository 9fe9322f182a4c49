//! `lead` and `lag` with IGNORE NULLS look at the whole partition.
//!
//! DataFusion's evaluate them row by row where the frame has an end, from as many rows as they need when
//! nulls count, and then miss the values that lie farther (apache/datafusion#25471); a LIMIT above takes the
//! rows away that `lead` would have found. Theirs over whole partitions are right, and are asked here.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::functions_window::lead_lag::{lag_udwf, lead_udwf};
use datafusion::logical_expr::function::{
    ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs,
};
use datafusion::logical_expr::{
    Documentation, LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, WindowUDF,
    WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

static LEAD: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| Arc::new(Shift::of(lead_udwf()).into()));
static LAG: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| Arc::new(Shift::of(lag_udwf()).into()));

/// Returns `lead` and `lag`.
pub(crate) fn shifts() -> [Arc<WindowUDF>; 2] {
    [Arc::clone(&LEAD), Arc::clone(&LAG)]
}

/// DataFusion's function, with another evaluator where nulls are ignored.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Shift {
    theirs: Arc<WindowUDF>,
}

impl Shift {
    fn of(theirs: Arc<WindowUDF>) -> Self {
        Self { theirs }
    }

    fn is_lead(&self) -> bool {
        self.theirs.name() == "lead"
    }
}

impl WindowUDFImpl for Shift {
    fn name(&self) -> &str {
        self.theirs.name()
    }

    fn signature(&self) -> &Signature {
        self.theirs.signature()
    }

    fn expressions(&self, arguments: ExpressionArgs) -> Vec<Arc<dyn PhysicalExpr>> {
        self.theirs.inner().expressions(arguments)
    }

    fn partition_evaluator(
        &self,
        arguments: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        let ignores_nulls = arguments.ignore_nulls();
        let theirs = self.theirs.inner().partition_evaluator(arguments)?;
        Ok(match ignores_nulls {
            true => Box::new(WholePartition { theirs }),
            false => theirs,
        })
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        self.theirs.inner().field(arguments)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.theirs.inner().coerce_types(types)
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        // DataFusion itself counts the other way where rows come the other way.
        let [lead, lag] = shifts();
        ReversedUDWF::Reversed(if self.is_lead() { lead } else { lag })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.inner().documentation()
    }

    fn limit_effect(&self, arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        match self.is_lead() {
            // How far the next value lies that is not NULL, nobody knows.
            true => LimitEffect::Unknown,
            false => self.theirs.inner().limit_effect(arguments),
        }
    }
}

/// Evaluates a partition at once.
#[derive(Debug)]
struct WholePartition {
    theirs: Box<dyn PartitionEvaluator>,
}

impl PartitionEvaluator for WholePartition {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.theirs.evaluate_all(values, rows)
    }

    fn supports_bounded_execution(&self) -> bool {
        false
    }
}
