//! Whether the rows of a query can be compared at all, and in what order they have to come.

use std::ops::ControlFlow;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{
    Expr, LimitClause, OrderByKind, Query as SqlQuery, Select, SelectItem, SetExpr, Visit, Visitor,
};
use lakesh_session::StatementContext;
use lakesh_session::scope::Sources;
use lakesh_sql::normalized;

use super::run::keep;
use crate::ast::{bare, integer, number};
use crate::check::plan_of;
use crate::evidence::Evidence;

/// How results of a query are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Checkable {
    /// The columns of the result that its rows are ordered by, the first first.
    pub(super) order: Vec<usize>,
}

/// Says how to compare results of a query, or why they cannot be compared.
pub(super) async fn checkable(
    context: &StatementContext,
    open: &Sources,
    evidence: &Evidence,
) -> Result<Checkable, String> {
    if is_volatile(&evidence.planned) {
        return Err("a function gives other values each time".to_owned());
    }
    if has_inner_limit(&evidence.tree) {
        return Err("a subquery has a LIMIT: which rows it takes is not fixed".to_owned());
    }
    let order = order_columns(&evidence.tree, &evidence.planned);
    let how = Checkable {
        order: order.columns,
    };
    let Some(limit) = &evidence.tree.limit_clause else {
        return match evidence.tree.fetch {
            None => Ok(how),
            Some(_) => Err("FETCH: which rows it takes is not fixed".to_owned()),
        };
    };
    if evidence.tree.order_by.is_none() {
        return Err("LIMIT without ORDER BY: which rows it takes is not fixed".to_owned());
    }
    if !order.complete {
        return Err("LIMIT with an ORDER BY over what the result does not show".to_owned());
    }
    match cut_is_fixed(context, open, evidence, limit, &how.order).await {
        Ok(true) => Ok(how),
        Ok(false) => Err("rows tie in ORDER BY where LIMIT cuts".to_owned()),
        Err(error) => Err(super::short(&error)),
    }
}

fn is_volatile(plan: &LogicalPlan) -> bool {
    let mut volatile = false;
    let seen = plan.apply_with_subqueries(|node| {
        volatile |= node
            .expressions()
            .iter()
            .any(datafusion::logical_expr::Expr::is_volatile);
        Ok(match volatile {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    });
    volatile || seen.is_err()
}

fn has_inner_limit(tree: &SqlQuery) -> bool {
    struct Limits {
        depth: usize,
        found: bool,
    }
    impl Visitor for Limits {
        type Break = ();

        fn pre_visit_query(&mut self, query: &SqlQuery) -> ControlFlow<()> {
            self.found |= self.depth > 0 && (query.limit_clause.is_some() || query.fetch.is_some());
            self.depth += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &SqlQuery) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
    }
    let mut limits = Limits {
        depth: 0,
        found: false,
    };
    let _: ControlFlow<()> = tree.visit(&mut limits);
    limits.found
}

/// The columns of the result that ORDER BY names.
struct OrderColumns {
    columns: Vec<usize>,
    /// Whether each of its expressions is one of them.
    complete: bool,
}

fn order_columns(tree: &SqlQuery, plan: &LogicalPlan) -> OrderColumns {
    let mut found = OrderColumns {
        columns: Vec::new(),
        complete: true,
    };
    let Some(order) = &tree.order_by else {
        return found;
    };
    let OrderByKind::Expressions(expressions) = &order.kind else {
        found.complete = false;
        return found;
    };
    let select = match tree.body.as_ref() {
        SetExpr::Select(select) => Some(select.as_ref()),
        _ => None,
    };
    for order in expressions {
        match column_of(&order.expr, select, plan) {
            Some(column) => found.columns.push(column),
            None => {
                found.complete = false;
                return found;
            }
        }
    }
    found
}

fn column_of(expression: &Expr, select: Option<&Select>, plan: &LogicalPlan) -> Option<usize> {
    let fields = plan.schema().fields();
    if let Some(place) = integer(expression) {
        let place = usize::try_from(place).ok()?.checked_sub(1)?;
        return (place < fields.len()).then_some(place);
    }
    let items = select.map_or(&[][..], |select| &select.projection);
    let wildcard = items.iter().any(|item| {
        matches!(
            item,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
        )
    });
    if !wildcard {
        let same = |item: &SelectItem| match item {
            SelectItem::UnnamedExpr(shown) => bare(shown) == bare(expression),
            SelectItem::ExprWithAlias { expr, alias } => {
                let named = matches!(bare(expression), Expr::Identifier(name)
                    if normalized(name) == normalized(alias));
                named || bare(expr) == bare(expression)
            }
            _ => false,
        };
        if let Some(place) = items.iter().position(same) {
            return Some(place);
        }
    }
    let name = match bare(expression) {
        Expr::Identifier(name) => normalized(name),
        Expr::CompoundIdentifier(parts) if wildcard => normalized(parts.last()?),
        _ => return None,
    };
    let mut places = (0..fields.len()).filter(|place| *fields[*place].name() == name);
    let first = places.next()?;
    places.next().is_none().then_some(first)
}

/// Says whether rows on both sides of each cut differ in what they are ordered by.
async fn cut_is_fixed(
    context: &StatementContext,
    open: &Sources,
    evidence: &Evidence,
    limit: &LimitClause,
    order: &[usize],
) -> Result<bool, DataFusionError> {
    let (limit, offset) = match limit {
        LimitClause::LimitOffset {
            limit,
            offset,
            limit_by,
        } if limit_by.is_empty() => (limit.as_ref(), offset.as_ref().map(|offset| &offset.value)),
        LimitClause::OffsetCommaLimit { offset, limit } => (Some(limit), Some(offset)),
        LimitClause::LimitOffset { .. } => return Ok(false),
    };
    let count = |expression: Option<&Expr>| match expression {
        None => Some(0),
        Some(expression) => usize::try_from(integer(expression)?).ok(),
    };
    let (Some(offset), Some(limit)) = (count(offset), count(limit)) else {
        return Ok(false);
    };
    let mut tree = evidence.tree.clone();
    tree.limit_clause = Some(LimitClause::LimitOffset {
        limit: Some(number(
            i64::try_from(offset + limit + 1).unwrap_or(i64::MAX),
        )),
        offset: None,
        limit_by: Vec::new(),
    });
    let Some(plan) = plan_of(context, open, &tree).await else {
        return Ok(false);
    };
    let kept = keep(&context.state, &plan).await?;
    let Some(first) = kept.batches.first() else {
        return Ok(true);
    };
    let rows = concat_batches(&first.schema(), &kept.batches)?;
    let cuts = [offset, offset + limit];
    for cut in cuts {
        if cut > 0 && cut < rows.num_rows() && ties(&rows, order, cut)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Says whether a row and the one before it are alike in some columns.
fn ties(rows: &RecordBatch, order: &[usize], row: usize) -> Result<bool, DataFusionError> {
    let columns: Vec<_> = order
        .iter()
        .map(|column| rows.column(*column).slice(row - 1, 2))
        .collect();
    let fields = columns
        .iter()
        .map(|column| SortField::new(column.data_type().clone()))
        .collect();
    let converted = RowConverter::new(fields)?.convert_columns(&columns)?;
    Ok(converted.row(0) == converted.row(1))
}
