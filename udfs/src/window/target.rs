//! `target_encode_oof` and `target_encode_ordered`: the mean of a target by category, of other rows only.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, exec_err};

use super::PartitionBehaviour;
use crate::number::{Twofold, without_negative_zero};
use crate::registry::{Behaviour, Function};
use crate::types::{check_count, double};

pub(super) static TARGET_ENCODE_OOF: Function = Function {
    name: "target_encode_oof",
    usage: "target_encode_oof(category, y, fold, m) OVER ()",
    summary: "Encodes a category by the mean of y in the rows of other folds, drawn towards their overall mean by m rows: (sum of y + m * mean) / (n + m).",
    nulls: "NULL is a category and a fold like others; rows whose y is NULL are encoded but not used; a category that no other fold has gets the mean; NULL if there is no other fold.",
    examples: &[
        "SELECT target_encode_oof(city, y, fold, 10) OVER () FROM (VALUES ('a', 1.0, 0), ('a', 0.0, 1), ('b', 1.0, 1)) AS t(city, y, fold);",
    ],
    parameters: &["category", "y", "fold", "m"],
    behaviour: Behaviour::Partition(PartitionBehaviour {
        coerce: |types| {
            check_count("target_encode_oof", types, 4..=4)?;
            let number = |place: usize| double("target_encode_oof", &types[place]);
            Ok(vec![
                types[0].clone(),
                number(1)?,
                types[2].clone(),
                number(3)?,
            ])
        },
        returns: |_| Ok(DataType::Float64),
        compute: out_of_fold,
        reach: None,
    }),
};

pub(super) static TARGET_ENCODE_ORDERED: Function = Function {
    name: "target_encode_ordered",
    usage: "target_encode_ordered(category, y, a, prior) OVER (ORDER BY …)",
    summary: "Encodes a category by the y of earlier rows only: (sum of earlier y + a * prior) / (earlier n + a).",
    nulls: "NULL is a category like others; rows whose y is NULL are encoded but not used; NULL if there is nothing before and a is 0.",
    examples: &[
        "SELECT target_encode_ordered(city, y, 1, 0.5) OVER (ORDER BY id) FROM (VALUES (1, 'a', 1.0), (2, 'a', 0.0)) AS t(id, city, y);",
    ],
    parameters: &["category", "y", "a", "prior"],
    behaviour: Behaviour::Partition(PartitionBehaviour {
        coerce: |types| {
            check_count("target_encode_ordered", types, 4..=4)?;
            let number = |place: usize| double("target_encode_ordered", &types[place]);
            Ok(vec![types[0].clone(), number(1)?, number(2)?, number(3)?])
        },
        returns: |_| Ok(DataType::Float64),
        compute: ordered,
        reach: None,
    }),
};

/// Numbers the different values of a column; NULL is one of them.
fn numbered(column: &ArrayRef) -> Result<(Vec<usize>, usize)> {
    let column = without_negative_zero(column)?;
    let converter = RowConverter::new(vec![SortField::new(column.data_type().clone())])?;
    let rows = converter.convert_columns(&[column])?;
    let mut known = HashMap::new();
    let mut numbers = Vec::with_capacity(rows.num_rows());
    for row in rows.iter() {
        let next = known.len();
        numbers.push(*known.entry(row.owned()).or_insert(next));
    }
    Ok((numbers, known.len()))
}

/// How many targets there are and what they sum up to.
#[derive(Debug, Clone, Copy, Default)]
struct Targets {
    count: f64,
    sum: Twofold,
    /// What is not finite in the sum, apart, since it would spoil the two-part sum.
    strays: f64,
}

impl Targets {
    fn add(&mut self, target: f64) {
        self.count += 1.0;
        if target.is_finite() {
            self.sum = self.sum.plus(target);
        } else {
            self.strays += target;
        }
    }

    fn and(&self, other: &Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum.plus_twofold(other.sum),
            strays: self.strays + other.strays,
        }
    }

    fn sum(&self) -> f64 {
        self.sum.value() + self.strays
    }

    /// The mean, drawn towards a prior by so many rows.
    fn smoothed(&self, weight: f64, prior: f64) -> Option<f64> {
        let count = self.count + weight;
        // A prior that weighs nothing contributes nothing, even if it is not finite.
        let drawn = if weight == 0.0 { 0.0 } else { weight * prior };
        (count > 0.0).then(|| (self.sum() + drawn) / count)
    }
}

/// Combines for each part all the others, without subtracting.
fn all_but_one(parts: &[Targets]) -> Vec<Targets> {
    let mut after = vec![Targets::default(); parts.len() + 1];
    for (place, part) in parts.iter().enumerate().rev() {
        after[place] = part.and(&after[place + 1]);
    }
    let mut before = Targets::default();
    let mut others = Vec::with_capacity(parts.len());
    for (place, part) in parts.iter().enumerate() {
        others.push(before.and(&after[place + 1]));
        before = before.and(part);
    }
    others
}

fn smoothing(name: &str, column: &ArrayRef, row: usize) -> Result<Option<f64>> {
    let weights = column.as_primitive::<Float64Type>();
    if weights.is_null(row) {
        return Ok(None);
    }
    match weights.value(row) {
        weight if weight >= 0.0 && weight.is_finite() => Ok(Some(weight)),
        weight => exec_err!("`{name}` takes a smoothing of 0 or more rows, not {weight}"),
    }
}

/// The targets of the other folds, by fold and by category.
struct OtherFolds {
    /// By fold: the targets of all other folds.
    all: Vec<Targets>,
    /// By category: the folds in which it occurs, in the order of their numbers, each with the targets
    /// of the category in its other folds; and all its targets.
    by_category: Vec<(Vec<(usize, Targets)>, Targets)>,
}

impl OtherFolds {
    fn of(
        targets: &Float64Array,
        (folds, fold_count): (&[usize], usize),
        (categories, category_count): (&[usize], usize),
    ) -> Self {
        let mut by_fold = vec![Targets::default(); fold_count];
        let mut by_category: Vec<Vec<(usize, Targets)>> = vec![Vec::new(); category_count];
        for row in (0..targets.len()).filter(|row| targets.is_valid(*row)) {
            by_fold[folds[row]].add(targets.value(row));
            let parts = &mut by_category[categories[row]];
            let place = match parts.binary_search_by_key(&folds[row], |(fold, _)| *fold) {
                Ok(found) => found,
                Err(gap) => {
                    parts.insert(gap, (folds[row], Targets::default()));
                    gap
                }
            };
            parts[place].1.add(targets.value(row));
        }
        let by_category = by_category.into_iter().map(|parts| {
            let (folds, targets): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            let sum = |sum: Targets, part: &Targets| sum.and(part);
            let whole = targets.iter().fold(Targets::default(), sum);
            let others = folds.into_iter().zip(all_but_one(&targets));
            (others.collect(), whole)
        });
        Self {
            all: all_but_one(&by_fold),
            by_category: by_category.collect(),
        }
    }

    fn encode(&self, fold: usize, category: usize, weight: f64) -> Option<f64> {
        let mean = self.all[fold].smoothed(0.0, 0.0)?;
        let (parts, whole) = &self.by_category[category];
        let own = match parts.binary_search_by_key(&fold, |(fold, _)| *fold) {
            Ok(place) => &parts[place].1,
            Err(_) => whole,
        };
        match own.count == 0.0 {
            true => Some(mean),
            false => own.smoothed(weight, mean),
        }
    }
}

fn out_of_fold(columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let (categories, category_count) = numbered(&columns[0])?;
    let (folds, fold_count) = numbered(&columns[2])?;
    let others = OtherFolds::of(
        columns[1].as_primitive::<Float64Type>(),
        (&folds, fold_count),
        (&categories, category_count),
    );
    let encode = |row: usize| {
        let weight = smoothing("target_encode_oof", &columns[3], row)?;
        Ok(weight.and_then(|weight| others.encode(folds[row], categories[row], weight)))
    };
    let encoded = (0..rows).map(encode).collect::<Result<Float64Array>>()?;
    Ok(Arc::new(encoded))
}

fn ordered(columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let (categories, category_count) = numbered(&columns[0])?;
    let targets = columns[1].as_primitive::<Float64Type>();
    let priors = columns[3].as_primitive::<Float64Type>();
    let mut earlier = vec![Targets::default(); category_count];
    let mut encoded = Vec::with_capacity(rows);
    for row in 0..rows {
        let seen = &mut earlier[categories[row]];
        let weight = smoothing("target_encode_ordered", &columns[2], row)?;
        encoded.push(match weight {
            Some(weight) if priors.is_valid(row) => seen.smoothed(weight, priors.value(row)),
            _ => None,
        });
        if targets.is_valid(row) {
            seen.add(targets.value(row));
        }
    }
    Ok(Arc::new(Float64Array::from(encoded)))
}
