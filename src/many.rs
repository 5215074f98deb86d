//! Values by the hundred thousand: freed one after the other, they take as long as a parse.

use std::ops::{Deref, DerefMut};

use rayon::prelude::*;

/// A vector whose values are freed on all threads.
#[derive(Debug)]
pub struct Many<T: Send>(Vec<T>);

/// How many values are freed in one go.
const BATCH: usize = 1024;

impl<T: Send> Many<T> {
    /// Puts a value behind the others.
    pub fn push(&mut self, value: T) {
        self.0.push(value);
    }

    /// Puts other values behind these.
    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }
}

impl<T: Send> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Send> From<Vec<T>> for Many<T> {
    fn from(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T: Send> Deref for Many<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Send> DerefMut for Many<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<'a, T: Send> IntoIterator for &'a Many<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Send> Drop for Many<T> {
    fn drop(&mut self) {
        if self.0.len() > BATCH {
            std::mem::take(&mut self.0).into_par_iter().with_min_len(BATCH).for_each(drop);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn every_value_is_freed_once() {
        let value = Arc::new(());
        let many: Many<Arc<()>> = vec![Arc::clone(&value); 3 * BATCH + 1].into();
        assert_eq!(Arc::strong_count(&value), many.len() + 1);
        drop(many);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
