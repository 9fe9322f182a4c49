//! The same rows, sorted more than once.

use std::ops::ControlFlow;

use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::sql::sqlparser::ast::{Expr, Function, VisitMut, VisitorMut, WindowType};
use lakesh_udfs::KeySortExec;

use crate::evidence::Node;
use crate::rewrite;
use crate::rewrite::Change;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "several-sorts",
    summary: "Window functions over the same groups have the columns of PARTITION BY in another order, and the rows are sorted for each.",
    advice: "The order of the columns in PARTITION BY makes no difference to the result. Write them alike, so \
             that one sort serves all.",
    measured: false,
    setup: super::lakes::EVENTS,
    fires: "SELECT id, sum(amount) OVER (PARTITION BY kind, code ORDER BY id) AS a, \
            count(*) OVER (PARTITION BY code, kind ORDER BY id) AS b FROM events",
    silent: "SELECT id, sum(amount) OVER (PARTITION BY kind, code ORDER BY id) AS a, \
             count(*) OVER (PARTITION BY kind, code ORDER BY id) AS b FROM events",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let is_sort = |node: &&Node| {
        node.plan.downcast_ref::<SortExec>().is_some()
            || node.plan.downcast_ref::<KeySortExec>().is_some()
    };
    let sorts = evidence.nodes.iter().filter(is_sort).count();
    if sorts < 2 {
        return Vec::new();
    }
    let rewritten = rewrite::selects(evidence, |select, scope| {
        let mut windows = Windows::default();
        let _: ControlFlow<()> = VisitMut::visit(&mut select.projection, &mut windows);
        let table = scope.relations.first().and_then(|relation| relation.table);
        let changes = windows.changed.into_iter();
        changes
            .map(|(before, after)| Change {
                before,
                after,
                table,
            })
            .collect()
    });
    let Some(rewritten) = rewritten else {
        return Vec::new();
    };
    let severity = evidence.severity();
    let text = format!(
        "`PARTITION BY {}` has the columns of another window in another order",
        rewritten.before()
    );
    vec![
        Finding::new(severity, rewritten.node(), text)
            .evidence(format!("{sorts} sorts"))
            .gain(1.3)
            .rewrite(rewritten.tree),
    ]
}

/// The lists of PARTITION BY, each the first time that its columns come.
#[derive(Default)]
struct Windows {
    seen: Vec<Vec<Expr>>,
    changed: Vec<(String, String)>,
}

impl VisitorMut for Windows {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let Expr::Function(Function {
            over: Some(WindowType::WindowSpec(window)),
            ..
        }) = expression
        else {
            return ControlFlow::Continue(());
        };
        let list = &mut window.partition_by;
        let same = |other: &&Vec<Expr>| {
            other.len() == list.len() && list.iter().all(|column| other.contains(column))
        };
        match self.seen.iter().find(same) {
            Some(known) if known != list => {
                let shown = |list: &[Expr]| {
                    let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
                    texts.join(", ")
                };
                self.changed.push((shown(list), shown(known)));
                list.clone_from(known);
            }
            Some(_) => {}
            None => self.seen.push(list.clone()),
        }
        ControlFlow::Continue(())
    }
}
