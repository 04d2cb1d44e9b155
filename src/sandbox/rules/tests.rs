use super::{Stamp, fill_defaults, follow, missing};
use crate::sandbox::{record::Record, schema::Schema, store::Store};

fn store() -> Store {
    Store::new(Schema::build(&[]).unwrap(), fastrand::Rng::with_seed(1))
}

fn stamp() -> Stamp {
    Stamp {
        now: "2026-03-01 10:00:00".into(),
        user: "6816f79cc0a8016401c5a33be04be441".into(),
        user_name: "admin".into(),
    }
}

fn new_record(store: &mut Store, table: &str, fields: &[(&str, &str)]) -> Record {
    let table = store.table(table).unwrap().clone();
    let mut record = Record::new(&table.name);
    for (field, value) in fields {
        record.set_in(&table, field, *value);
    }
    fill_defaults(store, &table, &mut record, &stamp());
    follow(&table, None, &mut record, &stamp());
    record
}

fn changed(store: &Store, old: &Record, fields: &[(&str, &str)]) -> Record {
    let table = store.table(&old.class).unwrap();
    let mut record = old.clone();
    for (field, value) in fields {
        record.set_in(table, field, *value);
    }
    follow(table, Some(old), &mut record, &stamp());
    record
}

#[test]
fn a_bare_incident_gets_the_stock_defaults() {
    let incident = new_record(&mut store(), "incident", &[]);
    for (field, value) in [
        ("number", "INC0010001"),
        ("task_effective_number", "INC0010001"),
        ("state", "1"),
        ("incident_state", "1"),
        ("impact", "3"),
        ("urgency", "3"),
        ("priority", "5"),
        ("category", "inquiry"),
        ("active", "true"),
        ("opened_at", "2026-03-01 10:00:00"),
        ("opened_by", "6816f79cc0a8016401c5a33be04be441"),
        ("sys_class_name", "incident"),
        ("sys_domain", "global"),
        ("sys_mod_count", "0"),
    ] {
        assert_eq!(incident.get(field), value, "{field}");
    }
}

#[test]
fn priority_follows_impact_and_urgency() {
    let mut store = store();
    for (impact, urgency, priority) in
        [("1", "1", "1"), ("2", "1", "2"), ("2", "2", "3"), ("1", "3", "3"), ("2", "3", "4")]
    {
        let fields = [("impact", impact), ("urgency", urgency), ("priority", "5")];
        let incident = new_record(&mut store, "incident", &fields);
        assert_eq!(incident.get("priority"), priority, "{impact}/{urgency}");
    }
}

#[test]
fn state_and_its_twin_follow_each_other() {
    let mut store = store();
    let incident = new_record(&mut store, "incident", &[("incident_state", "2")]);
    assert_eq!(incident.get("state"), "2");
    let incident = changed(&store, &incident, &[("state", "3")]);
    assert_eq!(incident.get("incident_state"), "3");
    let problem = new_record(&mut store, "problem", &[("state", "103")]);
    assert_eq!(problem.get("problem_state"), "103");
}

#[test]
fn resolving_closing_and_reopening_leave_their_marks() {
    let mut store = store();
    let incident = new_record(&mut store, "incident", &[]);
    let resolved = changed(&store, &incident, &[("state", "6")]);
    assert_eq!(resolved.get("resolved_at"), "2026-03-01 10:00:00");
    assert_eq!(resolved.get("active"), "true");
    let closed = changed(&store, &resolved, &[("state", "7")]);
    assert_eq!(closed.get("active"), "false");
    assert!(!closed.get("closed_by").is_empty());
    let reopened = changed(&store, &closed, &[("state", "2")]);
    assert_eq!(reopened.get("active"), "true");
    assert_eq!(reopened.get("reopen_count"), "1");
    assert_eq!(reopened.get("closed_at"), "");
}

#[test]
fn the_data_policy_names_labels() {
    let mut store = store();
    let incident = new_record(&mut store, "incident", &[("state", "6")]);
    let table = store.table("incident").unwrap();
    assert_eq!(missing(table, &incident), ["Resolution code", "Resolution notes"]);
    let done = [("close_code", "User error"), ("close_notes", "done")];
    assert!(missing(table, &changed(&store, &incident, &done)).is_empty());
}

#[test]
fn a_second_group_counts_as_a_reassignment() {
    let mut store = store();
    let incident = new_record(&mut store, "incident", &[]);
    let first = changed(&store, &incident, &[("assignment_group", "a")]);
    assert_eq!(first.get("reassignment_count"), "0");
    let second = changed(&store, &first, &[("assignment_group", "b")]);
    assert_eq!(second.get("reassignment_count"), "1");
}
