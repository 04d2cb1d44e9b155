use serde_json::{Value, json};

use super::Instance;

async fn noted(instance: &Instance) -> String {
    let incident = instance.insert("incident", json!({"comments": "first"})).await;
    assert_eq!(incident["comments"], "");
    let path = format!("/api/now/table/incident/{}", incident["sys_id"].as_str().unwrap());
    instance.clock.forward(60);
    let changed = instance.send("PATCH", &path, json!({"work_notes": "second"})).await.result();
    assert_eq!((&changed["work_notes"], &changed["sys_mod_count"]), (&json!(""), &json!("1")));
    path
}

#[tokio::test]
async fn journals_read_raw_are_empty_and_shown_are_the_history_newest_first() {
    let instance = Instance::start().await;
    let path = noted(&instance).await;
    let shown = instance.get(&format!("{path}?sysparm_display_value=true")).await.result();
    let first = "2026-03-02 04:00:00 - System Administrator (Additional comments)\nfirst\n\n";
    let second = "2026-03-02 04:01:00 - System Administrator (Work notes)\nsecond\n\n";
    assert_eq!(shown["comments"], first);
    assert_eq!(shown["work_notes"], second);
    assert_eq!(shown["comments_and_work_notes"], format!("{second}{first}"));
    let all = instance.get(&format!("{path}?sysparm_display_value=all")).await.result();
    assert_eq!(all["work_notes"], json!({"display_value": second, "value": ""}));
}

#[tokio::test]
async fn entries_are_records_that_can_be_searched_by_a_marker() {
    let instance = Instance::start().await;
    let path = noted(&instance).await;
    let id = path.rsplit('/').next().unwrap();
    let query = format!("sysparm_query=element_id={id}^element=work_notes^valueLIKEsecond");
    let entries = instance.get(&format!("/api/now/table/sys_journal_field?{query}")).await.result();
    let entry = &entries.as_array().unwrap()[0];
    for (field, value) in [("name", "incident"), ("value", "second"), ("sys_created_by", "admin")] {
        assert_eq!(entry[field], value, "{field}");
    }
}

#[tokio::test]
async fn the_same_note_twice_is_two_entries_and_an_empty_one_none() {
    let instance = Instance::start().await;
    let path = noted(&instance).await;
    for (note, count) in [("second", "2"), ("", "2")] {
        let changed = instance.send("PUT", &path, json!({"work_notes": note})).await.result();
        assert_eq!(changed["sys_mod_count"], count);
    }
    let id = Value::from(path.rsplit('/').next().unwrap());
    let entries = instance.sandbox.records("sys_journal_field");
    assert_eq!(entries.iter().filter(|entry| entry["element_id"] == id).count(), 3);
}
