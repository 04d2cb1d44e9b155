//! What instances did with the sys_id that an insert asked for, table by table.
//!
//! One record per job rests on the instance taking our sys_id, and on it taking it once.
//! Where one does not, every later insert on that table has to look before it writes, so the
//! core remembers it for as long as it lives. Both sides are bounded: jobs may name instances of their own.
#![deny(clippy::disallowed_types)]

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::servicenow::{Instance, Table};

/// Most tables remembered of each kind.
const MAX_TABLES: usize = 1_000;

/// A record that got another sys_id than it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdNotHonoured {
    /// The first on its table, as far as this worker knows.
    First,
    /// One more.
    Again,
}

/// The memory.
#[derive(Debug, Default)]
pub(crate) struct Honouring(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    honouring: BTreeSet<Place>,
    refusing: BTreeSet<Place>,
    overwriting: BTreeSet<Place>,
}

/// A table of an instance.
type Place = (String, String);

impl Honouring {
    /// Whether a record of the table has got another sys_id than it was asked for.
    pub(crate) fn refuses(&self, instance: &Instance, table: &Table) -> bool {
        self.lock().refusing.contains(&place(instance, table))
    }

    /// Whether records of the table have got the sys_id they were asked for, all of them.
    pub(crate) fn honours(&self, instance: &Instance, table: &Table) -> bool {
        let (place, seen) = (place(instance, table), self.lock());
        seen.honouring.contains(&place) && !seen.refusing.contains(&place)
    }

    /// Remembers which sys_id a new record got: the one asked for, or another.
    pub(crate) fn saw(
        &self,
        instance: &Instance,
        table: &Table,
        as_asked: bool,
    ) -> Option<IdNotHonoured> {
        let mut seen = self.lock();
        let places = if as_asked { &mut seen.honouring } else { &mut seen.refusing };
        let is_new = places.len() < MAX_TABLES && places.insert(place(instance, table));
        match (as_asked, is_new) {
            (true, _) => None,
            (false, true) => Some(IdNotHonoured::First),
            (false, false) => Some(IdNotHonoured::Again),
        }
    }

    /// Whether a second insert with the same sys_id has been taken for an update.
    pub(crate) fn overwrites(&self, instance: &Instance, table: &Table) -> bool {
        self.lock().overwriting.contains(&place(instance, table))
    }

    /// Remembers that.
    pub(crate) fn saw_overwriting(&self, instance: &Instance, table: &Table) {
        let places = &mut self.lock().overwriting;
        if places.len() < MAX_TABLES {
            places.insert(place(instance, table));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(instance: &Instance, table: &Table) -> Place {
    (instance.base_url().to_owned(), table.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Honouring, IdNotHonoured, MAX_TABLES};
    use crate::servicenow::{Instance, Table};

    #[test]
    fn a_table_is_known_by_its_instance_and_told_of_once() {
        let (one, two) =
            (Instance::parse("a", false).unwrap(), Instance::parse("b", false).unwrap());
        let table = Table::parse("u_order").unwrap();
        let honouring = Honouring::default();
        assert!(!honouring.refuses(&one, &table) && !honouring.honours(&one, &table));
        assert_eq!(honouring.saw(&one, &table, true), None);
        assert!(honouring.honours(&one, &table) && !honouring.honours(&two, &table));
        assert_eq!(honouring.saw(&one, &table, false), Some(IdNotHonoured::First));
        assert_eq!(honouring.saw(&one, &table, false), Some(IdNotHonoured::Again));
        assert!(honouring.refuses(&one, &table) && !honouring.honours(&one, &table));
        assert!(!honouring.refuses(&two, &table));
    }

    #[test]
    fn the_memory_has_an_end() {
        let instance = Instance::parse("a", false).unwrap();
        let honouring = Honouring::default();
        for number in 0..MAX_TABLES + 5 {
            let table = Table::parse(&format!("u_{number}")).unwrap();
            let expected =
                if number < MAX_TABLES { IdNotHonoured::First } else { IdNotHonoured::Again };
            assert_eq!(honouring.saw(&instance, &table, false), Some(expected));
        }
        assert_eq!(honouring.lock().refusing.len(), MAX_TABLES);
    }
}
