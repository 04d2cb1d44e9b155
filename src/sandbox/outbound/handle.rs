//! The business rules of a sandbox, in code.

use super::{BusinessRule, Delivery, check};
use crate::sandbox::{Shared, error::Error};

/// The rules in force and what they sent.
#[derive(Clone, Copy, Debug)]
pub struct BusinessRules<'a> {
    shared: &'a Shared,
}

impl<'a> BusinessRules<'a> {
    pub(crate) fn of(shared: &'a Shared) -> Self {
        Self { shared }
    }

    /// Adds a rule; of two with one name the later counts.
    pub fn push(&self, rule: BusinessRule) -> Result<(), Error> {
        self.extend(vec![rule])
    }

    /// Adds rules; a wrong one among them and none is taken.
    pub fn extend(&self, rules: Vec<BusinessRule>) -> Result<(), Error> {
        self.check(&rules)?;
        for rule in rules {
            self.shared.courier.push(rule);
        }
        Ok(())
    }

    /// Puts these in the place of all; a wrong one among them and nothing changes.
    pub fn replace(&self, rules: Vec<BusinessRule>) -> Result<(), Error> {
        self.check(&rules)?;
        self.shared.courier.replace(rules);
        Ok(())
    }

    /// Takes all rules away; deliveries under way go on.
    pub fn clear(&self) {
        self.shared.courier.replace(Vec::new());
    }

    /// The rules, oldest first.
    pub fn all(&self) -> Vec<BusinessRule> {
        self.shared.courier.rules()
    }

    /// The latest deliveries, oldest first, as many as the log holds.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.courier.deliveries()
    }

    /// Waits until every delivery has ended.
    pub async fn settled(&self) {
        self.shared.courier.settled().await;
    }

    fn check(self, rules: &[BusinessRule]) -> Result<(), Error> {
        let now = self.shared.config.clock.now();
        let store = self.shared.read();
        rules.iter().try_for_each(|rule| check(rule, &store, now))
    }
}
