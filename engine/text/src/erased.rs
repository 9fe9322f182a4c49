//! A box that hides how large a type is from the compiler's proofs.
//!
//! A future may move between threads only if all that it borrows may be shared, and the compiler proves
//! that anew for every async function: four seconds for a `SessionState`, whose plans and expressions
//! contain each other. Behind a trait object that is `Send` and `Sync` by its declaration the proof is
//! done once, where the value is put in.

use std::fmt;
use std::ops::{Deref, DerefMut};

trait Holder<T>: Send + Sync {
    fn value(&self) -> &T;
    fn value_mut(&mut self) -> &mut T;
    fn into_value(self: Box<Self>) -> T;
}

struct Held<T>(T);

impl<T: Send + Sync> Holder<T> for Held<T> {
    fn value(&self) -> &T {
        &self.0
    }

    fn value_mut(&mut self) -> &mut T {
        &mut self.0
    }

    fn into_value(self: Box<Self>) -> T {
        self.0
    }
}

/// A boxed value that may be shared between threads, as its type says without a look inside.
pub struct Erased<T: 'static>(Box<dyn Holder<T>>);

impl<T: Send + Sync + 'static> Erased<T> {
    /// Puts a value into its box.
    pub fn new(value: T) -> Self {
        Self(Box::new(Held(value)))
    }
}

impl<T> Erased<T> {
    /// Takes the value out of its box.
    pub fn into_inner(self) -> T {
        self.0.into_value()
    }
}

impl<T: Send + Sync + 'static> From<T> for Erased<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Clone + Send + Sync + 'static> Clone for Erased<T> {
    fn clone(&self) -> Self {
        Self::new(self.0.value().clone())
    }
}

impl<T> Deref for Erased<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.value()
    }
}

impl<T> DerefMut for Erased<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.value_mut()
    }
}

impl<T: fmt::Debug> fmt::Debug for Erased<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value().fmt(formatter)
    }
}
