//! Conditions, as SQL and as what they mean: true, false or unknown.

use super::Row;
use super::random::Random;

/// A condition over a row, and for some over the whole table.
#[derive(Debug, Clone)]
pub(super) enum Predicate {
    IdBelow(i64),
    GroupIs(&'static str),
    GroupAbove(&'static str),
    GroupIsNot(&'static str),
    GroupIsNull,
    Above(i64),
    NotAbove(i64),
    And(Box<Predicate>, Box<Predicate>),
    Or(Box<Predicate>, Box<Predicate>),
    IdIn(Vec<i64>),
    HasPartner(Vec<i64>),
    IsLargest,
}

const GROUPS: [&str; 3] = ["a", "b", "c"];

impl Predicate {
    pub(super) fn any(random: &mut Random) -> Self {
        match random.below(5) {
            0 => Self::IdIn(vec![random.small(), random.small()]),
            1 => Self::HasPartner(vec![random.small(), random.small()]),
            2 => match random.below(2) {
                0 => Self::IsLargest,
                _ => Self::simple(random),
            },
            _ => Self::without_query(random),
        }
    }

    /// Returns a condition that holds no query.
    pub(super) fn without_query(random: &mut Random) -> Self {
        let mut part = || Box::new(Self::simple(random));
        let (left, right) = (part(), part());
        match random.below(4) {
            0 => Self::And(left, right),
            1 => Self::Or(left, right),
            _ => *left,
        }
    }

    fn simple(random: &mut Random) -> Self {
        match random.below(7) {
            0 => Self::IdBelow(random.small()),
            1 => Self::GroupIs(random.pick::<&str>(&GROUPS)),
            2 => Self::GroupAbove(random.pick::<&str>(&GROUPS)),
            3 => Self::GroupIsNot(random.pick::<&str>(&GROUPS)),
            4 => Self::GroupIsNull,
            5 => Self::Above(random.small()),
            _ => Self::NotAbove(random.small()),
        }
    }

    /// Writes the condition; `t` is what the statement calls the table, `table` its name.
    pub(super) fn sql(&self, t: &str, table: &str) -> String {
        let list = |ids: &[i64]| {
            let ids: Vec<_> = ids.iter().map(|id| format!("({id})")).collect();
            ids.join(", ")
        };
        match self {
            Self::IdBelow(id) => format!("{t}.id < {id}"),
            Self::GroupIs(group) => format!("{t}.grp = '{group}'"),
            Self::GroupAbove(group) => format!("{t}.grp > '{group}'"),
            Self::GroupIsNot(group) => format!("NOT ({t}.grp = '{group}')"),
            Self::GroupIsNull => format!("{t}.grp IS NULL"),
            Self::Above(n) => format!("{t}.n > {n}"),
            Self::NotAbove(n) => format!("NOT ({t}.n > {n})"),
            Self::And(left, right) => {
                format!("({} AND {})", left.sql(t, table), right.sql(t, table))
            }
            Self::Or(left, right) => {
                format!("({} OR {})", left.sql(t, table), right.sql(t, table))
            }
            Self::IdIn(ids) => {
                let ids = list(ids);
                format!("{t}.id IN (SELECT k FROM (VALUES {ids}) AS s (k))")
            }
            Self::HasPartner(ids) => {
                let ids = list(ids);
                format!("EXISTS (SELECT 1 FROM (VALUES {ids}) AS s (k) WHERE s.k = {t}.id + 1)")
            }
            Self::IsLargest => format!("{t}.n = (SELECT max(n) FROM {table})"),
        }
    }

    /// Evaluates the condition; `None` is unknown.
    pub(super) fn holds(&self, row: &Row, rows: &[Row]) -> Option<bool> {
        let group = |compare: &dyn Fn(&str) -> bool| row.grp.as_deref().map(compare);
        match self {
            Self::IdBelow(id) => Some(row.id < *id),
            Self::GroupIs(wanted) => group(&|found| found == *wanted),
            Self::GroupAbove(wanted) => group(&|found| found > *wanted),
            Self::GroupIsNot(wanted) => group(&|found| found != *wanted),
            Self::GroupIsNull => Some(row.grp.is_none()),
            Self::Above(n) => row.n.map(|found| found > *n),
            Self::NotAbove(n) => row.n.map(|found| found <= *n),
            Self::And(left, right) => match (left.holds(row, rows), right.holds(row, rows)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(left, right) => match (left.holds(row, rows), right.holds(row, rows)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::IdIn(ids) => Some(ids.contains(&row.id)),
            Self::HasPartner(ids) => Some(ids.contains(&(row.id + 1))),
            Self::IsLargest => {
                let largest = rows.iter().filter_map(|row| row.n).max()?;
                row.n.map(|found| found == largest)
            }
        }
    }
}
