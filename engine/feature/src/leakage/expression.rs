//! What an expression depends on, and what a condition says about order.

mod aggregate;

use std::cmp::Ordering;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchemaRef, DataFusionError, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Between, BinaryExpr, Case, Expr, Operator};

use super::facts::{DAY, Fact, Linear, Origin, Term, comparison};
use super::lineage::{Dependency, Level, Link, Relation, Value, merge};
use super::walk::{CauseKind, Walker, keeps, unaliased};

type Found<T> = Result<T, DataFusionError>;

impl Walker<'_> {
    pub(super) fn values(
        &mut self,
        expressions: &[Expr],
        schema: &DFSchemaRef,
        relation: &Relation,
    ) -> Found<Vec<Value>> {
        expressions
            .iter()
            .map(|expression| self.value(expression, schema, relation))
            .collect()
    }

    /// Returns what an expression over a relation's columns depends on.
    pub(super) fn value(
        &mut self,
        expression: &Expr,
        schema: &DFSchemaRef,
        relation: &Relation,
    ) -> Found<Value> {
        match expression {
            Expr::Alias(alias) => self.value(&alias.expr, schema, relation),
            Expr::Column(column) => {
                let place = schema.maybe_index_of_column(column);
                let value = place.and_then(|place| relation.columns.get(place));
                Ok(match value {
                    Some(value) => value.clone(),
                    None => self.unknown_value(&column.name),
                })
            }
            Expr::OuterReferenceColumn(_, column) => Ok(self.outer_column(column)),
            Expr::Literal(value, _) => Ok(Value {
                linear: Some(Linear::of(Term::Constant(value.clone()))),
                dependencies: Vec::new(),
            }),
            Expr::Cast(cast) => {
                let value = self.value(&cast.expr, schema, relation)?;
                Ok(self.cast(value, cast.field.data_type()))
            }
            Expr::TryCast(cast) => {
                let value = self.value(&cast.expr, schema, relation)?;
                Ok(self.cast(value, cast.field.data_type()))
            }
            Expr::BinaryExpr(binary) => self.binary(binary, schema, relation),
            Expr::ScalarFunction(call) => self.call(call, expression, schema, relation),
            Expr::Case(case) => self.case(case, schema, relation),
            Expr::ScalarSubquery(query) => {
                let inner = self.subquery(&query.subquery, schema, relation)?;
                let first = inner.columns.into_iter().next().unwrap_or_default();
                Ok(Value::of(first.dependencies))
            }
            Expr::Exists(exists) => {
                let inner = self.subquery(&exists.subquery.subquery, schema, relation)?;
                Ok(Value::of(inner.rows))
            }
            Expr::InSubquery(query) => {
                let mut value = self.value(&query.expr, schema, relation)?;
                let inner = self.subquery(&query.subquery.subquery, schema, relation)?;
                for column in inner.columns {
                    merge(&mut value.dependencies, column.dependencies);
                }
                Ok(Value::of(value.dependencies))
            }
            Expr::WindowFunction(_) => self.window(expression, schema, relation),
            other => self.parts(other, schema, relation),
        }
    }

    /// Returns what all parts of an expression depend on.
    pub(super) fn parts(
        &mut self,
        expression: &Expr,
        schema: &DFSchemaRef,
        relation: &Relation,
    ) -> Found<Value> {
        let mut all = Vec::new();
        expression.apply_children(|part| {
            let value = self.value(part, schema, relation)?;
            merge(&mut all, value.dependencies);
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(Value::of(all))
    }

    fn cast(&self, value: Value, to: &DataType) -> Value {
        let linear = value.linear.and_then(|mut linear| {
            if let Some(constant) = linear.constant() {
                let constant = constant.cast_to(to).ok()?;
                return Some(Linear::of(Term::Constant(constant)));
            }
            let from = linear.columns().next().map(|origin| self.type_of(origin))?;
            if *to == DataType::Date32 && from != DataType::Date32 && linear.rounding.is_none() {
                linear.rounding = Some(DAY.to_owned());
            }
            // As text, times are in another order.
            (to.is_temporal() || (to.is_numeric() && from.is_numeric())).then_some(linear)
        });
        Value { linear, ..value }
    }

    pub(super) fn type_of(&self, origin: Origin) -> DataType {
        let columns = self.scans.get(origin.scan).map(|scan| &scan.columns);
        let column = columns.and_then(|columns| columns.get(origin.column));
        column.map_or(DataType::Null, |(_, data_type)| data_type.clone())
    }

    fn binary(
        &mut self,
        binary: &BinaryExpr,
        schema: &DFSchemaRef,
        relation: &Relation,
    ) -> Found<Value> {
        let left = self.value(&binary.left, schema, relation)?;
        let right = self.value(&binary.right, schema, relation)?;
        let sign = |value: &Value| value.linear.as_ref()?.constant().and_then(sign);
        let shifted = match binary.op {
            Operator::Plus => match (sign(&left), sign(&right)) {
                (None, Some(sign)) => left.linear.clone().and_then(|linear| linear.moved(sign)),
                (Some(sign), None) => right.linear.clone().and_then(|linear| linear.moved(sign)),
                _ => None,
            },
            Operator::Minus => match (sign(&left), sign(&right)) {
                (None, Some(sign)) => {
                    let linear = left.linear.clone();
                    linear.and_then(|linear| linear.moved(sign.reverse()))
                }
                _ => None,
            },
            _ => None,
        };
        let mut value = self.parts_of(left, right);
        value.linear = shifted;
        Ok(value)
    }

    fn parts_of(&self, left: Value, right: Value) -> Value {
        let mut all = left.dependencies;
        merge(&mut all, right.dependencies);
        Value::of(all)
    }

    fn call(
        &mut self,
        call: &ScalarFunction,
        expression: &Expr,
        schema: &DFSchemaRef,
        relation: &Relation,
    ) -> Found<Value> {
        let mut value = self.parts(expression, schema, relation)?;
        if let Some((output, provenance)) = lakesh_encoder::applied(&call.func) {
            self.note_encoder(&mut value, output, provenance, expression);
            return Ok(value);
        }
        let name = call.func.name();
        let arguments = &call.args;
        value.linear = match (name, arguments.as_slice()) {
            ("date_trunc", [unit, time]) => {
                let unit = format!("date_trunc {unit}").to_lowercase();
                let linear = self.value(time, schema, relation)?.linear;
                linear
                    .filter(|linear| linear.rounding.is_none() && linear.shift == Ordering::Equal)
                    .map(|linear| Linear {
                        rounding: Some(unit),
                        ..linear
                    })
            }
            (name, [time]) if name.starts_with("to_timestamp") => {
                self.value(time, schema, relation)?.linear
            }
            _ => None,
        };
        Ok(value)
    }

    /// The branches of CASE see only rows for which their conditions hold.
    fn case(&mut self, case: &Case, schema: &DFSchemaRef, relation: &Relation) -> Found<Value> {
        let mut all = Vec::new();
        if let Some(operand) = &case.expr {
            merge(
                &mut all,
                self.value(operand, schema, relation)?.dependencies,
            );
        }
        for (when, then) in &case.when_then_expr {
            let guards = match case.expr {
                None => self.facts(when, schema, relation)?,
                Some(_) => Vec::new(),
            };
            for part in [when, then] {
                let value = self.value(part, schema, relation)?;
                merge(&mut all, guarded(value, &guards).dependencies);
            }
        }
        if let Some(otherwise) = &case.else_expr {
            merge(
                &mut all,
                self.value(otherwise, schema, relation)?.dependencies,
            );
        }
        Ok(Value::of(all))
    }

    /// Lists what a condition says about order.
    pub(super) fn facts(
        &mut self,
        condition: &Expr,
        schema: &DFSchemaRef,
        relation: &Relation,
    ) -> Found<Vec<Fact>> {
        match condition {
            Expr::Alias(alias) => self.facts(&alias.expr, schema, relation),
            Expr::IsTrue(inner) => self.facts(inner, schema, relation),
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::And,
                right,
            }) => {
                let mut facts = self.facts(left, schema, relation)?;
                facts.extend(self.facts(right, schema, relation)?);
                Ok(facts)
            }
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::Or,
                right,
            }) => {
                let (one, other) = (
                    self.facts(left, schema, relation)?,
                    self.facts(right, schema, relation)?,
                );
                // Of a row without the column nothing is seen.
                Ok(match (&**left, &**right) {
                    (Expr::IsNull(_), _) => other,
                    (_, Expr::IsNull(_)) => one,
                    _ => in_both(one, &other),
                })
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                self.compared(condition, (&**left, *op, &**right), schema, relation)
            }
            Expr::Not(inner) => match &**inner {
                Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op.negate() {
                    Some(op) => self.compared(condition, (&**left, op, &**right), schema, relation),
                    None => Ok(Vec::new()),
                },
                _ => Ok(Vec::new()),
            },
            Expr::Between(Between {
                expr,
                negated: false,
                low,
                high,
            }) => {
                let lower = (&**expr, Operator::GtEq, &**low);
                let upper = (&**expr, Operator::LtEq, &**high);
                let mut facts = self.compared(condition, lower, schema, relation)?;
                facts.extend(self.compared(condition, upper, schema, relation)?);
                Ok(facts)
            }
            _ => Ok(Vec::new()),
        }
    }

    fn compared(
        &mut self,
        condition: &Expr,
        (left, operator, right): (&Expr, Operator, &Expr),
        schema: &DFSchemaRef,
        relation: &Relation,
    ) -> Found<Vec<Fact>> {
        let left = self.value(left, schema, relation)?.linear;
        let right = self.value(right, schema, relation)?.linear;
        let (Some(left), Some(right)) = (left, right) else {
            return Ok(Vec::new());
        };
        let is_order = matches!(
            operator,
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq
        );
        let of_columns = left.constant().is_none() && right.constant().is_none();
        if is_order && of_columns {
            self.note_order(Some(&left));
            self.note_order(Some(&right));
        }
        let (left, right) = (self.like(left, &right), self.like(right.clone(), &right));
        let right = self.like(right, &left);
        let cause = self.cause_of(CauseKind::Condition, condition, None);
        Ok(comparison(&left, operator, &right, cause))
    }

    /// Gives a constant the type of what it is compared with.
    fn like(&self, constant: Linear, other: &Linear) -> Linear {
        let Some(value) = constant.constant() else {
            return constant;
        };
        let to = match (&other.rounding, other.columns().next()) {
            (Some(rounding), _) if rounding == DAY => DataType::Date32,
            (_, Some(origin)) => self.type_of(origin),
            (_, None) => return constant,
        };
        match value.cast_to(&to) {
            Ok(value) => Linear::of(Term::Constant(value)),
            Err(_) => constant,
        }
    }

    /// Returns what decides a condition. That a column is there decides nothing that a model could learn.
    pub(super) fn deciding(
        &mut self,
        condition: &Expr,
        schema: &DFSchemaRef,
        relation: &Relation,
    ) -> Found<Vec<Dependency>> {
        match condition {
            Expr::IsNotNull(_) => Ok(Vec::new()),
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::And,
                right,
            }) => {
                let mut all = self.deciding(left, schema, relation)?;
                merge(&mut all, self.deciding(right, schema, relation)?);
                Ok(all)
            }
            other => {
                let mut all = self.value(other, schema, relation)?.dependencies;
                for dependency in &mut all {
                    dependency.decides = true;
                }
                Ok(all)
            }
        }
    }

    /// Returns what a row sees over links of what others depend on; a query around sees its own row.
    pub(super) fn seen(
        &self,
        dependency: &Dependency,
        facts: &[Fact],
        links: &[Link],
        own: bool,
        cause: usize,
    ) -> Dependency {
        match self.is_outer(dependency.scan) {
            true => dependency.clone(),
            false => dependency.across(facts, links, own, cause),
        }
    }

    /// What stays the same whatever row is looked at: constants, and columns of a query around.
    pub(super) fn fixed_links(&self, facts: &[Fact]) -> Vec<Link> {
        let mut links: Vec<Link> = Vec::new();
        for term in facts.iter().flat_map(|fact| [&fact.before, &fact.after]) {
            let is_fixed = match term {
                Term::Constant(_) => true,
                Term::Column(origin) => self.is_outer(origin.scan),
            };
            if is_fixed && !links.iter().any(|link| link.from == *term) {
                links.push(Link {
                    from: term.clone(),
                    to: term.clone(),
                    level: Level::Equal,
                });
            }
        }
        links
    }
}

/// Returns the name of the function that an expression calls.
pub(super) fn function_name(expression: &Expr) -> Option<&str> {
    match unaliased(expression) {
        Expr::AggregateFunction(call) => Some(call.func.name()),
        Expr::WindowFunction(call) => Some(call.fun.name()),
        Expr::ScalarFunction(call) => Some(call.func.name()),
        _ => None,
    }
}

/// Adds what holds of the rows that a value is made of.
pub(super) fn guarded(mut value: Value, guards: &[Fact]) -> Value {
    for dependency in &mut value.dependencies {
        dependency.guards.extend(guards.iter().cloned());
    }
    value
}

/// Returns what both of two lists say.
fn in_both(one: Vec<Fact>, other: &[Fact]) -> Vec<Fact> {
    let mut both = Vec::new();
    for fact in one {
        let same = other
            .iter()
            .find(|known| known.before == fact.before && known.after == fact.after);
        if let Some(same) = same {
            both.push(Fact {
                strict: fact.strict && same.strict,
                ..fact
            });
        }
    }
    both
}

/// Says whether a number or an interval is less than zero, zero or greater; `None` for what is neither.
fn sign(value: &ScalarValue) -> Option<Ordering> {
    let parts: Vec<i64> = match value {
        ScalarValue::IntervalMonthDayNano(Some(interval)) => vec![
            i64::from(interval.months),
            i64::from(interval.days),
            interval.nanoseconds,
        ],
        ScalarValue::IntervalDayTime(Some(interval)) => {
            vec![i64::from(interval.days), i64::from(interval.milliseconds)]
        }
        ScalarValue::IntervalYearMonth(Some(months)) => vec![i64::from(*months)],
        ScalarValue::DurationSecond(Some(duration))
        | ScalarValue::DurationMillisecond(Some(duration))
        | ScalarValue::DurationMicrosecond(Some(duration))
        | ScalarValue::DurationNanosecond(Some(duration)) => vec![*duration],
        number if number.data_type().is_numeric() => {
            let zero = ScalarValue::new_zero(&number.data_type()).ok()?;
            return number.partial_cmp(&zero);
        }
        _ => return None,
    };
    let (least, greatest) = (parts.iter().min()?, parts.iter().max()?);
    match (least.cmp(&0), greatest.cmp(&0)) {
        (Ordering::Equal, Ordering::Equal) => Some(Ordering::Equal),
        (Ordering::Equal | Ordering::Greater, _) => Some(Ordering::Greater),
        (_, Ordering::Equal | Ordering::Less) => Some(Ordering::Less),
        _ => None,
    }
}
