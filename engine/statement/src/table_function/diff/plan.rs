//! The plan of DIFF TABLE: one aggregation over the rows of the files that differ.
//!
//! Rows of the older version count -1, those of the newer one +1; rows that a rewrite only moved
//! cancel out. With keys, a second aggregation brings the rows of one key together.

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column, DataFusionError, ScalarValue, TableReference};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions::math::expr_fn::abs;
use datafusion::functions_aggregate::expr_fn::{array_agg, max, min, sum};
use datafusion::functions_nested::expr_fn::range;
use datafusion::logical_expr::binary::type_union_coercion;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, when};
use datafusion::prelude::get_field;
use lakesh_table::{Difference, Side};
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::similar::closest;

use super::source;

/// How often a row was added, less how often it was removed.
const NET: &str = "net";

/// A column of the comparison.
struct Compared {
    name: String,
    /// The name inside the plan, which no column of the table can take.
    own: String,
    data_type: DataType,
    in_from: bool,
    in_to: bool,
}

/// How rows of two versions are compared.
pub(super) struct Rows {
    columns: Vec<Compared>,
    /// Positions of the keys among the columns.
    keys: Vec<usize>,
}

impl Rows {
    /// Brings the columns of both versions together: those of the newer one, then those it lacks.
    pub(super) fn new(difference: &Difference, keys: &[String]) -> Result<Self, Failure> {
        let from = difference.from.rows.schema();
        let to = difference.to.rows.schema();
        let mut columns: Vec<Compared> = to
            .fields()
            .iter()
            .map(|field| {
                let older = from.field_with_name(field.name()).ok();
                let data_type = older.map_or_else(
                    || field.data_type().clone(),
                    |older| common_type(older.data_type(), field.data_type()),
                );
                Compared {
                    name: field.name().clone(),
                    own: String::new(),
                    data_type,
                    in_from: older.is_some(),
                    in_to: true,
                }
            })
            .collect();
        for field in from.fields() {
            if to.field_with_name(field.name()).is_err() {
                columns.push(Compared {
                    name: field.name().clone(),
                    own: String::new(),
                    data_type: field.data_type().clone(),
                    in_from: true,
                    in_to: false,
                });
            }
        }
        for (position, column) in columns.iter_mut().enumerate() {
            column.own = format!("c{position}");
        }
        let keys = keys
            .iter()
            .map(|key| key_position(key, &columns, &from, &to))
            .collect::<Result<_, _>>()?;
        Ok(Self { columns, keys })
    }

    /// Plans one row a changed row: `_change_type`, then the columns.
    pub(super) fn plan(
        &self,
        difference: &Difference,
        ordered: bool,
    ) -> Result<LogicalPlan, DataFusionError> {
        let older = self.side(&difference.from, false)?;
        let newer = self.side(&difference.to, true)?;
        let net = LogicalPlanBuilder::from(older)
            .union(newer)?
            .aggregate(self.own(), [sum(own_net()).alias(NET)])?
            .filter(own_net().not_eq(lit(0_i64)))?
            .build()?;
        let typed = match self.keys.is_empty() {
            true => self.whole_rows(net)?,
            false => self.keyed_rows(net)?,
        };
        // A row that was added twice is shown twice.
        let mut repeated = self.own();
        repeated.push(own("change"));
        repeated.push(range(lit(0_i64), abs(own_net()), lit(1_i64)).alias("copy"));
        let mut shown = vec![own("change").alias("_change_type")];
        let named = |column: &Compared| own(&column.own).alias(&column.name);
        shown.extend(self.columns.iter().map(named));
        let mut plan = LogicalPlanBuilder::from(typed)
            .project(repeated)?
            .unnest_column(Column::new_unqualified("copy"))?;
        if ordered {
            plan = plan.sort(self.order())?;
        }
        plan.project(shown)?.build()
    }

    /// The columns by the names that they have inside the plan.
    fn own(&self) -> Vec<Expr> {
        let columns = self.columns.iter();
        columns.map(|column| own(&column.own)).collect()
    }

    /// Rows of one key together, the old one before the new one.
    fn order(&self) -> Vec<datafusion::logical_expr::SortExpr> {
        let by: Vec<&Compared> = match self.keys.is_empty() {
            true => self
                .columns
                .iter()
                .filter(|column| sorts(&column.data_type))
                .collect(),
            false => self.keys.iter().map(|key| &self.columns[*key]).collect(),
        };
        let mut order: Vec<_> = by
            .into_iter()
            .map(|column| own(&column.own).sort(true, true))
            .collect();
        order.push(own("change").sort(false, true));
        order
    }

    /// The rows of one version with the columns of both and the sign of that version.
    fn side(&self, side: &Side, newer: bool) -> Result<LogicalPlan, DataFusionError> {
        let name = TableReference::bare(match newer {
            true => "newer",
            false => "older",
        });
        let mut columns: Vec<Expr> = self
            .columns
            .iter()
            .map(|column| {
                let present = if newer { column.in_to } else { column.in_from };
                let value = match present {
                    true => Expr::Column(Column::new(Some(name.clone()), &column.name)),
                    false => lit(ScalarValue::Null),
                };
                cast(value, column.data_type.clone()).alias(&column.own)
            })
            .collect();
        columns.push(lit(if newer { 1_i64 } else { -1_i64 }).alias(NET));
        LogicalPlanBuilder::scan(name, source(side), None)?
            .project(columns)?
            .build()
    }

    /// Says of each row whether it came or went.
    fn whole_rows(&self, net: LogicalPlan) -> Result<LogicalPlan, DataFusionError> {
        let change = when(own_net().lt(lit(0_i64)), lit("delete")).otherwise(lit("insert"))?;
        let mut columns = self.own();
        columns.extend([own_net(), change.alias("change")]);
        LogicalPlanBuilder::from(net).project(columns)?.build()
    }

    /// Brings the rows of one key together, to tell an update from an insert and a delete.
    fn keyed_rows(&self, net: LogicalPlan) -> Result<LogicalPlan, DataFusionError> {
        let keys: Vec<Expr> = self
            .keys
            .iter()
            .map(|key| own(&self.columns[*key].own))
            .collect();
        let mut fields = vec![lit(NET), own_net()];
        for column in &self.columns {
            fields.extend([lit(column.own.as_str()), own(&column.own)]);
        }
        let aggregates = [
            array_agg(named_struct(fields)).alias("rows"),
            min(own_net()).alias("least"),
            max(own_net()).alias("most"),
        ];
        let went = || get_field(own("rows"), NET).lt(lit(0_i64));
        let change = when(
            went().and(own("most").gt(lit(0_i64))),
            lit("update_preimage"),
        )
        .when(went(), lit("delete"))
        .when(own("least").lt(lit(0_i64)), lit("update_postimage"))
        .otherwise(lit("insert"))?;
        let field = |name: &str| get_field(own("rows"), name).alias(name);
        let mut columns: Vec<Expr> = self
            .columns
            .iter()
            .map(|column| field(&column.own))
            .collect();
        columns.extend([field(NET), change.alias("change")]);
        LogicalPlanBuilder::from(net)
            .aggregate(keys, aggregates)?
            .unnest_column(Column::new_unqualified("rows"))?
            .project(columns)?
            .build()
    }
}

/// A column of the plan's own.
fn own(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn own_net() -> Expr {
    own(NET)
}

/// Returns a type that holds the values of both; text, if nothing else does.
fn common_type(older: &DataType, newer: &DataType) -> DataType {
    let are = |one: fn(&DataType) -> bool, other: fn(&DataType) -> bool| {
        (one(older) && other(newer)) || (other(older) && one(newer))
    };
    match older == newer {
        true => newer.clone(),
        // DataFusion would make decimals of doubles.
        false if are(DataType::is_floating, DataType::is_decimal) => DataType::Float64,
        false => type_union_coercion(older, newer).unwrap_or(DataType::Utf8),
    }
}

/// Says whether rows can be ordered by a column of this type.
fn sorts(data_type: &DataType) -> bool {
    !data_type.is_nested()
}

fn key_position(
    key: &str,
    columns: &[Compared],
    from: &Schema,
    to: &Schema,
) -> Result<usize, Failure> {
    let position = columns.iter().position(|column| column.name == key);
    match position {
        Some(position) if columns[position].in_from && columns[position].in_to => Ok(position),
        Some(_) => Err(Failure::new(
            FailureKind::Plan,
            format!("key `{key}` is a column of only one of the two versions"),
        )),
        None => {
            let failure = Failure::new(FailureKind::Plan, format!("column `{key}` not found"));
            let names = from.fields().iter().chain(to.fields());
            Err(
                match closest(key, names.map(|field| field.name().as_str())) {
                    Some(similar) => failure.hint(format!("did you mean `{similar}`?")),
                    None => failure,
                },
            )
        }
    }
}
