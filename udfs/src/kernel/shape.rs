//! Weighted moments up to the fourth, for skewness and kurtosis.

use super::Mergeable;
use super::moments::Strays;
use crate::number::Twofold;

/// Sums of powers of deviations from the mean (Pébay 2008), the mean in twice the precision of DOUBLE.
/// A weight says how often a value is there.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// The sum of the weights.
    pub weight: f64,
    /// The mean, if all values are finite.
    pub mean: Twofold,
    /// The sum of squares of deviations.
    pub second: f64,
    /// The sum of their third powers.
    pub third: f64,
    /// The sum of their fourth powers.
    pub fourth: f64,
    /// Values that are not finite.
    pub strays: Strays,
}

impl Mergeable for Shape {
    /// A value and its weight, which is positive.
    type Item = (Twofold, f64);

    fn add(&mut self, (value, weight): Self::Item) {
        let (mean, strays) = match Strays::of(value.high) {
            None => (value, Strays::default()),
            Some(stray) => (Twofold::default(), stray),
        };
        let one = Self {
            weight,
            mean,
            strays,
            ..Self::default()
        };
        *self = self.merge(&one);
    }

    fn merge(&self, newer: &Self) -> Self {
        if self.weight == 0.0 {
            return newer.clone();
        }
        if newer.weight == 0.0 {
            return self.clone();
        }
        let weight = self.weight + newer.weight;
        let (left, right) = (self.weight / weight, newer.weight / weight);
        let distance = newer.mean.minus(self.mean);
        // What moving both parts to the common mean contributes, as shares of the whole weight.
        let squares = weight * left * right * distance * distance;
        Self {
            weight,
            mean: self.mean.plus(distance * right),
            second: self.second + newer.second + squares,
            third: self.third
                + newer.third
                + squares * distance * (left - right)
                + 3.0 * distance * (left * newer.second - right * self.second),
            fourth: self.fourth
                + newer.fourth
                + squares * distance * distance * (left * left - left * right + right * right)
                + 6.0
                    * distance
                    * distance
                    * (left * left * newer.second + right * right * self.second)
                + 4.0 * distance * (left * newer.third - right * self.third),
            strays: self.strays.and(newer.strays),
        }
    }
}

impl Shape {
    /// Returns the mean; `None` of no weight.
    pub fn mean(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| match self.strays.mean() {
            Some(mean) => mean,
            None => self.mean.value(),
        })
    }

    /// Returns the standard deviation of a sample; `None` if the weights sum up to 1 or less.
    pub fn deviation(&self) -> Option<f64> {
        if self.weight <= 1.0 {
            return None;
        }
        if self.strays.any() {
            return Some(f64::NAN);
        }
        Some((self.second / (self.weight - 1.0)).sqrt())
    }

    /// Returns the skewness of the values; `None` if all are equal.
    pub fn skewness(&self) -> Option<f64> {
        self.spread(|variance| self.third / self.weight / (variance * variance.sqrt()))
    }

    /// Returns the excess kurtosis of the values; `None` if all are equal.
    pub fn kurtosis(&self) -> Option<f64> {
        self.spread(|variance| self.fourth / self.weight / (variance * variance) - 3.0)
    }

    /// Returns G1, the adjusted skewness of a sample, as pandas and DuckDB have it; `None` of fewer than 3
    /// values or if all are equal.
    pub fn sample_skewness(&self) -> Option<f64> {
        let n = self.weight;
        if n < 3.0 {
            return None;
        }
        Some(self.skewness()? * (n * (n - 1.0)).sqrt() / (n - 2.0))
    }

    /// Returns G2, the adjusted excess kurtosis of a sample, as pandas and DuckDB have it; `None` of fewer
    /// than 4 values or if all are equal.
    pub fn sample_kurtosis(&self) -> Option<f64> {
        let n = self.weight;
        if n < 4.0 {
            return None;
        }
        let excess = (n + 1.0) * self.kurtosis()? + 6.0;
        Some((n - 1.0) / ((n - 2.0) * (n - 3.0)) * excess)
    }

    /// Computes something of the variance; `None` of no values or if all are equal.
    fn spread(&self, compute: impl Fn(f64) -> f64) -> Option<f64> {
        if self.weight == 0.0 {
            return None;
        }
        if self.strays.any() {
            return Some(f64::NAN);
        }
        (self.second > 0.0).then(|| compute(self.second / self.weight))
    }
}
