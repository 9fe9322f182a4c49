//! Joins: what their conditions say of times, and which tables meet in them.

use std::sync::Arc;

use datafusion::common::{DataFusionError, JoinType};
use datafusion::logical_expr::{BinaryExpr, Expr, Join, Operator};
use lakesh_plan::asof::AsOfJoin;

use super::{Cause, CauseKind, Meeting, Outer, Relation, Value, Walker, merge, spans_of};
use crate::leakage::facts::comparison;

impl Walker<'_> {
    pub(super) fn join(&mut self, join: &Join) -> Result<Relation, DataFusionError> {
        let left = self.plan(&join.left)?;
        let first_scan = self.scans.len();
        self.outer.push(Outer {
            schema: Arc::clone(join.left.schema()),
            relation: left.clone(),
            first_scan,
        });
        let right = self.plan(&join.right);
        self.outer.pop();
        let right = right?;
        let mut shown: Vec<String> = Vec::new();
        let mut spans = Vec::new();
        let mut facts = Vec::new();
        let pairs = join.on.iter().map(|(of_left, of_right)| {
            Expr::BinaryExpr(BinaryExpr::new(
                Box::new(of_left.clone()),
                Operator::Eq,
                Box::new(of_right.clone()),
            ))
        });
        let conditions: Vec<Expr> = pairs.chain(join.filter.clone()).collect();
        for condition in &conditions {
            shown.push(condition.to_string());
            spans.extend(spans_of(condition));
        }
        let (of_left, of_right) = (left.scans(), right.scans());
        let cause = self.cause(Cause {
            kind: CauseKind::Condition,
            body: self.body,
            function: None,
            shown: match shown.is_empty() {
                true => "CROSS JOIN".to_owned(),
                false => shown.join(" AND "),
            },
            spans,
        });
        self.meetings.push(Meeting {
            left: of_left.clone(),
            right: of_right.clone(),
            cause,
        });
        let schema = Arc::new(join.left.schema().join(join.right.schema()).or_else(|_| {
            // Names that stand twice are found by their qualifiers or not at all.
            Ok::<_, DataFusionError>(join.schema.as_ref().clone())
        })?);
        let mut both = left.clone().beside(right.clone());
        for condition in &conditions {
            facts.extend(self.facts(condition, &schema, &both)?);
            let decides = self.deciding(condition, &schema, &both)?;
            merge(&mut both.conditions, decides);
        }
        // An outer join keeps rows for which the condition does not hold; nothing of the other side is
        // seen in them.
        let is_left = |scan: usize| of_left.contains(&scan);
        let is_right = |scan: usize| of_right.contains(&scan);
        facts.retain(|fact| match join.join_type {
            JoinType::Left | JoinType::LeftMark => fact.mentions(&is_right),
            JoinType::Right | JoinType::RightMark => fact.mentions(&is_left),
            JoinType::Full => fact.mentions(&is_left) && fact.mentions(&is_right),
            _ => true,
        });
        both.facts.extend(facts);
        let existence = |of: &Relation| Value::of(of.rows.clone());
        both.columns = match join.join_type {
            JoinType::LeftSemi | JoinType::LeftAnti => left.columns,
            JoinType::RightSemi | JoinType::RightAnti => right.columns,
            JoinType::LeftMark => with(left.columns, existence(&right)),
            JoinType::RightMark => with(right.columns, existence(&left)),
            _ => both.columns,
        };
        Ok(both)
    }

    pub(super) fn as_of(&mut self, join: &AsOfJoin) -> Result<Relation, DataFusionError> {
        let left = self.plan(&join.left)?;
        let right = self.plan(&join.right)?;
        let (of_left, of_right) = &join.times;
        let condition = format!("{of_left} {} {of_right}", join.matching.operator());
        let cause = self.cause(Cause {
            kind: CauseKind::Condition,
            body: self.body,
            function: None,
            shown: condition,
            spans: spans_of(of_left)
                .into_iter()
                .chain(spans_of(of_right))
                .collect(),
        });
        let later = self.value(of_left, join.left.schema(), &left)?.linear;
        let earlier = self.value(of_right, join.right.schema(), &right)?.linear;
        self.note_order(later.as_ref());
        self.note_order(earlier.as_ref());
        let operator = match (join.matching.backward, join.matching.or_equal) {
            (true, true) => Operator::GtEq,
            (true, false) => Operator::Gt,
            (false, true) => Operator::LtEq,
            (false, false) => Operator::Lt,
        };
        let mut facts = match (&later, &earlier) {
            (Some(later), Some(earlier)) => comparison(later, operator, earlier, cause),
            _ => Vec::new(),
        };
        for (key_of_left, key_of_right) in &join.on {
            let key_of_left = self.value(key_of_left, join.left.schema(), &left)?.linear;
            let key_of_right = self
                .value(key_of_right, join.right.schema(), &right)?
                .linear;
            if let (Some(one), Some(other)) = (key_of_left, key_of_right) {
                facts.extend(comparison(&one, Operator::Eq, &other, cause));
            }
        }
        self.meetings.push(Meeting {
            left: left.scans(),
            right: right.scans(),
            cause,
        });
        let mut both = left.beside(right);
        both.facts.extend(facts);
        Ok(both)
    }
}

fn with(mut columns: Vec<Value>, last: Value) -> Vec<Value> {
    columns.push(last);
    columns
}
