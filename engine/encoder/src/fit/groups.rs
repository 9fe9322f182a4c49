//! Sums by category: what target means, frequencies and rare groups are made of.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::DataFusionError;

use crate::category::{CategoryType, exact_cast};
use crate::fitted::{Default, Fitted, FittedCategories, Values};
use crate::index::CategoryIndex;
use crate::kind::{EncoderKind, Smooth};
use crate::sum::Sum;

/// Sums by category.
#[derive(Debug, Clone)]
pub(super) struct GroupFit {
    index: CategoryIndex,
    groups: Vec<Moments>,
    /// A number near the targets: sums are taken of the distance from it, so that an offset that all
    /// targets share costs no digits.
    pivot: Option<f64>,
}

/// Sums over rows.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    weight: Sum,
    /// Of the target's distance from the pivot.
    sum: Sum,
    /// Of the square of that.
    squares: Sum,
}

impl Moments {
    fn add(&mut self, weight: f64, distance: f64) {
        self.weight.add(weight);
        let weighted = weight * distance;
        self.sum.add_product(weight, distance);
        self.squares.add_product(weighted, distance);
    }

    /// Adds the sums of another pivot that lies `shift` above.
    fn merge(&mut self, other: &Self, shift: f64) {
        self.weight.add_sum(other.weight);
        self.sum.add_sum(other.sum);
        self.squares.add_sum(other.squares);
        if shift != 0.0 {
            self.sum.add_sum(other.weight.times(shift));
            self.squares.add_sum(other.sum.times(2.0 * shift));
            self.squares.add_sum(other.weight.times(shift).times(shift));
        }
    }

    fn mean(&self) -> f64 {
        self.sum.value() / self.weight.value()
    }

    /// The sum of squared distances from the mean.
    fn deviations(&self) -> f64 {
        let mean = self.mean();
        let mut deviations = self.squares;
        deviations.add_sum(self.sum.times(-mean));
        deviations.value().max(0.0)
    }
}

impl GroupFit {
    pub(super) fn new(text: bool) -> Self {
        Self {
            index: CategoryIndex::new(text),
            groups: Vec::new(),
            pivot: None,
        }
    }

    pub(super) fn update(
        &mut self,
        keys: &ArrayRef,
        target: Option<&Float64Array>,
        weight: Option<&Float64Array>,
    ) -> Result<(), DataFusionError> {
        let numbers = self.index.insert(keys)?;
        self.groups.resize(self.index.len(), Moments::default());
        if self.pivot.is_none()
            && let Some(target) = target
        {
            self.pivot = target
                .values()
                .iter()
                .copied()
                .find(|value| value.is_finite());
        }
        let pivot = self.pivot.unwrap_or(0.0);
        for (row, number) in numbers.into_iter().enumerate() {
            let weight = weight.map_or(1.0, |weight| weight.value(row));
            let group = &mut self.groups[number as usize];
            match target {
                Some(target) => group.add(weight, target.value(row) - pivot),
                None => group.weight.add(weight),
            }
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, other: &Self) -> Result<(), DataFusionError> {
        if other.index.len() == 0 {
            return Ok(());
        }
        let numbers = self.index.insert(&other.index.to_keys())?;
        self.groups.resize(self.index.len(), Moments::default());
        let shift = match (self.pivot, other.pivot) {
            (Some(ours), Some(theirs)) => theirs - ours,
            (None, theirs) => {
                self.pivot = theirs;
                0.0
            }
            (Some(_), None) => 0.0,
        };
        for (number, group) in numbers.into_iter().zip(&other.groups) {
            self.groups[number as usize].merge(group, shift);
        }
        Ok(())
    }

    pub(super) fn size(&self) -> usize {
        self.index.size() + self.groups.capacity() * size_of::<Moments>()
    }

    pub(super) fn finish(
        self,
        kind: &EncoderKind,
        category: Option<CategoryType>,
    ) -> Result<Fitted, DataFusionError> {
        let order = order(&self.index);
        let keys = take(
            &self.index.to_keys(),
            &UInt32Array::from(order.clone()),
            None,
        )?;
        let groups: Vec<_> = order
            .iter()
            .map(|number| self.groups[*number as usize])
            .collect();
        let weights: Vec<f64> = groups.iter().map(|group| group.weight.value()).collect();
        let (values, default) = match kind {
            EncoderKind::Target {
                smooth,
                min_samples,
            } => target_means(&groups, self.pivot, *smooth, *min_samples),
            EncoderKind::Rare {
                min_share,
                max_categories,
                label,
            } => {
                let category = category.unwrap_or(CategoryType::Text);
                let texts = exact_cast(&category.shown(&keys)?, &DataType::Utf8)?;
                let texts = texts.as_string::<i32>();
                let kept = kept(&keys, &weights, *min_share, *max_categories);
                let values = kept.iter().enumerate().map(|(row, kept)| match kept {
                    _ if texts.is_null(row) => None,
                    true => Some(texts.value(row).to_owned()),
                    false => Some(label.clone()),
                });
                (Values::Text(values.collect()), Default::Text(label.clone()))
            }
            _ => frequencies(&groups),
        };
        Fitted::categories(FittedCategories {
            keys,
            weights,
            values,
            default,
        })
    }
}

/// Returns the numbers of the categories in the order of their keys, NULL last: what is stored must not
/// depend on the order of the rows.
fn order(index: &CategoryIndex) -> Vec<u32> {
    let keys = index.to_keys();
    let mut order: Vec<u32> = (0..).take(index.len()).collect();
    let row = |number: &u32| *number as usize;
    match keys.as_string_opt::<i32>() {
        Some(texts) => order.sort_by(|left, right| {
            let key = |number| (texts.is_null(row(number)), texts.value(row(number)));
            key(left).cmp(&key(right))
        }),
        None => {
            let numbers = keys.as_primitive::<Int64Type>();
            order.sort_by_key(|number| (numbers.is_null(row(number)), numbers.value(row(number))));
        }
    }
    order
}

fn frequencies(groups: &[Moments]) -> (Values, Default) {
    let mut total = Sum::default();
    groups.iter().for_each(|group| total.add_sum(group.weight));
    let shares = groups
        .iter()
        .map(|group| Some(group.weight.value() / total.value()));
    (Values::Number(shares.collect()), Default::Number(Some(0.0)))
}

/// Target means as scikit-learn's `TargetEncoder` has them; `None` where there was no row at all.
fn target_means(
    groups: &[Moments],
    pivot: Option<f64>,
    smooth: Smooth,
    min_samples: f64,
) -> (Values, Default) {
    let mut all = Moments::default();
    groups.iter().for_each(|group| all.merge(group, 0.0));
    let total = all.weight.value();
    if total <= 0.0 {
        return (Values::Number(Vec::new()), Default::Number(None));
    }
    let pivot = pivot.unwrap_or(0.0);
    let mean = all.mean();
    let variance = all.deviations() / total;
    let encoded = |group: &Moments| {
        let weight = group.weight.value();
        if weight < min_samples {
            return mean;
        }
        match smooth {
            Smooth::Rows(rows) => (group.sum.value() + rows * mean) / (weight + rows),
            Smooth::Auto => {
                let between = variance * weight;
                let share = between / (between + group.deviations() / weight);
                match share.is_nan() {
                    true => mean,
                    false => share * group.mean() + (1.0 - share) * mean,
                }
            }
        }
    };
    let values = groups.iter().map(|group| Some(pivot + encoded(group)));
    (
        Values::Number(values.collect()),
        Default::Number(Some(pivot + mean)),
    )
}

/// Says which categories are not rare. NULL has no part in it.
fn kept(keys: &ArrayRef, weights: &[f64], min_share: f64, most: Option<usize>) -> Vec<bool> {
    let mut total = Sum::default();
    let known: Vec<usize> = (0..weights.len())
        .filter(|row| keys.is_valid(*row))
        .collect();
    known.iter().for_each(|row| total.add(weights[*row]));
    let mut frequent: Vec<usize> = known
        .into_iter()
        .filter(|row| weights[*row] / total.value() >= min_share)
        .collect();
    // A stable sort: ties stay in the order of the keys.
    frequent.sort_by(|left, right| weights[*right].total_cmp(&weights[*left]));
    frequent.truncate(most.unwrap_or(usize::MAX));
    let mut kept = vec![false; weights.len()];
    for row in frequent {
        kept[row] = true;
    }
    kept
}
