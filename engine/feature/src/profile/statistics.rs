//! The statistics of a column of numbers that are all at hand.

use lakesh_encoder::Sum;
use lakesh_udfs::kernel::{Shape, Strays};

/// What a profile says of the numbers of a column. `None` where there are too few, or where they are all
/// the same.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statistics {
    pub(super) unique: f64,
    pub(super) least: Option<f64>,
    pub(super) most: Option<f64>,
    pub(super) mean: Option<f64>,
    pub(super) deviation: Option<f64>,
    /// At 1, 25, 50, 75 and 99 percent.
    pub(super) quantiles: [Option<f64>; 5],
    pub(super) skewness: Option<f64>,
    pub(super) kurtosis: Option<f64>,
    pub(super) zeros: f64,
    pub(super) negatives: f64,
    pub(super) infinite: f64,
}

/// The shares at which a profile has quantiles.
const SHARES: [f64; 5] = [0.01, 0.25, 0.5, 0.75, 0.99];

/// Numbers, none of them NaN, in ascending order, with their weights where they have any.
pub(super) struct Numbers {
    rows: Vec<(f64, f64)>,
    weighted: bool,
}

impl Numbers {
    /// Sorts numbers; without weights each counts once.
    pub(super) fn new(values: &[f64], weights: Option<&[f64]>) -> Self {
        let mut rows: Vec<(f64, f64)> = match weights {
            // -0.0 + 0.0 is 0.0.
            None => values.iter().map(|value| (*value + 0.0, 1.0)).collect(),
            Some(weights) => values
                .iter()
                .zip(weights)
                .map(|(value, weight)| (*value + 0.0, *weight))
                .collect(),
        };
        rows.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        Self {
            rows,
            weighted: weights.is_some(),
        }
    }

    /// Computes everything.
    pub(super) fn statistics(&self) -> Statistics {
        let count_of =
            |holds: &dyn Fn(f64) -> bool| self.sum(|value| if holds(value) { 1.0 } else { 0.0 });
        let total = self.sum(|_| 1.0);
        let mean = (total > 0.0).then(|| self.sum(|value| value) / total);
        let shape = mean.map(|mean| self.shape(mean, total));
        Statistics {
            unique: self.unique(),
            least: self.rows.first().map(|row| row.0),
            most: self.rows.last().map(|row| row.0),
            mean,
            deviation: shape.as_ref().and_then(Shape::deviation),
            quantiles: SHARES.map(|share| self.quantile(share, total)),
            skewness: shape.as_ref().and_then(Shape::sample_skewness),
            kurtosis: shape.as_ref().and_then(Shape::sample_kurtosis),
            zeros: count_of(&|value| value == 0.0),
            negatives: count_of(&|value| value < 0.0),
            infinite: count_of(&f64::is_infinite),
        }
    }

    fn sum(&self, term: impl Fn(f64) -> f64) -> f64 {
        let mut sum = Sum::default();
        for (value, weight) in &self.rows {
            match self.weighted {
                true => sum.add_product(*weight, term(*value)),
                false => sum.add(term(*value)),
            }
        }
        sum.value()
    }

    fn unique(&self) -> f64 {
        let changes = self.rows.windows(2).filter(|pair| pair[0].0 != pair[1].0);
        match self.rows.is_empty() {
            true => 0.0,
            false => (changes.count() + 1) as f64,
        }
    }

    /// Sums of the second, third and fourth powers of the distance from the mean.
    fn shape(&self, mean: f64, total: f64) -> Shape {
        // What rounding took from the mean is taken into account: without it an offset costs digits.
        let rest = self.sum(|value| value - mean) / total;
        let distance = |value: f64| (value - mean) - rest;
        let [second, third, fourth] =
            [2, 3, 4].map(|power| self.sum(|value| distance(value).powi(power)));
        Shape {
            weight: total,
            second,
            third,
            fourth,
            // An infinite value makes the distances NaN.
            strays: Strays::of(second).unwrap_or_default(),
            ..Shape::default()
        }
    }

    /// Without weights by linear interpolation (type 7 of Hyndman and Fan); with weights the least value
    /// that has such a share of the weight at or below it.
    fn quantile(&self, share: f64, total: f64) -> Option<f64> {
        let last = self.rows.len().checked_sub(1)?;
        if self.weighted {
            let mut below = Sum::default();
            let found = self.rows.iter().find(|(_, weight)| {
                below.add(*weight);
                below.value() >= total * share
            });
            return found.or(self.rows.last()).map(|row| row.0);
        }
        let position = last as f64 * share;
        let lower = (position.floor() as usize).min(last);
        let part = position - lower as f64;
        let (below, above) = (self.rows[lower].0, self.rows[(lower + 1).min(last)].0);
        Some(match part == 0.0 || below == above {
            true => below,
            false if part >= 0.5 => above - (above - below) * (1.0 - part),
            false => below + (above - below) * part,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Numbers;

    #[test]
    fn weights_count_as_repeated_rows() {
        let values = [3.0, -1.0, 0.0, 8.5, 2.0];
        let weights = [2.0, 1.0, 3.0, 1.0, 1.0];
        let repeated = [3.0, 3.0, -1.0, 0.0, 0.0, 0.0, 8.5, 2.0];
        let weighted = Numbers::new(&values, Some(&weights)).statistics();
        let plain = Numbers::new(&repeated, None).statistics();
        let close = |left: Option<f64>, right: Option<f64>| {
            let (left, right) = (left.unwrap(), right.unwrap());
            assert!(
                (left - right).abs() <= 1e-12 * right.abs(),
                "{left} {right}"
            );
        };
        close(weighted.mean, plain.mean);
        close(weighted.deviation, plain.deviation);
        close(weighted.skewness, plain.skewness);
        close(weighted.kurtosis, plain.kurtosis);
        assert_eq!((weighted.zeros, weighted.negatives), (3.0, 1.0));
        assert_eq!(weighted.unique, 5.0);
        // The inverse of the distribution: of 8 rows the second is at 25 %.
        assert_eq!(weighted.quantiles[1], Some(0.0));
    }

    #[test]
    fn an_offset_costs_no_digits() {
        let values = [1.0, 2.0, 4.0, 9.0];
        let far = values.map(|value| value + 1e15);
        let near = Numbers::new(&values, None).statistics();
        let far = Numbers::new(&far, None).statistics();
        assert_eq!(near.deviation, far.deviation);
        assert_eq!(near.skewness, far.skewness);
    }

    #[test]
    fn too_few_rows_have_no_statistics() {
        let none = Numbers::new(&[], None).statistics();
        assert_eq!((none.mean, none.deviation, none.unique), (None, None, 0.0));
        let same = Numbers::new(&[7.0; 9], None).statistics();
        assert_eq!(
            (same.skewness, same.kurtosis, same.deviation),
            (None, None, Some(0.0))
        );
    }
}
