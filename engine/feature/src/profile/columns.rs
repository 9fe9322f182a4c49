//! The plan of `feature_profile`: one aggregation over the input, turned into one row a column.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DataFusionError, ScalarValue};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_aggregate::expr_fn::{approx_distinct, max, min};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, col, lit, when,
};
use datafusion::prelude::get_field;
use lakesh_text::failure::sql_type_name;

use super::accumulator::profile_function;

/// The columns of a profile and their types.
const COLUMNS: [(&str, Kind); 22] = [
    ("column_name", Kind::Text),
    ("column_type", Kind::Text),
    ("rows", Kind::Count),
    ("count", Kind::Count),
    ("missing_rate", Kind::Number),
    ("unique_count", Kind::Whole),
    ("zero_variance", Kind::Truth),
    ("min", Kind::Text),
    ("max", Kind::Text),
    ("mean", Kind::Number),
    ("std", Kind::Number),
    ("p01", Kind::Number),
    ("q25", Kind::Number),
    ("q50", Kind::Number),
    ("q75", Kind::Number),
    ("p99", Kind::Number),
    ("skewness", Kind::Number),
    ("kurtosis", Kind::Number),
    ("zeros", Kind::Count),
    ("negatives", Kind::Count),
    ("nan_count", Kind::Count),
    ("inf_count", Kind::Count),
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// A number of rows; with weights their sum, which may be a fraction.
    Count,
    Whole,
    Number,
    Truth,
}

impl Kind {
    fn arrow(self, weighted: bool) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Count if weighted => DataType::Float64,
            Self::Count | Self::Whole => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Truth => DataType::Boolean,
        }
    }
}

/// Plans one row a column of the input, or one a group and column. The weight and the columns of groups
/// have no rows of their own.
pub(crate) fn profile_plan(
    input: LogicalPlan,
    by: &[String],
    weight: Option<&str>,
) -> Result<LogicalPlan, DataFusionError> {
    let found = |name: &str| -> Result<Expr, DataFusionError> {
        let field = input.schema().qualified_field_with_unqualified_name(name)?;
        Ok(Expr::Column(Column::from(field)))
    };
    let groups = by
        .iter()
        .map(|name| found(name))
        .collect::<Result<Vec<_>, _>>()?;
    let weight_column = weight.map(found).transpose()?;
    let weight_column = weight_column.map(|weight| cast(weight, DataType::Float64));
    let mut aggregates = Vec::new();
    let mut parts = Vec::new();
    for (position, (qualifier, field)) in input.schema().iter().enumerate() {
        let name = field.name();
        if by.contains(name) || weight == Some(name.as_str()) {
            continue;
        }
        let column = Expr::Column(Column::new(qualifier.cloned(), name));
        let part = Profiled::new(position, name, field.data_type(), column);
        aggregates.extend(part.aggregates(weight_column.as_ref())?);
        parts.push(part);
    }
    let aggregated = LogicalPlanBuilder::from(input)
        .aggregate(groups.clone(), aggregates)?
        .build()?;
    let rows = parts
        .iter()
        .map(|part| part.row(aggregated.schema(), weight.is_some()))
        .collect::<Result<Vec<_>, _>>()?;
    let keep = || groups.iter().cloned();
    let shown = COLUMNS
        .iter()
        .map(|(name, _)| get_field(col("profile"), *name).alias(*name));
    LogicalPlanBuilder::from(aggregated)
        .project(keep().chain([make_array(rows).alias("profile")]))?
        .unnest_column("profile")?
        .project(keep().chain(shown))?
        .build()
}

/// What is computed of one column.
struct Profiled {
    position: usize,
    name: String,
    data_type: DataType,
    column: Expr,
}

impl Profiled {
    fn new(position: usize, name: &str, data_type: &DataType, column: Expr) -> Self {
        let data_type = match data_type {
            DataType::Dictionary(_, values) => values.as_ref().clone(),
            other => other.clone(),
        };
        Self {
            position,
            name: name.to_owned(),
            data_type,
            column,
        }
    }

    fn is_numeric(&self) -> bool {
        self.data_type.is_numeric() || self.data_type == DataType::Boolean
    }

    fn is_ordered(&self) -> bool {
        self.data_type.is_primitive()
            || self.data_type.is_string()
            || self.data_type == DataType::Boolean
    }

    fn part(&self, what: &str) -> String {
        format!("{what} of column {}", self.position)
    }

    fn aggregates(&self, weight: Option<&Expr>) -> Result<Vec<Expr>, DataFusionError> {
        let value = match self.is_numeric() {
            true => cast(self.column.clone(), DataType::Float64),
            false => self.column.clone(),
        };
        let mut arguments = vec![value];
        arguments.extend(weight.cloned());
        let function = profile_function(self.is_numeric(), weight.is_some());
        let mut all = vec![function.call(arguments).alias(self.part("profile"))];
        // Rows without weight are not there.
        let counted = match weight {
            None => self.column.clone(),
            Some(weight) => when(weight.clone().gt(lit(0.0)), self.column.clone()).end()?,
        };
        if self.is_ordered() {
            all.push(min(counted.clone()).alias(self.part("min")));
            all.push(max(counted.clone()).alias(self.part("max")));
        }
        if self.is_ordered() && !self.is_numeric() {
            let text = cast(counted, DataType::Utf8);
            all.push(approx_distinct(text).alias(self.part("unique")));
        }
        Ok(all)
    }

    /// Makes a struct of the values of a row.
    fn row(
        &self,
        schema: &datafusion::common::DFSchema,
        weighted: bool,
    ) -> Result<Expr, DataFusionError> {
        let mut arguments = Vec::new();
        for (name, kind) in COLUMNS {
            arguments.push(lit(name));
            arguments.push(self.value(name)?.cast_to(&kind.arrow(weighted), schema)?);
        }
        Ok(named_struct(arguments))
    }

    fn value(&self, name: &str) -> Result<Expr, DataFusionError> {
        let absent = || lit(ScalarValue::Null);
        let aggregated = |what: &str| Expr::Column(Column::from_name(self.part(what)));
        let profile = |field: &str| get_field(aggregated("profile"), field);
        let if_numeric = |field: &str| match self.is_numeric() {
            true => profile(field),
            false => absent(),
        };
        let extreme = |what: &str, field: &str| match &self.data_type {
            // NaN is not the largest number of a column.
            DataType::Float16 | DataType::Float32 | DataType::Float64 => profile(field),
            _ if self.is_ordered() => aggregated(what),
            _ => absent(),
        };
        let unique = || match (self.is_numeric(), self.is_ordered()) {
            (true, _) => profile("unique"),
            (false, true) => aggregated("unique"),
            (false, false) => absent(),
        };
        Ok(match name {
            "column_name" => lit(self.name.as_str()),
            "column_type" => lit(sql_type_name(&self.data_type)),
            "rows" => profile("rows"),
            "count" => profile("count"),
            "missing_rate" => when(
                profile("rows").gt(lit(0.0)),
                profile("missing") / profile("rows"),
            )
            .end()?,
            "unique_count" => unique(),
            "zero_variance" => match self.is_ordered() {
                false => absent(),
                true => when(
                    profile("rows").gt(lit(0.0)),
                    match self.is_numeric() {
                        true => profile("unique").lt_eq(lit(1.0)),
                        // Exact, as the approximate count need not be.
                        false => extreme("min", "least")
                            .eq(extreme("max", "most"))
                            .or(profile("count").eq(lit(0.0))),
                    },
                )
                .end()?,
            },
            "min" => extreme("min", "least"),
            "max" => extreme("max", "most"),
            "nan_count" => if_numeric("nan"),
            "inf_count" => if_numeric("infinite"),
            other => if_numeric(other),
        })
    }
}
