//! Count, mean and sum of squared deviations of the values of a frame.

use super::Mergeable;
use crate::number::Twofold;

/// Which values that are no finite numbers a frame holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Strays(u8);

impl Strays {
    const NAN: u8 = 1;
    const POSITIVE: u8 = 2;
    const NEGATIVE: u8 = 4;

    /// Looks at a value; `None` if it is finite.
    #[inline]
    pub fn of(value: f64) -> Option<Self> {
        if value.is_finite() {
            None
        } else if value.is_nan() {
            Some(Self(Self::NAN))
        } else if value > 0.0 {
            Some(Self(Self::POSITIVE))
        } else {
            Some(Self(Self::NEGATIVE))
        }
    }

    /// Returns the strays of both.
    #[inline]
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Says whether there is any.
    #[inline]
    pub fn any(self) -> bool {
        self.0 != 0
    }

    /// The mean of values among which these are; `None` if all are finite.
    pub fn mean(self) -> Option<f64> {
        match self.0 {
            0 => None,
            Self::POSITIVE => Some(f64::INFINITY),
            Self::NEGATIVE => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }

    /// As a number, for a state that travels.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// From a number.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & 7)
    }
}

/// Count, mean and sum of squared deviations (Chan, Golub and LeVeque 1983), the mean in twice the
/// precision of DOUBLE.
#[derive(Debug, Clone, Default)]
pub struct Moments {
    /// How many values, those included that are not finite.
    pub count: f64,
    /// The mean of the values, if all are finite.
    pub mean: Twofold,
    /// The sum of the squared deviations from the mean, if all values are finite.
    pub squares: f64,
    /// Values that are not finite.
    pub strays: Strays,
}

impl Mergeable for Moments {
    type Item = Twofold;

    #[inline]
    fn add(&mut self, item: Twofold) {
        let before = self.count;
        self.count += 1.0;
        if let Some(stray) = Strays::of(item.high) {
            self.strays = self.strays.and(stray);
            return;
        }
        if before == 0.0 {
            self.mean = item;
            return;
        }
        let distance = item.minus(self.mean);
        let step = distance / self.count;
        self.mean = self.mean.plus(step);
        self.squares += distance * step * before;
    }

    #[inline]
    fn merge(&self, newer: &Self) -> Self {
        if self.count == 0.0 {
            return newer.clone();
        }
        if newer.count == 0.0 {
            return self.clone();
        }
        let count = self.count + newer.count;
        let distance = newer.mean.minus(self.mean);
        let step = distance * (newer.count / count);
        Self {
            count,
            mean: self.mean.plus(step),
            squares: self.squares + newer.squares + distance * step * self.count,
            strays: self.strays.and(newer.strays),
        }
    }
}

impl Moments {
    /// Returns the mean; `None` of no values.
    #[inline]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| match self.strays.mean() {
            Some(mean) => mean,
            None => self.mean.value(),
        })
    }

    /// Returns how far a value is from the mean.
    #[inline]
    pub fn distance(&self, value: Twofold) -> Option<f64> {
        (self.count > 0.0).then(|| match self.strays.mean() {
            Some(mean) => value.high - mean,
            None => value.minus(self.mean),
        })
    }

    /// Returns the standard deviation of a sample; `None` of fewer than two values.
    #[inline]
    pub fn deviation(&self) -> Option<f64> {
        if self.count < 2.0 {
            return None;
        }
        if self.strays.any() {
            return Some(f64::NAN);
        }
        Some((self.squares / (self.count - 1.0)).sqrt())
    }
}
