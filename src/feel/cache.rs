//! Expressions parsed before, by text.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::expression::Expression;
use super::parse::SyntaxError;

/// A bounded store of parsed expressions, shared by all threads.
///
/// It keeps two generations: when the younger is full, it becomes the older, and what was
/// not asked for in the meantime is gone.
#[derive(Debug)]
pub struct Cache {
    generation: usize,
    kept: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Arc<str>, Arc<Expression>>,
    old: HashMap<Arc<str>, Arc<Expression>>,
}

impl Cache {
    /// A cache of at most this many expressions.
    pub fn new(capacity: usize) -> Self {
        Self { generation: (capacity / 2).max(1), kept: Mutex::default() }
    }

    /// The expression of a text, parsed if that was not done before.
    pub fn parse(&self, text: &str) -> Result<Arc<Expression>, SyntaxError> {
        if let Some(expression) = self.kept().get(text, self.generation) {
            return Ok(expression);
        }
        let expression = Arc::new(Expression::parse(text)?);
        self.kept().put(text.into(), Arc::clone(&expression), self.generation);
        Ok(expression)
    }

    /// A panic elsewhere leaves the map whole.
    fn kept(&self) -> MutexGuard<'_, Generations> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn get(&mut self, text: &str, generation: usize) -> Option<Arc<Expression>> {
        if let Some(expression) = self.young.get(text) {
            return Some(Arc::clone(expression));
        }
        let (text, expression) = self.old.remove_entry(text)?;
        self.put(text, Arc::clone(&expression), generation);
        Some(expression)
    }

    fn put(&mut self, text: Arc<str>, expression: Arc<Expression>, generation: usize) {
        if self.young.len() >= generation {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(text, expression);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_parsed_once() {
        let cache = Cache::new(4);
        let first = cache.parse("=a + 1").unwrap();
        assert!(Arc::ptr_eq(&first, &cache.parse("=a + 1").unwrap()));
    }

    #[test]
    fn the_cache_stays_within_its_capacity() {
        let cache = Cache::new(10);
        for number in 0..1000 {
            cache.parse(&number.to_string()).unwrap();
            let kept = cache.kept();
            assert!(kept.young.len() + kept.old.len() <= 10);
        }
    }

    #[test]
    fn what_is_asked_for_survives() {
        let cache = Cache::new(4);
        let kept = cache.parse("kept").unwrap();
        for number in 0..100 {
            cache.parse(&number.to_string()).unwrap();
            assert!(Arc::ptr_eq(&kept, &cache.parse("kept").unwrap()));
        }
    }
}
