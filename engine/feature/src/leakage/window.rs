//! Which rows a window function sees, by its name and its frame.

use datafusion::common::{DFSchemaRef, DataFusionError, ScalarValue};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, WindowFrameBound, WindowFrameUnits};

use super::expression::{function_name, guarded};
use super::facts::{Linear, Term};
use super::lineage::{Dependency, Level, Link, Reach, Relation, Value, merge};
use super::walk::{CauseKind, Walker, unaliased};

/// Which rows are seen of those in the window's order.
struct Sight {
    /// Whether the current row is among them.
    own: bool,
    /// How well the others are known to be before it; `None` where they may be behind it.
    level: Option<Level>,
    kind: CauseKind,
}

impl Walker<'_> {
    /// Returns what a window function depends on.
    pub(super) fn window(
        &mut self,
        expression: &Expr,
        schema: &DFSchemaRef,
        relation: &Relation,
    ) -> Result<Value, DataFusionError> {
        let Expr::WindowFunction(call) = unaliased(expression) else {
            return self.value(expression, schema, relation);
        };
        let params = &call.params;
        let arguments = self.values(&params.args, schema, relation)?;
        let name = call.fun.name();
        if name == "target_encode_oof" {
            return Ok(out_of_fold(arguments));
        }
        let order = params.order_by.first();
        let key = match order {
            Some(sort) => self.value(&sort.expr, schema, relation)?.linear,
            None => None,
        };
        self.note_order(key.as_ref());
        let mut partition = Vec::new();
        let mut decides = relation.conditions.clone();
        for expression in &params.partition_by {
            let value = self.value(expression, schema, relation)?;
            merge(&mut decides, value.dependencies.iter().cloned());
            partition.extend(value.linear);
        }
        for sort in &params.order_by {
            merge(
                &mut decides,
                self.value(&sort.expr, schema, relation)?.dependencies,
            );
        }
        let sight = sight(call);
        let cause = self.cause_of(sight.kind, expression, function_name(expression));
        let links = self.links(&sight, key.as_ref(), &partition, relation);
        let mut seen: Vec<Dependency> = Vec::new();
        for (place, argument) in arguments.into_iter().enumerate() {
            // The category of the row itself is looked up; its target is not.
            if name == "target_encode_ordered" && place == 0 {
                merge(&mut seen, argument.dependencies.iter().cloned());
            }
            merge(&mut decides, argument.dependencies);
        }
        if params
            .args
            .iter()
            .all(|argument| matches!(argument, Expr::Literal(..)))
        {
            merge(&mut decides, relation.rows.iter().cloned());
        }
        let mut value = Value::of(decides);
        if let Some(filter) = &params.filter {
            let guards = self.facts(filter, schema, relation)?;
            let more = self.deciding(filter, schema, relation)?;
            merge(&mut value.dependencies, more);
            value = guarded(value, &guards);
        }
        let others = value.dependencies.iter();
        let others = others.map(|one| self.seen(one, &relation.facts, &links, sight.own, cause));
        merge(&mut seen, others.collect::<Vec<_>>());
        Ok(Value::of(seen))
    }

    fn links(
        &self,
        sight: &Sight,
        key: Option<&Linear>,
        partition: &[Linear],
        relation: &Relation,
    ) -> Vec<Link> {
        let mut links = self.fixed_links(&relation.facts);
        for origin in partition.iter().flat_map(Linear::exact) {
            links.push(Link {
                from: Term::Column(origin),
                to: Term::Column(origin),
                level: Level::Equal,
            });
        }
        let (Some(level), Some(key)) = (sight.level, key) else {
            return links;
        };
        // Rows of the same day can be later than the row itself.
        let level = match key.rounding {
            Some(_) if level != Level::Strict => Level::Equal,
            _ => level,
        };
        for from in key.columns() {
            links.extend(key.columns().map(|to| Link {
                from: Term::Column(from),
                to: Term::Column(to),
                level,
            }));
        }
        links
    }
}

/// Out of fold, the target is that of other rows, and of their categories only counts are known.
fn out_of_fold(arguments: Vec<Value>) -> Value {
    let mut all = Vec::new();
    for (place, argument) in arguments.into_iter().enumerate() {
        let is_target = place == 1;
        let found = argument.dependencies.into_iter().map(|one| {
            match is_target && one.reach != Reach::Unknown {
                true => Dependency {
                    reach: Reach::Folds,
                    ..one
                },
                false => one,
            }
        });
        merge(&mut all, found.collect::<Vec<_>>());
    }
    Value::of(all)
}

fn sight(call: &WindowFunction) -> Sight {
    let params = &call.params;
    let frame = &params.window_frame;
    let Some(order) = params.order_by.first() else {
        return Sight {
            own: true,
            level: None,
            kind: CauseKind::Partition,
        };
    };
    let earlier_is_behind = !order.asc;
    let before = |own| Sight {
        own,
        level: Some(Level::Ordered),
        kind: CauseKind::Order,
    };
    let ahead = |own| Sight {
        own,
        level: None,
        kind: CauseKind::Ahead,
    };
    match call.fun.name() {
        "target_encode_ordered" if earlier_is_behind => ahead(false),
        "target_encode_ordered" => before(false),
        "lag" | "lead" => {
            let steps = params.args.get(1).map_or(Some(1), whole_number);
            let is_lead = (call.fun.name() == "lead") != earlier_is_behind;
            match steps {
                Some(0) => before(true),
                Some(steps) if (steps > 0) != is_lead => before(false),
                _ => ahead(false),
            }
        }
        "delta" | "pct_change" if earlier_is_behind => ahead(true),
        "delta" | "pct_change" => before(true),
        "row_number" | "rank" | "dense_rank" if earlier_is_behind => ahead(true),
        "row_number" | "rank" | "dense_rank" => before(true),
        "percent_rank" | "cume_dist" | "ntile" => ahead(true),
        _ => {
            let end = match earlier_is_behind {
                false => mirrored(&frame.end_bound, false),
                true => mirrored(&frame.start_bound, true),
            };
            framed(frame.units, end)
        }
    }
}

/// Where a frame ends on the side of later times.
enum End {
    Before,
    Current,
    Behind,
}

fn mirrored(bound: &WindowFrameBound, is_start: bool) -> End {
    match bound {
        WindowFrameBound::CurrentRow => End::Current,
        WindowFrameBound::Preceding(steps) | WindowFrameBound::Following(steps)
            if is_zero(steps) =>
        {
            End::Current
        }
        WindowFrameBound::Preceding(_) if is_start => End::Behind,
        WindowFrameBound::Preceding(_) => End::Before,
        WindowFrameBound::Following(_) if is_start => End::Before,
        WindowFrameBound::Following(_) => End::Behind,
    }
}

fn framed(units: WindowFrameUnits, end: End) -> Sight {
    let (own, level, kind) = match (end, units) {
        (End::Behind, _) => (true, None, CauseKind::Frame),
        (End::Current, WindowFrameUnits::Rows) => (true, Some(Level::Ordered), CauseKind::Order),
        (End::Current, _) => (true, Some(Level::Equal), CauseKind::Order),
        (End::Before, WindowFrameUnits::Rows) => (false, Some(Level::Ordered), CauseKind::Order),
        (End::Before, _) => (false, Some(Level::Strict), CauseKind::Order),
    };
    Sight { own, level, kind }
}

/// Says whether a frame's bound is no step; UNBOUNDED, which is NULL, is one.
fn is_zero(steps: &ScalarValue) -> bool {
    !steps.is_null()
        && !steps
            .to_string()
            .contains(|digit| ('1'..='9').contains(&digit))
}

fn whole_number(expression: &Expr) -> Option<i64> {
    match expression {
        Expr::Literal(value, _) => value.to_string().parse().ok(),
        Expr::Negative(inner) => whole_number(inner).map(|number| -number),
        _ => None,
    }
}
