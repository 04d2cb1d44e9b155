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
async fn entries_are_found_by_record_journal_and_time_newest_first_and_counted() {
    let instance = Instance::start().await;
    let path = noted(&instance).await;
    instance.clock.forward(60);
    instance.send("PATCH", &path, json!({"work_notes": "third"})).await;
    let id = path.rsplit('/').next().unwrap();
    let look = async |elements: &str, since: &str| {
        let query = format!(
            "sysparm_query=element_id={id}^elementIN{elements}^sys_created_on>={since}\
             ^ORDERBYDESCsys_created_on&sysparm_limit=500\
             &sysparm_fields=element_id,element,value,sys_created_on"
        );
        let answer = instance.get(&format!("/api/now/table/sys_journal_field?{query}")).await;
        let count = answer.header("X-Total-Count").to_owned();
        let rows = answer.result().as_array().unwrap().clone();
        (count, rows.into_iter().map(|row| row["value"].clone()).collect::<Vec<_>>())
    };
    // Raw times are UTC.
    let since = "2026-03-02%2012:01:00";
    assert_eq!(
        look("work_notes", since).await,
        ("2".to_owned(), vec![json!("third"), json!("second")])
    );
    assert_eq!(look("comments", since).await, ("0".to_owned(), vec![]));
    let since = "2026-03-02%2012:00:00";
    assert_eq!(look("comments,work_notes", since).await.0, "3");
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
