//! The logical node of an as-of join.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DFSchemaRef, DataFusionError, JoinType, internal_err};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore, build_join_schema};

/// Which of the right rows a left row takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd)]
pub struct Matching {
    /// Whether the latest before is taken, or the earliest behind.
    pub backward: bool,
    /// Whether a row of the same time matches.
    pub or_equal: bool,
    /// Whether left rows that find none are kept.
    pub(crate) outer: bool,
}

impl Matching {
    pub fn operator(self) -> &'static str {
        match (self.backward, self.or_equal) {
            (true, true) => ">=",
            (true, false) => ">",
            (false, true) => "<=",
            (false, false) => "<",
        }
    }
}

/// An as-of join of two plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsOfJoin {
    /// The input whose rows are all kept in a left join.
    pub left: LogicalPlan,
    /// The input in which each row of the left seeks one.
    pub right: LogicalPlan,
    /// Expressions that are equal, of the left and of the right.
    pub on: Vec<(Expr, Expr)>,
    /// The times, of the left and of the right.
    pub times: (Expr, Expr),
    /// How the times must compare.
    pub matching: Matching,
    schema: DFSchemaRef,
}

impl AsOfJoin {
    pub(crate) fn new(
        left: LogicalPlan,
        right: LogicalPlan,
        on: Vec<(Expr, Expr)>,
        times: (Expr, Expr),
        matching: Matching,
    ) -> Result<Self, DataFusionError> {
        let join_type = match matching.outer {
            true => JoinType::Left,
            false => JoinType::Inner,
        };
        let schema = build_join_schema(left.schema(), right.schema(), &join_type)?;
        Ok(Self {
            left,
            right,
            on,
            times,
            matching,
            schema: schema.into(),
        })
    }

    /// Returns the columns without their qualifiers.
    pub(crate) fn schema_ref(&self) -> &SchemaRef {
        self.schema.inner()
    }
}

impl Hash for AsOfJoin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.left.hash(state);
        self.right.hash(state);
        self.on.hash(state);
        self.times.hash(state);
        self.matching.hash(state);
    }
}

impl PartialOrd for AsOfJoin {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let key = |join: &Self| (join.on.clone(), join.times.clone());
        match key(self).partial_cmp(&key(other)) {
            Some(Ordering::Equal) if self != other => None,
            ordering => ordering,
        }
    }
}

impl UserDefinedLogicalNodeCore for AsOfJoin {
    fn name(&self) -> &str {
        "AsOfJoin"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.left, &self.right]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let pairs = self.on.iter().chain([&self.times]);
        pairs
            .flat_map(|(left, right)| [left.clone(), right.clone()])
            .collect()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.matching.outer { "Left " } else { "" };
        let (left, right) = &self.times;
        write!(
            formatter,
            "{kind}AsOfJoin: {left} {} {right}",
            self.matching.operator()
        )?;
        for (left, right) in &self.on {
            write!(formatter, ", {left} = {right}")?;
        }
        Ok(())
    }

    fn with_exprs_and_inputs(
        &self,
        expressions: Vec<Expr>,
        inputs: Vec<LogicalPlan>,
    ) -> Result<Self, DataFusionError> {
        let mut inputs = inputs.into_iter();
        let (Some(left), Some(right), None) = (inputs.next(), inputs.next(), inputs.next()) else {
            return internal_err!("an as-of join has two inputs");
        };
        let mut pairs: Vec<(Expr, Expr)> = Vec::new();
        let mut expressions = expressions.into_iter();
        while let (Some(left), Some(right)) = (expressions.next(), expressions.next()) {
            pairs.push((left, right));
        }
        match pairs.pop() {
            Some(times) => Self::new(left, right, pairs, times, self.matching),
            None => internal_err!("an as-of join compares times"),
        }
    }

    /// Of the right every column is needed: they decide between rows of the same time.
    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        let left = self.left.schema();
        let columns = left.fields().len();
        let mut needed: Vec<usize> = output
            .iter()
            .copied()
            .filter(|column| *column < columns)
            .collect();
        let pairs = self.on.iter().chain([&self.times]);
        for column in pairs.flat_map(|(expression, _)| expression.column_refs()) {
            needed.push(left.maybe_index_of_column(column)?);
        }
        needed.sort_unstable();
        needed.dedup();
        Some(vec![
            needed,
            (0..self.right.schema().fields().len()).collect(),
        ])
    }
}
