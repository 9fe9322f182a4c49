//! Changes of a table, as SQL and as what they do to a vector of rows.

use super::Row;
use super::predicate::Predicate;
use super::random::Random;

/// One statement.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Insert(Vec<Row>),
    Overwrite(Vec<Row>),
    ReplaceWhere(&'static str, Vec<Row>),
    Delete(Option<Predicate>),
    /// Adds to `n`.
    Add(i64, Option<Predicate>),
    /// Moves rows to another group.
    Move(Option<&'static str>, Predicate),
    /// Takes `n` from another table by `id`.
    TakeFrom(Vec<(i64, i64)>),
    Merge(Merge),
    /// Rewrites the files, in the order of a column or as they are.
    Optimize(Option<&'static str>),
    /// Goes back to a version, which had these rows.
    Restore(u64, Vec<Row>),
}

/// What the versions of a table held, by their numbers.
pub(super) type Past = Vec<(u64, Vec<Row>)>;

/// A MERGE by `id` with a source of unique ids.
#[derive(Debug, Clone)]
pub(super) struct Merge {
    source: Vec<Row>,
    deletes: Option<Predicate>,
    updates: bool,
    inserts: bool,
    forgotten: Option<Predicate>,
}

fn some_row(random: &mut Random) -> Row {
    let group = *random.pick(&[Some("a"), Some("b"), Some("c"), None]);
    Row {
        id: random.small(),
        grp: group.map(str::to_owned),
        n: (random.below(4) > 0).then(|| random.small()),
    }
}

fn some_rows(random: &mut Random) -> Vec<Row> {
    (0..=random.below(4)).map(|_| some_row(random)).collect()
}

fn values(rows: &[Row]) -> String {
    let rows: Vec<_> = rows.iter().map(Row::literal).collect();
    rows.join(", ")
}

impl Change {
    pub(super) fn insert(random: &mut Random) -> Self {
        let mut rows = some_rows(random);
        rows.extend(some_rows(random));
        Self::Insert(rows)
    }

    pub(super) fn any(random: &mut Random, rows: &[Row], past: &Past) -> Self {
        match random.below(24) {
            0..=3 => Self::Insert(some_rows(random)),
            4 => Self::Overwrite(some_rows(random)),
            5 => {
                let mut rows = some_rows(random);
                for row in &mut rows {
                    row.grp = Some("a".to_owned());
                }
                Self::ReplaceWhere("a", rows)
            }
            6..=9 => Self::Delete(Some(Predicate::any(random))),
            10 if random.below(4) == 0 => Self::Delete(None),
            10..=12 => Self::Add(random.small(), Some(Predicate::any(random))),
            13 => Self::Move(
                *random.pick(&[Some("b"), Some("c"), None]),
                Predicate::any(random),
            ),
            14..=15 => Self::take(random),
            16..=17 => Self::Optimize(*random.pick(&[None, Some("n"), Some("id")])),
            18..=19 => {
                let (version, rows) = random.pick(past).clone();
                Self::Restore(version, rows)
            }
            _ => Self::Merge(Merge::any(random, rows)),
        }
    }

    fn take(random: &mut Random) -> Self {
        let mut pairs = vec![(random.small(), random.small())];
        let second = (random.small(), random.small());
        if second.0 != pairs[0].0 {
            pairs.push(second);
        }
        Self::TakeFrom(pairs)
    }

    pub(super) fn sql(&self, table: &str) -> String {
        let filter = |predicate: &Option<Predicate>| match predicate {
            Some(predicate) => format!(" WHERE {}", predicate.sql(table, table)),
            None => String::new(),
        };
        match self {
            Self::Insert(rows) => format!("INSERT INTO {table} VALUES {}", values(rows)),
            Self::Overwrite(rows) => format!("INSERT OVERWRITE {table} VALUES {}", values(rows)),
            Self::ReplaceWhere(group, rows) => format!(
                "INSERT INTO {table} REPLACE WHERE grp = '{group}' VALUES {}",
                values(rows)
            ),
            Self::Delete(predicate) => format!("DELETE FROM {table}{}", filter(predicate)),
            Self::Add(n, predicate) => {
                format!("UPDATE {table} SET n = n + {n}{}", filter(predicate))
            }
            Self::Move(group, predicate) => {
                let group = group.map_or("NULL".to_owned(), |group| format!("'{group}'"));
                let condition = predicate.sql("x", table);
                format!("UPDATE {table} AS x SET grp = {group} WHERE {condition}")
            }
            Self::TakeFrom(pairs) => {
                let pairs: Vec<_> = pairs.iter().map(|(id, n)| format!("({id}, {n})")).collect();
                format!(
                    "UPDATE {table} SET n = s.m + {table}.n FROM (VALUES {}) AS s (k, m) WHERE s.k = {table}.id",
                    pairs.join(", ")
                )
            }
            Self::Merge(merge) => merge.sql(table),
            Self::Optimize(None) => format!("OPTIMIZE {table}"),
            Self::Optimize(Some(column)) => format!("OPTIMIZE {table} ZORDER BY ({column})"),
            Self::Restore(version, _) => {
                format!("RESTORE TABLE {table} TO VERSION AS OF {version}")
            }
        }
    }

    /// Does the change; returns how many rows it inserts, updates and deletes, where it counts them.
    pub(super) fn apply(&self, rows: &mut Vec<Row>) -> Option<u64> {
        let before = rows.clone();
        Some(match self {
            Self::Optimize(_) => return None,
            Self::Restore(_, past) => {
                rows.clone_from(past);
                return None;
            }
            Self::Insert(new) => {
                rows.extend(new.iter().cloned());
                new.len() as u64
            }
            Self::Overwrite(new) => {
                rows.clone_from(new);
                new.len() as u64
            }
            Self::ReplaceWhere(group, new) => {
                rows.retain(|row| row.grp.as_deref() != Some(*group));
                rows.extend(new.iter().cloned());
                new.len() as u64
            }
            Self::Delete(predicate) => {
                rows.retain(|row| !selected(predicate.as_ref(), row, &before));
                (before.len() - rows.len()) as u64
            }
            Self::Add(n, predicate) => update(rows, predicate.as_ref(), |row| {
                row.n = row.n.map(|found| found + n);
            }),
            Self::Move(group, predicate) => update(rows, Some(predicate), |row| {
                row.grp = group.map(str::to_owned);
            }),
            Self::TakeFrom(pairs) => {
                let mut changed = 0;
                for row in rows.iter_mut() {
                    if let Some((_, m)) = pairs.iter().find(|(id, _)| *id == row.id) {
                        row.n = row.n.map(|found| found + m);
                        changed += 1;
                    }
                }
                changed
            }
            Self::Merge(merge) => merge.apply(rows),
        })
    }
}

fn selected(predicate: Option<&Predicate>, row: &Row, rows: &[Row]) -> bool {
    predicate.is_none_or(|predicate| predicate.holds(row, rows) == Some(true))
}

fn update(rows: &mut [Row], predicate: Option<&Predicate>, set: impl Fn(&mut Row)) -> u64 {
    let before = rows.to_vec();
    let mut changed = 0;
    for row in rows.iter_mut() {
        if selected(predicate, row, &before) {
            set(row);
            changed += 1;
        }
    }
    changed
}

impl Merge {
    fn any(random: &mut Random, _rows: &[Row]) -> Self {
        let mut source: Vec<Row> = Vec::new();
        for row in some_rows(random) {
            if !source.iter().any(|known| known.id == row.id) {
                source.push(row);
            }
        }
        let deletes = (random.below(3) == 0).then(|| Predicate::without_query(random));
        let forgotten = (random.below(3) == 0).then(|| Predicate::without_query(random));
        let inserts = random.below(3) > 0;
        Self {
            source,
            updates: !inserts || random.below(2) == 0,
            deletes,
            inserts,
            forgotten,
        }
    }

    fn sql(&self, table: &str) -> String {
        let mut sql = format!(
            "MERGE INTO {table} AS t USING (VALUES {}) AS s (id, grp, n) ON t.id = s.id",
            values(&self.source)
        );
        if let Some(predicate) = &self.deletes {
            let condition = predicate.sql("t", table);
            sql.push_str(&format!(" WHEN MATCHED AND {condition} THEN DELETE"));
        }
        if self.updates {
            sql.push_str(" WHEN MATCHED THEN UPDATE SET *");
        }
        if self.inserts {
            sql.push_str(" WHEN NOT MATCHED THEN INSERT *");
        }
        if let Some(predicate) = &self.forgotten {
            let condition = predicate.sql("t", table);
            sql.push_str(&format!(
                " WHEN NOT MATCHED BY SOURCE AND {condition} THEN DELETE"
            ));
        }
        sql
    }

    fn apply(&self, rows: &mut Vec<Row>) -> u64 {
        let before = rows.clone();
        let mut changed = 0;
        rows.clear();
        for row in &before {
            let partner = self.source.iter().find(|source| source.id == row.id);
            let (deletes, update) = match partner {
                Some(source) => (self.deletes.as_ref(), self.updates.then_some(source)),
                None => (self.forgotten.as_ref(), None),
            };
            let is_deleted =
                deletes.is_some_and(|predicate| predicate.holds(row, &before) == Some(true));
            if is_deleted {
                changed += 1;
            } else if let Some(source) = update {
                changed += 1;
                rows.push(source.clone());
            } else {
                rows.push(row.clone());
            }
        }
        if self.inserts {
            for source in &self.source {
                if !before.iter().any(|row| row.id == source.id) {
                    changed += 1;
                    rows.push(source.clone());
                }
            }
        }
        changed
    }
}
