//! What a person sees in place of a raw value: labels for choices, names for references,
//! local times, thousands separators, words for durations.

use jiff::tz::TimeZone;

use super::{
    journal,
    record::Record,
    schema::{Column, Kind},
    store::Store,
    time,
};

/// The display value of a record's field, as somebody in that zone sees it.
pub(crate) fn of_field(store: &Store, record: &Record, column: &Column, zone: &TimeZone) -> String {
    match column.kind {
        Kind::Journal => journal::history(store, record, &[&column.name], zone),
        Kind::JournalList => {
            let journals: Vec<&str> = column.merges.iter().map(String::as_str).collect();
            journal::history(store, record, &journals, zone)
        }
        _ => of_value(store, column, record.get(&column.name), zone),
    }
}

/// The display value of a raw value.
pub(crate) fn of_value(store: &Store, column: &Column, raw: &str, zone: &TimeZone) -> String {
    match column.kind {
        Kind::DueDate if raw.is_empty() => "UNKNOWN".to_owned(),
        _ if raw.is_empty() => String::new(),
        Kind::Choice => column.label_of(raw).unwrap_or(raw).to_owned(),
        Kind::Reference => of_reference(store, column, raw),
        Kind::List => {
            let names: Vec<String> =
                raw.split(',').map(|item| named(store, column, item.trim())).collect();
            names.join(", ")
        }
        Kind::DateTime | Kind::DueDate => time::seen_in(raw, zone),
        Kind::Duration => time::duration_in_words(raw).unwrap_or_else(|| raw.to_owned()),
        Kind::Integer => with_separators(raw),
        Kind::ClassName => store.table(raw).map_or(raw, |table| &table.label).to_owned(),
        _ => raw.to_owned(),
    }
}

/// The name of the record that a reference points to; empty when it is not there.
pub(crate) fn of_reference(store: &Store, column: &Column, sys_id: &str) -> String {
    if sys_id == "global" {
        return sys_id.to_owned();
    }
    let Some(table) = column.reference.as_deref().and_then(|name| store.table(name)) else {
        return String::new();
    };
    store.find(table, sys_id).map_or_else(String::new, |record| of_record(store, record).to_owned())
}

/// What a record is called in references to it.
pub(crate) fn of_record<'a>(store: &Store, record: &'a Record) -> &'a str {
    let display = store.table(&record.class).and_then(|table| table.display.clone());
    display.map_or_else(|| record.sys_id(), |field| record.get(&field))
}

fn named(store: &Store, column: &Column, item: &str) -> String {
    let name = of_reference(store, column, item);
    if name.is_empty() { item.to_owned() } else { name }
}

fn with_separators(raw: &str) -> String {
    let (sign, digits) = raw.strip_prefix('-').map_or(("", raw), |digits| ("-", digits));
    let mut shown = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::with_separators;

    #[test]
    fn integers_get_thousands_separators() {
        for (raw, shown) in [("7", "7"), ("102197", "102,197"), ("-1000", "-1,000"), ("999", "999")]
        {
            assert_eq!(with_separators(raw), shown);
        }
    }
}
