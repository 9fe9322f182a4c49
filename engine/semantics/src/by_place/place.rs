//! Knows at which place of a node's input each of its columns comes from.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinSide, JoinType, Result};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::joins::utils::build_join_schema;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;

use super::{Expression, Node};

/// How a filter over a node becomes one over its input.
pub(super) enum Passage {
    /// Column by column; `None` is one that the input does not have.
    ByPlace(Vec<Option<Expression>>),
    /// As the node has translated it: one that we do not know, whose columns all have names of their own.
    AsDescribed,
}

/// Returns how filters pass from a node to one of its inputs.
pub(super) fn passage(node: &Node, side: usize) -> Passage {
    let input = Arc::clone(node.children()[side]);
    if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        let columns = projection.expr().iter();
        return Passage::ByPlace(
            columns
                .map(|column| Some(Arc::clone(&column.expr)))
                .collect(),
        );
    }
    if let Some(filter) = node.downcast_ref::<FilterExec>() {
        let places = match filter.projection() {
            Some(places) => places.to_vec(),
            None => (0..input.schema().fields().len()).collect(),
        };
        let columns = places.into_iter().map(|place| column(&input, place));
        return Passage::ByPlace(columns.collect());
    }
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        return Passage::ByPlace(group_keys(aggregate));
    }
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        return Passage::ByPlace(columns_of_side(join, side));
    }
    // The inputs of a UNION may name their columns as they like.
    match node.is::<UnionExec>() || hands_on(node, &input) {
        true => {
            let places = 0..input.schema().fields().len();
            Passage::ByPlace(places.map(|place| column(&input, place)).collect())
        }
        false => Passage::AsDescribed,
    }
}

/// Says whether a node's own dealing with a filter, which goes by names, finds the right columns.
///
/// Below a filter with a projection it is looked up in the filter's input; nodes that we do not know,
/// scans among them, look it up in their own columns.
pub(super) fn is_certain(node: &Node, filter: &Expression) -> bool {
    let schema = node.schema();
    let places = places(filter);
    if let Some(own) = node.downcast_ref::<FilterExec>() {
        let Some(projection) = own.projection() else {
            return true;
        };
        let input = own.input().schema();
        return places.iter().all(|place| {
            let (source, name) = (projection[*place], schema.field(*place).name());
            input.index_of(name).is_ok_and(|found| found == source)
        });
    }
    let known = node.is::<ProjectionExec>()
        || node.is::<AggregateExec>()
        || node.is::<HashJoinExec>()
        || node.is::<UnionExec>();
    let mut inputs = node.children().into_iter();
    if known || (inputs.len() > 0 && inputs.all(|input| hands_on(node, input))) {
        return true;
    }
    places.iter().all(|place| {
        let name = schema.field(*place).name();
        let same = schema.fields().iter().filter(|field| field.name() == name);
        same.count() == 1
    })
}

/// Translates a filter's columns; `None` where one of them has no translation.
pub(super) fn translated(
    filter: &Expression,
    columns: &[Option<Expression>],
) -> Result<Option<Expression>> {
    let mut whole = true;
    let translated = Arc::clone(filter).transform_up(|part| {
        let Some(column) = part.downcast_ref::<Column>() else {
            return Ok(Transformed::no(part));
        };
        match columns.get(column.index()) {
            Some(Some(source)) => Ok(Transformed::yes(Arc::clone(source))),
            _ => {
                whole = false;
                Ok(Transformed::no(part))
            }
        }
    });
    let translated = translated.data()?;
    Ok(whole.then_some(translated))
}

/// Says whether a node gives the columns of its input as they are, each at its place.
fn hands_on(node: &Node, input: &Node) -> bool {
    let (own, below) = (node.schema(), input.schema());
    let names = own.fields().iter().map(|field| field.name());
    names.eq(below.fields().iter().map(|field| field.name()))
}

fn places(filter: &Expression) -> Vec<usize> {
    let mut places = Vec::new();
    let walked = filter.apply(|part| {
        if let Some(column) = part.downcast_ref::<Column>() {
            places.push(column.index());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(walked.is_ok(), "the walk itself never fails");
    places
}

fn column(input: &Node, place: usize) -> Option<Expression> {
    let schema = input.schema();
    let field = schema.fields().get(place)?;
    Some(Arc::new(Column::new(field.name(), place)))
}

/// The keys of a grouping, of which each row of a group has the same; not one that a grouping set lacks.
fn group_keys(aggregate: &AggregateExec) -> Vec<Option<Expression>> {
    let groups = aggregate.group_expr();
    let keys = groups.expr().iter().enumerate();
    keys.map(|(place, (key, _))| {
        let lacking = groups
            .groups()
            .iter()
            .any(|set| set.get(place) == Some(&true));
        (!lacking).then(|| Arc::clone(key))
    })
    .collect()
}

/// What a join's columns are on one of its sides.
///
/// A row of a semi join has an equal key on the other side, so that a filter over keys holds there too.
fn columns_of_side(join: &HashJoinExec, side: usize) -> Vec<Option<Expression>> {
    let (left, right) = (join.left(), join.right());
    let (_, sources) = build_join_schema(&left.schema(), &right.schema(), join.join_type());
    let places: Vec<_> = match &join.projection {
        Some(places) => places.to_vec(),
        None => (0..sources.len()).collect(),
    };
    let (input, wanted) = match side {
        0 => (left, JoinSide::Left),
        _ => (right, JoinSide::Right),
    };
    let columns = places.into_iter().map(|place| {
        let source = sources.get(place)?;
        if source.side == wanted {
            return column(input, source.index);
        }
        match (join.join_type(), source.side) {
            (JoinType::LeftSemi, JoinSide::Left) => {
                equal_key(join, |(left, right)| (left, right), source.index)
            }
            (JoinType::RightSemi, JoinSide::Right) => {
                equal_key(join, |(left, right)| (right, left), source.index)
            }
            _ => None,
        }
    });
    columns.collect()
}

/// Returns the other side's key that equals the column at a place of the first.
fn equal_key<'a>(
    join: &'a HashJoinExec,
    ordered: impl Fn(&'a (Expression, Expression)) -> (&'a Expression, &'a Expression),
    place: usize,
) -> Option<Expression> {
    let mut pairs = join.on().iter().map(ordered);
    pairs.find_map(|(own, other)| {
        let own = own.downcast_ref::<Column>()?;
        (own.index() == place).then(|| Arc::clone(other))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::common::config::ConfigOptions;
    use datafusion::physical_expr::expressions::is_null;
    use datafusion::physical_plan::empty::EmptyExec;
    use datafusion::physical_plan::filter_pushdown::FilterPushdownPhase;
    use datafusion::physical_plan::projection::ProjectionExpr;

    /// `SELECT a AS n, b AS n`
    fn two_of_one_name() -> Node {
        let fields = vec![
            Field::new("a", DataType::Int64, true),
            Field::new("b", DataType::Int64, true),
        ];
        let input: Node = Arc::new(EmptyExec::new(Arc::new(Schema::new(fields))));
        let columns = [("a", 0), ("b", 1)].map(|(name, place)| ProjectionExpr {
            expr: Arc::new(Column::new(name, place)),
            alias: "n".to_owned(),
        });
        Arc::new(ProjectionExec::try_new(columns, input).unwrap())
    }

    fn first_is_null() -> Expression {
        is_null(Arc::new(Column::new("n", 0))).unwrap()
    }

    #[test]
    fn columns_of_one_name_keep_their_places() {
        let Passage::ByPlace(columns) = passage(&two_of_one_name(), 0) else {
            panic!("a projection is known");
        };
        let filter = translated(&first_is_null(), &columns).unwrap().unwrap();
        assert_eq!(filter.to_string(), "a@0 IS NULL");
    }

    /// When this fails DataFusion has mended it, and `PushFiltersByPlace` may be its own rule again.
    #[test]
    fn datafusion_takes_columns_by_name() {
        let node = two_of_one_name();
        let config = ConfigOptions::default();
        let described = node
            .gather_filters_for_pushdown(FilterPushdownPhase::Pre, vec![first_is_null()], &config)
            .unwrap();
        let filter = &described.parent_filters()[0][0].predicate;
        assert_eq!(filter.to_string(), "b@1 IS NULL");
    }
}
