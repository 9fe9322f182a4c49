//! A sum of floating-point numbers that keeps what each addition rounds away.
//!
//! Two doubles hold about 106 bits, so that the result does not depend on the order of the rows, on
//! batches or on partitions, and one huge value does not swallow the small ones.

/// The unevaluated sum of two doubles.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    /// Adds a number.
    pub fn add(&mut self, value: f64) {
        let (high, error) = two_sum(self.high, value);
        self.high = high;
        self.low += error;
    }

    /// Adds a product without rounding it first.
    pub fn add_product(&mut self, left: f64, right: f64) {
        let product = left * right;
        self.add(product);
        let error = left.mul_add(right, -product);
        if error.is_finite() {
            self.low += error;
        }
    }

    /// Adds another sum.
    pub fn add_sum(&mut self, other: Self) {
        self.add(other.high);
        self.low += other.low;
    }

    /// Returns this sum times a number.
    pub(crate) fn times(self, factor: f64) -> Self {
        let mut product = Self::default();
        product.add_product(self.high, factor);
        product.low += self.low * factor;
        product
    }

    /// Returns the two doubles.
    pub fn parts(self) -> (f64, f64) {
        (self.high, self.low)
    }

    /// Makes a sum of what `parts` returned.
    pub fn from_parts(high: f64, low: f64) -> Self {
        Self { high, low }
    }

    /// Returns the sum as one double; NaN and the infinities as plain addition gives them.
    pub fn value(self) -> f64 {
        if self.high.is_finite() {
            self.high + self.low
        } else {
            self.high
        }
    }
}

/// Adds two numbers and says what was rounded away (Knuth).
fn two_sum(left: f64, right: f64) -> (f64, f64) {
    let sum = left + right;
    let part = sum - left;
    let error = (left - (sum - part)) + (right - part);
    (sum, error)
}

#[cfg(test)]
mod tests {
    use super::Sum;

    #[test]
    fn huge_values_do_not_swallow_small_ones() {
        let mut sum = Sum::default();
        for value in [1.0, 1e16, 2.0, -1e16, 0.25] {
            sum.add(value);
        }
        assert_eq!(sum.value(), 3.25);
    }

    #[test]
    fn products_and_parts_are_exact() {
        let mut left = Sum::default();
        left.add_product(1e8 + 1.0, 1e8 + 1.0);
        let mut right = Sum::default();
        right.add(-1e16);
        right.add(-2e8);
        left.add_sum(right);
        assert_eq!(left.value(), 1.0);
        assert_eq!(left.times(3.0).value(), 3.0);
    }

    #[test]
    fn infinities_stay() {
        let mut sum = Sum::default();
        sum.add(f64::INFINITY);
        sum.add(1.0);
        assert_eq!(sum.value(), f64::INFINITY);
        sum.add(f64::NEG_INFINITY);
        assert!(sum.value().is_nan());
    }
}
