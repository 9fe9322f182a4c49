//! The condition of OPTIMIZE: comparisons of partition columns with constants, joined by AND.

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Ident};
use deltalake::FilterOp;
use lakesh_session::StatementContext;
use lakesh_session::scope::find_name;
use lakesh_sql::{constant, normalized};
use lakesh_table::PartitionFilter;
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::similar::closest;

/// Turns a condition into filters that must all hold.
pub(super) fn partition_filters(
    condition: &Expr,
    schema: &Schema,
    partitions: &[String],
    context: &StatementContext,
) -> Result<Vec<PartitionFilter>, Failure> {
    let reader = Reader {
        schema,
        partitions,
        context,
    };
    let mut filters = Vec::new();
    reader.read(condition, &mut filters)?;
    Ok(filters)
}

struct Reader<'a> {
    schema: &'a Schema,
    partitions: &'a [String],
    context: &'a StatementContext,
}

impl Reader<'_> {
    fn read(&self, condition: &Expr, filters: &mut Vec<PartitionFilter>) -> Result<(), Failure> {
        match condition {
            Expr::Nested(inner) => self.read(inner, filters),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::And,
                right,
            } => {
                self.read(left, filters)?;
                self.read(right, filters)
            }
            Expr::BinaryOp { left, op, right } => {
                let Some(operator) = comparison(op) else {
                    return Err(self.unsupported(condition));
                };
                let filter = match (column_of(left), column_of(right)) {
                    (Some(column), _) => self.filter(column, operator, &[right])?,
                    (None, Some(column)) => self.filter(column, turned(operator), &[left])?,
                    (None, None) => return Err(self.unsupported(condition)),
                };
                filters.push(filter);
                Ok(())
            }
            Expr::InList {
                expr,
                list,
                negated,
            } => {
                let Some(column) = column_of(expr) else {
                    return Err(self.unsupported(condition));
                };
                let operator = match negated {
                    true => FilterOp::NotIn,
                    false => FilterOp::In,
                };
                let values: Vec<&Expr> = list.iter().collect();
                filters.push(self.filter(column, operator, &values)?);
                Ok(())
            }
            Expr::Between {
                expr,
                negated: false,
                low,
                high,
            } => {
                let Some(column) = column_of(expr) else {
                    return Err(self.unsupported(condition));
                };
                filters.push(self.filter(column, FilterOp::Ge, &[low])?);
                filters.push(self.filter(column, FilterOp::Le, &[high])?);
                Ok(())
            }
            // An empty partition value is how Delta writes NULL.
            Expr::IsNull(expr) | Expr::IsNotNull(expr) => {
                let Some(column) = column_of(expr) else {
                    return Err(self.unsupported(condition));
                };
                let operator = match condition {
                    Expr::IsNull(_) => FilterOp::Eq,
                    _ => FilterOp::Ne,
                };
                self.data_type(column)?;
                filters.push(PartitionFilter {
                    column: self.name(column)?,
                    operator,
                    values: vec![String::new()],
                });
                Ok(())
            }
            other => Err(self.unsupported(other)),
        }
    }

    fn filter(
        &self,
        column: &Ident,
        operator: FilterOp,
        values: &[&Expr],
    ) -> Result<PartitionFilter, Failure> {
        let data_type = self.data_type(column)?;
        let values = values
            .iter()
            .map(|value| self.value(value, &data_type))
            .collect::<Result<_, _>>()?;
        Ok(PartitionFilter {
            column: self.name(column)?,
            operator,
            values,
        })
    }

    /// Returns a column's name as the table spells it.
    fn name(&self, column: &Ident) -> Result<String, Failure> {
        let fields = self.schema.fields().iter();
        let found = find_name(
            self.context,
            fields.map(|field| field.name().as_str()),
            column,
        )?;
        Ok(found.unwrap_or_else(|| normalized(column)))
    }

    /// Returns the type of a partition column; refuses other columns.
    fn data_type(&self, column: &Ident) -> Result<DataType, Failure> {
        let name = self.name(column)?;
        let place = self.context.place(column.span.start);
        let Ok(field) = self.schema.field_with_name(&name) else {
            let failure = Failure::new(FailureKind::Plan, format!("column `{name}` not found"));
            let names = self
                .schema
                .fields()
                .iter()
                .map(|field| field.name().as_str());
            let failure = match closest(&name, names) {
                Some(similar) => failure.hint(format!("did you mean `{similar}`?")),
                None => failure,
            };
            return Err(failure.at(place));
        };
        if !self.partitions.contains(&name) {
            let failure = Failure::new(
                FailureKind::Plan,
                format!("`{name}` is not a partition column; OPTIMIZE works on whole partitions"),
            );
            let failure = match self.partitions {
                [] => failure.hint("the table has no partitions"),
                partitions => failure.hint(format!(
                    "the partition columns are {}",
                    partitions.join(", ")
                )),
            };
            return Err(failure.at(place));
        }
        Ok(match field.data_type() {
            DataType::Dictionary(_, value) => value.as_ref().clone(),
            other => other.clone(),
        })
    }

    /// Evaluates a constant and writes it as Delta writes partition values.
    fn value(&self, value: &Expr, data_type: &DataType) -> Result<String, Failure> {
        let context = self.context;
        let found = constant(value, &context.state, context.parameters())
            .map_err(|error| context.failure(error))?;
        let wrong = || {
            Failure::new(
                FailureKind::Plan,
                format!(
                    "`{value}` is not a value of type {}",
                    lakesh_text::failure::sql_type_name(data_type)
                ),
            )
            .at(context.text.place.clone())
        };
        if found.is_null() {
            return Err(wrong().hint("write IS NULL or IS NOT NULL"));
        }
        let text = found
            .cast_to(data_type)
            .and_then(|value| value.cast_to(&DataType::Utf8))
            .map_err(|_| wrong())?;
        match text {
            ScalarValue::Utf8(Some(text)) if matches!(data_type, DataType::Timestamp(..)) => {
                Ok(text.replacen('T', " ", 1).trim_end_matches('Z').to_owned())
            }
            ScalarValue::Utf8(Some(text)) => Ok(text),
            _ => Err(wrong()),
        }
    }

    fn unsupported(&self, condition: &Expr) -> Failure {
        Failure::new(
            FailureKind::Plan,
            format!("OPTIMIZE cannot choose partitions by `{condition}`"),
        )
        .hint("compare partition columns with constants, by =, <>, <, <=, >, >=, IN, BETWEEN or IS NULL, joined by AND")
        .at(self.context.text.place.clone())
    }
}

fn column_of(expression: &Expr) -> Option<&Ident> {
    match expression {
        Expr::Identifier(column) => Some(column),
        Expr::CompoundIdentifier(parts) => parts.last(),
        Expr::Nested(inner) => column_of(inner),
        _ => None,
    }
}

fn comparison(operator: &BinaryOperator) -> Option<FilterOp> {
    Some(match operator {
        BinaryOperator::Eq => FilterOp::Eq,
        BinaryOperator::NotEq => FilterOp::Ne,
        BinaryOperator::Lt => FilterOp::Lt,
        BinaryOperator::LtEq => FilterOp::Le,
        BinaryOperator::Gt => FilterOp::Gt,
        BinaryOperator::GtEq => FilterOp::Ge,
        _ => return None,
    })
}

/// Turns `5 < column` into `column > 5`.
fn turned(operator: FilterOp) -> FilterOp {
    match operator {
        FilterOp::Lt => FilterOp::Gt,
        FilterOp::Le => FilterOp::Ge,
        FilterOp::Gt => FilterOp::Lt,
        FilterOp::Ge => FilterOp::Le,
        same => same,
    }
}
