//! Two plans side by side: which operators they share, and which were added, removed, changed or moved.

use super::{Observation, Operator};

/// What became of an operator from the first plan to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is the same.
    Same,
    /// It stands at the same place with other arguments.
    Changed,
    /// It stands at another place.
    Moved,
    /// The second plan lacks it.
    Removed,
    /// The first plan lacks it.
    Added,
}

impl Change {
    /// Returns the word that stands for it.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Moved => "moved",
            Self::Removed => "removed",
            Self::Added => "added",
        }
    }
}

/// A line of two plans side by side.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// What became of the operator.
    pub change: Change,
    /// Where the first plan has it.
    pub first: Option<&'a Operator>,
    /// Where the second plan has it.
    pub second: Option<&'a Operator>,
}

/// Puts two plans side by side, in the order of both.
pub fn compare<'a>(first: &'a Observation, second: &'a Observation) -> Vec<Pair<'a>> {
    let mut pairs = aligned(&first.operators, &second.operators);
    let alone = |pair: &Pair<'_>| pair.first.is_none() || pair.second.is_none();
    let lonely: Vec<usize> = (0..pairs.len()).filter(|at| alone(&pairs[*at])).collect();
    for &at in &lonely {
        let Some(operator) = pairs[at].first.filter(|_| pairs[at].second.is_none()) else {
            continue;
        };
        let elsewhere = lonely.iter().copied().find(|&other| {
            pairs[other].change == Change::Added
                && pairs[other]
                    .second
                    .is_some_and(|other| content(other) == content(operator))
        });
        if let Some(other) = elsewhere {
            pairs[at].change = Change::Moved;
            pairs[other].change = Change::Moved;
        }
    }
    pairs
}

/// Aligns two plans so that as much as possible is the same.
fn aligned<'a>(first: &'a [Operator], second: &'a [Operator]) -> Vec<Pair<'a>> {
    let width = second.len() + 1;
    // The best score of what is left of both from these positions on.
    let mut best = vec![0_u32; (first.len() + 1) * width];
    for left in (0..first.len()).rev() {
        for right in (0..second.len()).rev() {
            let both = best[(left + 1) * width + right + 1];
            let matched = score(&first[left], &second[right]).map(|score| score + both);
            let skipped = best[(left + 1) * width + right].max(best[left * width + right + 1]);
            best[left * width + right] = matched.unwrap_or(0).max(skipped);
        }
    }
    let (mut left, mut right) = (0, 0);
    let mut pairs = Vec::new();
    while left < first.len() || right < second.len() {
        let here = best[left * width + right];
        let (one, other) = (first.get(left), second.get(right));
        if let (Some(one), Some(other)) = (one, other)
            && let Some(score) = score(one, other)
            && here == score + best[(left + 1) * width + right + 1]
        {
            pairs.push(Pair {
                change: match one.line == other.line {
                    true => Change::Same,
                    false => Change::Changed,
                },
                first: Some(one),
                second: Some(other),
            });
            left += 1;
            right += 1;
            continue;
        }
        let skip_first = one.is_some()
            && (other.is_none()
                || best[(left + 1) * width + right] >= best[left * width + right + 1]);
        pairs.push(Pair {
            change: if skip_first {
                Change::Removed
            } else {
                Change::Added
            },
            first: one.filter(|_| skip_first),
            second: other.filter(|_| !skip_first),
        });
        left += usize::from(skip_first);
        right += usize::from(!skip_first);
    }
    pairs
}

/// How well two operators go together; `None` for different ones.
fn score(first: &Operator, second: &Operator) -> Option<u32> {
    if first.name != second.name {
        return None;
    }
    // What a plan is about; filters and exchanges stand around it.
    let is_anchor = ["Join", "Aggregate", "Scan", "Source"]
        .iter()
        .any(|part| first.name.contains(part));
    let weight = if is_anchor { 6 } else { 2 };
    let same_content = content(first) == content(second);
    let same_depth = first.depth == second.depth;
    Some(weight + 2 * u32::from(same_content) + u32::from(same_depth))
}

/// An operator's line without the positions of columns, which change with the columns beside them.
fn content(operator: &Operator) -> String {
    let mut text = String::with_capacity(operator.line.len());
    let mut characters = operator.line.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '@' {
            while characters.next_if(char::is_ascii_digit).is_some() {}
            continue;
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Change, compare};
    use crate::observation::{Observation, Operator};

    fn plan(lines: &[(usize, &str)]) -> Observation {
        let operators = lines
            .iter()
            .enumerate()
            .map(|(id, (depth, line))| Operator {
                id,
                depth: *depth,
                name: line.split(':').next().unwrap_or_default().to_owned(),
                line: (*line).to_owned(),
                ..Operator::default()
            });
        Observation {
            operators: operators.collect(),
        }
    }

    #[test]
    fn what_moved_changed_came_and_went_is_told() {
        let first = plan(&[
            (0, "Filter: a@0 > 1"),
            (1, "HashJoin: mode=Partitioned"),
            (2, "Repartition: 2"),
            (3, "Scan: t"),
            (2, "Scan: u"),
        ]);
        let second = plan(&[
            (0, "HashJoin: mode=CollectLeft"),
            (1, "Filter: a@3 > 1"),
            (2, "Scan: t"),
            (1, "Cooperative"),
            (2, "Scan: u"),
        ]);
        let changes: Vec<_> = compare(&first, &second)
            .iter()
            .map(|pair| {
                let name =
                    |one: Option<&Operator>| one.map_or("", |one| one.name.as_str()).to_owned();
                (pair.change, name(pair.first), name(pair.second))
            })
            .collect();
        let text =
            |change, first: &str, second: &str| (change, first.to_owned(), second.to_owned());
        assert_eq!(
            changes,
            [
                text(Change::Moved, "Filter", ""),
                text(Change::Changed, "HashJoin", "HashJoin"),
                text(Change::Removed, "Repartition", ""),
                text(Change::Moved, "", "Filter"),
                text(Change::Same, "Scan", "Scan"),
                text(Change::Added, "", "Cooperative"),
                text(Change::Same, "Scan", "Scan"),
            ]
        );
        let same = compare(&first, &first);
        assert!(same.iter().all(|pair| pair.change == Change::Same));
        assert_eq!(compare(&plan(&[]), &second).len(), 5);
    }
}
