//! Record numbers: a prefix and at least seven digits, counted per prefix from 0010001.

use std::collections::HashMap;

const FIRST: u64 = 10_001;

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    next: HashMap<String, u64>,
}

impl Numbers {
    /// The next number with that prefix.
    pub(crate) fn draw(&mut self, prefix: &str) -> String {
        let next = self.next.entry(prefix.to_owned()).or_insert(FIRST);
        let number = format!("{prefix}{next:07}");
        *next += 1;
        number
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn each_prefix_counts_for_itself() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.draw("INC"), "INC0010001");
        assert_eq!(numbers.draw("INC"), "INC0010002");
        assert_eq!(numbers.draw("CHG"), "CHG0010001");
    }
}
