use jiff::{Timestamp, tz::TimeZone};

use super::{Query, Scene};
use crate::sandbox::{seed::Seed, store::Store};

fn store() -> Store {
    let text = r#"{"incident": [
        {"number": "A", "state": "1", "priority": "1", "short_description": "Disk is full", "order": "9",
         "opened_at": "2026-03-02 09:30:00", "sys_created_on": "2026-03-02 09:00:00", "active": "true",
         "impact": "1", "urgency": "1", "caller_id": "ca11e000000000000000000000000001"},
        {"number": "B", "state": "2", "short_description": "Mail disk", "order": "10",
         "opened_at": "2026-03-01 08:00:00", "sys_created_on": "2026-03-01 08:00:00",
         "impact": "2", "urgency": "2", "caller_id": "ca11e000000000000000000000000002"},
        {"number": "C", "state": "6", "close_code": "User error", "close_notes": "x", "short_description": "Printer",
         "opened_at": "2026-02-20 08:00:00", "sys_created_on": "2026-02-20 10:00:00", "active": "false"}],
        "sys_user": [
        {"sys_id": "ca11e000000000000000000000000001", "first_name": "Zoe", "last_name": "Zed", "user_name": "zoe"},
        {"sys_id": "ca11e000000000000000000000000002", "first_name": "Al", "last_name": "Abe", "user_name": "al"}]}"#;
    let seed = Seed::people().unwrap().and(text).unwrap();
    seed.plant("2026-03-02 12:00:00", fastrand::Rng::with_seed(7)).unwrap()
}

fn found(query: &str) -> String {
    let store = store();
    let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
    let scene = Scene {
        now,
        zone: &TimeZone::UTC,
        user_id: "ca11e000000000000000000000000001",
        user_name: "zoe",
    };
    let table = store.table("incident").unwrap();
    let query = Query::parse(query, &store, table, &scene);
    query.select(&store, table).iter().map(|record| record.get("number")).collect()
}

fn check(cases: &[(&str, &str)]) {
    for (query, numbers) in cases {
        assert_eq!(found(query), *numbers, "{query}");
    }
}

#[test]
fn equality_and_order_follow_the_columns_type() {
    check(&[
        ("state=1", "A"),
        ("state!=1", "BC"),
        ("order>9", "B"),
        ("order>=9", "AB"),
        ("order<10", "A"),
        ("orderBETWEEN10@11", "B"),
        ("number=a", "A"),
        ("active=1", "AB"),
        ("active!=true", "C"),
        ("opened_at>=2026-03-01 08:00:00", "AB"),
    ]);
}

#[test]
fn text_operators_ignore_case_and_see_the_names_of_references() {
    check(&[
        ("short_descriptionLIKEDISK", "AB"),
        ("short_description*disk", "AB"),
        ("short_descriptionSTARTSWITHdisk", "A"),
        ("short_descriptionENDSWITHdisk", "B"),
        ("short_description%disk", "B"),
        ("short_descriptionNOT LIKEdisk", "C"),
        ("short_description!*disk", "C"),
        ("caller_idSTARTSWITHzoe", "A"),
        ("caller_id=zoe", ""),
        ("123TEXTQUERY321=mail abe", "B"),
    ]);
}

#[test]
fn sets_empties_and_other_fields() {
    check(&[
        ("stateIN1,6", "AC"),
        ("stateNOT IN1,6", "B"),
        ("caller_idISEMPTY", "C"),
        ("caller_idISNOTEMPTY", "AB"),
        ("caller_idEMPTYSTRING", "C"),
        ("caller_idANYTHING", "ABC"),
        ("opened_atSAMEASsys_created_on", "B"),
        ("opened_atNSAMEASsys_created_on", "AC"),
        ("opened_atGT_FIELDsys_created_on", "A"),
        ("opened_atLT_OR_EQUALS_FIELDsys_created_on", "BC"),
        ("sys_class_nameINSTANCEOFtask", "ABC"),
        ("sys_class_nameINSTANCEOFcmdb_ci", ""),
    ]);
}

#[test]
fn dot_walks_go_through_references() {
    check(&[
        ("caller_id.user_name=al", "B"),
        ("caller_id.nameLIKEzed", "A"),
        ("caller_id.nothing=al", "ABC"),
        ("short_description.name=al", "ABC"),
    ]);
}

#[test]
fn or_binds_to_its_neighbour_and_new_query_separates_blocks() {
    check(&[
        ("active=true^state=1^ORstate=6", "A"),
        ("state=6^ORstate=1^active=true", "A"),
        ("active=true^state=1^NQstate=6", "AC"),
        ("^state=1^EQ", "A"),
    ]);
}

#[test]
fn order_may_be_asked_for_by_several_fields_and_by_a_references_name() {
    check(&[
        ("ORDERBYDESCnumber", "CBA"),
        ("active=true^ORDERBYcaller_id", "BA"),
        ("ORDERBYactive^ORDERBYDESCorder", "CBA"),
        ("ORDERBYorder^stateIN1,2", "AB"),
        ("ORDERBYnothing", "ABC"),
    ]);
}

#[test]
fn invalid_parts_are_dropped_and_the_rest_holds() {
    check(&[
        ("u_nothing=1", "ABC"),
        ("state=1^u_nothing=1", "A"),
        ("stateWEIRD1", "ABC"),
        ("state", "ABC"),
        ("opened_at>javascript:alert(1)", "ABC"),
        ("state=1^RLQUERYproblem.parent,>=1^active=true^ENDRLQUERY", "A"),
    ]);
}

#[test]
fn dates_relative_to_now_and_scripts() {
    check(&[
        ("opened_atONToday@javascript:gs.daysAgoStart(0)@javascript:gs.daysAgoEnd(0)", "A"),
        ("opened_atNOTONToday@javascript:gs.daysAgoStart(0)@javascript:gs.daysAgoEnd(0)", "BC"),
        ("opened_atBETWEENjavascript:gs.daysAgoStart(2)@javascript:gs.endOfYesterday()", "B"),
        ("opened_at>javascript:gs.hoursAgo(3)", "A"),
        ("opened_at>=javascript:gs.beginningOfThisMonth()", "AB"),
        ("opened_at<=javascript:gs.endOfLastMonth()", "C"),
        ("opened_at>=javascript:gs.dateGenerate('2026-03-02','start')", "A"),
        ("opened_atRELATIVEGT@hour@ago@3", "A"),
        ("opened_atRELATIVELT@dayofweek@ago@2", "C"),
        ("opened_atRELATIVEEE@day@ago@1", "B"),
        ("opened_atDATEPARTMonday@javascript:gs.datePart('dayofweek','monday','EE')", "A"),
        ("opened_atDATEPARTFebruary@javascript:gs.datePart('month','february','EE')", "C"),
        ("opened_atMORETHANsys_created_on@hour@before@1", "C"),
        ("opened_atLESSTHANsys_created_on@hour@after@1", "AB"),
    ]);
}

#[test]
fn the_caller_can_be_asked_for() {
    check(&[
        ("caller_id=javascript:gs.getUserID()", "A"),
        ("caller_idDYNAMIC90d1921e5f510100a9ad2572f2b477fe", "A"),
        ("caller_id.user_name=javascript:gs.getUserName()", "A"),
    ]);
}

#[test]
fn plain_pairs_take_display_values() {
    let store = store();
    let table = store.table("incident").unwrap();
    for (pairs, count) in [
        (vec![("state", "Resolved")], 1),
        (vec![("state", "6")], 1),
        (vec![("caller_id", "Zoe Zed")], 1),
        (vec![("nothing", "x"), ("state", "In Progress")], 1),
    ] {
        assert_eq!(Query::of_pairs(&pairs, &store, table).select(&store, table).len(), count);
    }
}
