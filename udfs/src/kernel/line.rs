//! The straight line of least squares through the points of a frame.

use super::Mergeable;
use super::moments::Strays;
use crate::number::Twofold;

/// A value and where it stands: the row's position or a moment.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// Where.
    pub at: Twofold,
    /// The value.
    pub value: Twofold,
}

/// Means and sums of products of deviations, from which the slope follows.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// How many points.
    pub count: f64,
    /// The mean of the places.
    pub at: Twofold,
    /// The mean of the values, if all are finite.
    pub value: Twofold,
    /// The sum of squared deviations of the places.
    pub squares: f64,
    /// The sum of the products of both deviations.
    pub products: f64,
    /// Values and places that are not finite.
    pub strays: Strays,
}

impl Mergeable for Line {
    type Item = Point;

    #[inline]
    fn add(&mut self, point: Point) {
        let one = Self::of(point);
        *self = self.merge(&one);
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
        let share = newer.count / count;
        let along = newer.at.minus(self.at);
        let up = newer.value.minus(self.value);
        let step = along * share;
        Self {
            count,
            at: self.at.plus(step),
            value: self.value.plus(up * share),
            squares: self.squares + newer.squares + along * step * self.count,
            products: self.products + newer.products + up * step * self.count,
            strays: self.strays.and(newer.strays),
        }
    }
}

impl Line {
    #[inline]
    fn of(point: Point) -> Self {
        let finite = |number: Twofold| match Strays::of(number.high) {
            None => (number, Strays::default()),
            Some(stray) => (Twofold::default(), stray),
        };
        let (at, first) = finite(point.at);
        let (value, second) = finite(point.value);
        Self {
            count: 1.0,
            at,
            value,
            squares: 0.0,
            products: 0.0,
            strays: first.and(second),
        }
    }

    /// Returns the slope; `None` of fewer than two points, or if all stand at the same place.
    #[inline]
    pub fn slope(&self) -> Option<f64> {
        if self.count < 2.0 {
            return None;
        }
        if self.strays.any() {
            // All places may be the same in spite of values that are not finite.
            return (self.squares != 0.0).then_some(f64::NAN);
        }
        (self.squares != 0.0).then(|| self.products / self.squares)
    }
}
