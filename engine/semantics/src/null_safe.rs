//! Keeps apart what equals NULL and what does not among the conditions of joins, in the stead of
//! DataFusion's `ExtractEquijoinPredicate`.
//!
//! A join whose only condition is `IS NOT DISTINCT FROM` becomes one whose keys are NULL-safe. DataFusion
//! makes it so at once; rules that come later put other keys into that join, or take it apart and give
//! its NULL-safety to every join beside it (`EliminateCrossJoin`). Here inner joins become NULL-safe when
//! all other rules are done, and are plain ones again before the next pass.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{NullEquality, Result};
use datafusion::logical_expr::utils::{
    can_hash, conjunction, find_valid_equijoin_key_pair, split_conjunction_owned,
};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, Join, JoinType, LogicalPlan, Operator,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// Makes keys of a join's equalities; inner joins have no NULL-safe ones after it.
#[derive(Debug)]
pub(crate) struct ExtractEqualities;

impl OptimizerRule for ExtractEqualities {
    fn name(&self) -> &str {
        "extract_equalities"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Join(mut join) = plan else {
            return Ok(Transformed::no(plan));
        };
        let dissolved = dissolve(&mut join);
        // `=` and a NULL-safe key cannot stand in one list.
        let extracted = join.null_equality == NullEquality::NullEqualsNothing
            && extract(&mut join, Operator::Eq)?;
        let plan = LogicalPlan::Join(join);
        Ok(Transformed::new_transformed(plan, dissolved || extracted))
    }
}

/// Makes NULL-safe keys of `IS NOT DISTINCT FROM` in joins that have no other keys.
#[derive(Debug)]
pub(crate) struct ExtractNullSafeKeys;

impl OptimizerRule for ExtractNullSafeKeys {
    fn name(&self) -> &str {
        "extract_null_safe_keys"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Join(mut join) if join.on.is_empty() && !join.null_aware => {
                let extracted = extract(&mut join, Operator::IsNotDistinctFrom)?;
                if extracted {
                    join.null_equality = NullEquality::NullEqualsNull;
                }
                let plan = LogicalPlan::Join(join);
                Ok(Transformed::new_transformed(plan, extracted))
            }
            plan => Ok(Transformed::no(plan)),
        }
    }
}

/// Writes the NULL-safe keys of an inner join as conditions again.
fn dissolve(join: &mut Join) -> bool {
    let safe = join.null_equality == NullEquality::NullEqualsNull;
    if !safe || join.join_type != JoinType::Inner {
        return false;
    }
    let keys = std::mem::take(&mut join.on).into_iter();
    let keys = keys.map(|(left, right)| {
        Expr::BinaryExpr(BinaryExpr::new(
            Box::new(left),
            Operator::IsNotDistinctFrom,
            Box::new(right),
        ))
    });
    join.filter = conjunction(keys.chain(join.filter.take()));
    join.null_equality = NullEquality::NullEqualsNothing;
    true
}

/// Moves conditions with an operator, whose sides belong to the join's sides, to its keys.
pub(crate) fn extract(join: &mut Join, wanted: Operator) -> Result<bool> {
    let Some(filter) = join.filter.take() else {
        return Ok(false);
    };
    let mut others = Vec::new();
    let mut keys = Vec::new();
    for condition in split_conjunction_owned(filter) {
        match key(&condition, wanted, join)? {
            Some(pair) => keys.push(pair),
            None => others.push(condition),
        }
    }
    join.filter = conjunction(others);
    let found = !keys.is_empty();
    join.on.extend(keys);
    Ok(found)
}

fn key(condition: &Expr, wanted: Operator, join: &Join) -> Result<Option<(Expr, Expr)>> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else {
        return Ok(None);
    };
    if *op != wanted || condition.is_volatile() {
        return Ok(None);
    }
    let (left_schema, right_schema) = (join.left.schema(), join.right.schema());
    let Some((left, right)) = find_valid_equijoin_key_pair(left, right, left_schema, right_schema)?
    else {
        return Ok(None);
    };
    let hashable =
        can_hash(&left.get_type(left_schema)?) && can_hash(&right.get_type(right_schema)?);
    Ok(hashable.then_some((left, right)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::logical_expr::{LogicalPlanBuilder, col, table_scan};
    use datafusion::optimizer::eliminate_cross_join::EliminateCrossJoin;
    use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
    use datafusion::optimizer::{Optimizer, OptimizerContext};

    fn table(name: &str) -> LogicalPlan {
        let fields = vec![
            Field::new("k", DataType::Int64, true),
            Field::new("s", DataType::Utf8, true),
        ];
        let builder = table_scan(Some(name), &Schema::new(fields), None).unwrap();
        builder.build().unwrap()
    }

    /// `a JOIN b ON a.s IS NOT DISTINCT FROM b.s JOIN c ON a.k = c.k`
    fn plan() -> LogicalPlan {
        let safe = Expr::BinaryExpr(BinaryExpr::new(
            Box::new(col("a.s")),
            Operator::IsNotDistinctFrom,
            Box::new(col("b.s")),
        ));
        let plain = col("a.k").eq(col("c.k"));
        let joined = LogicalPlanBuilder::from(table("a"))
            .join_on(table("b"), JoinType::Inner, [safe])
            .unwrap();
        let joined = joined.join_on(table("c"), JoinType::Inner, [plain]);
        joined.unwrap().build().unwrap()
    }

    fn optimized(rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>) -> Vec<(String, NullEquality)> {
        let context = OptimizerContext::new();
        let plan = Optimizer::with_rules(rules).optimize(plan(), &context, |_, _| {});
        let mut joins = Vec::new();
        collect(&plan.unwrap(), &mut joins);
        joins
    }

    fn collect(plan: &LogicalPlan, joins: &mut Vec<(String, NullEquality)>) {
        if let LogicalPlan::Join(join) = plan {
            let keys = join
                .on
                .iter()
                .map(|(left, right)| format!("{left}={right}"));
            joins.push((keys.collect::<Vec<_>>().join(" "), join.null_equality));
        }
        for input in plan.inputs() {
            collect(input, joins);
        }
    }

    #[test]
    fn a_null_safe_join_leaves_its_neighbours_alone() {
        let joins = optimized(vec![
            Arc::new(ExtractEqualities),
            Arc::new(EliminateCrossJoin::new()),
            Arc::new(crate::pushed_filters::PushSafeFilters::default()),
            Arc::new(ExtractNullSafeKeys),
        ]);
        let expected = [
            ("a.s=b.s".to_owned(), NullEquality::NullEqualsNull),
            ("a.k=c.k".to_owned(), NullEquality::NullEqualsNothing),
        ];
        assert_eq!(joins, expected);
    }

    /// When this fails DataFusion has mended it, and these rules may go.
    #[test]
    fn datafusion_spreads_null_safety() {
        let joins = optimized(vec![
            Arc::new(ExtractEquijoinPredicate::new()),
            Arc::new(EliminateCrossJoin::new()),
        ]);
        let wrong = ("a.k=c.k".to_owned(), NullEquality::NullEqualsNull);
        let lost = ("a.s=b.s".to_owned(), NullEquality::NullEqualsNothing);
        assert!(joins.contains(&wrong) || joins.contains(&lost), "{joins:?}");
    }
}
