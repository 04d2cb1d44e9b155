use serde_json::json;
use servicenow_worker::sandbox::DuplicateIdAnswer;

use super::{Answer, Instance};

const INCIDENTS: &str = "/api/now/table/incident";
const CHOSEN: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn an_insert_answers_201_with_location_number_and_defaults() {
    let instance = Instance::start().await;
    let body = json!({"short_description": "disk full", "impact": "2", "urgency": 2});
    let answer = instance.send("POST", "/api/now/v2/table/incident", body).await;
    assert_eq!(answer.status, 201);
    let incident = answer.result();
    let id = incident["sys_id"].as_str().unwrap();
    let location = format!("{}/api/now/v2/table/incident/{id}", instance.base);
    assert_eq!(answer.header("location"), location);
    for (field, value) in [
        ("number", "INC0010001"),
        ("state", "1"),
        ("incident_state", "1"),
        ("priority", "3"),
        ("category", "inquiry"),
        ("active", "true"),
        ("opened_at", "2026-03-02 12:00:00"),
        ("sys_created_on", "2026-03-02 12:00:00"),
        ("sys_created_by", "admin"),
        ("sys_mod_count", "0"),
        ("sys_class_name", "incident"),
        ("task_effective_number", "INC0010001"),
        ("sys_domain_path", "/"),
        ("sys_tags", ""),
    ] {
        assert_eq!(incident[field], value, "{field}");
    }
    assert_eq!(incident["opened_by"]["value"], "6816f79cc0a8016401c5a33be04be441");
}

#[tokio::test]
async fn other_tables_have_their_own_numbers_and_states() {
    let instance = Instance::start().await;
    for (table, number, state) in [
        ("change_request", "CHG0010001", "-5"),
        ("change_task", "CTASK0010001", "1"),
        ("problem", "PRB0010001", "101"),
        ("sc_request", "REQ0010001", "1"),
        ("sc_req_item", "RITM0010001", "1"),
        ("sc_task", "SCTASK0010001", "1"),
    ] {
        let record = instance.insert(table, json!({})).await;
        assert_eq!((&record["number"], &record["state"]), (&json!(number), &json!(state)));
        assert_eq!(record["sys_class_name"], table);
    }
    let user =
        instance.insert("sys_user", json!({"first_name": "Ada", "last_name": "Byron"})).await;
    assert_eq!((&user["name"], &user["active"]), (&json!("Ada Byron"), &json!("true")));
    assert_eq!(instance.insert("cmdb_ci", json!({"name": "x"})).await["install_status"], "1");
    assert_eq!(instance.insert("sys_user_group", json!({"name": "x"})).await["active"], "true");
}

#[tokio::test]
async fn unknown_fields_and_values_are_dropped_without_a_word() {
    let instance = Instance::start().await;
    let body = json!({
        "u_nothing": "x", "short_description": "kept", "state": "77", "category": "weather",
        "caller_id": "nobody in particular", "sys_created_by": "someone", "sys_mod_count": "9"
    });
    let incident = instance.insert("incident", body).await;
    assert!(incident.get("u_nothing").is_none());
    for (field, value) in [
        ("short_description", "kept"),
        ("state", "1"),
        ("category", "inquiry"),
        ("caller_id", ""),
        ("sys_created_by", "admin"),
        ("sys_mod_count", "0"),
    ] {
        assert_eq!(incident[field], value, "{field}");
    }
}

#[tokio::test]
async fn display_input_resolves_labels_names_and_local_times() {
    let instance = Instance::start().await;
    let body = json!({"state": "In Progress", "caller_id": "Abel Tuter", "due_date": "2026-03-02 04:00:00"});
    let path = format!(
        "{INCIDENTS}?sysparm_input_display_value=true&sysparm_fields=state,caller_id.user_name,due_date"
    );
    let expected = json!({"state": "2", "caller_id.user_name": "abel.tuter", "due_date": "2026-03-02 12:00:00"});
    assert_eq!(instance.send("POST", &path, body).await.result(), expected);
}

#[tokio::test]
async fn put_and_patch_change_only_what_is_sent_and_count_only_changes() {
    let instance = Instance::start().await;
    let incident =
        instance.insert("incident", json!({"short_description": "a", "urgency": "1"})).await;
    let path = format!("{INCIDENTS}/{}", incident["sys_id"].as_str().unwrap());
    instance.clock.forward(60);
    for (method, body, description, count, updated) in [
        ("PUT", json!({"short_description": "b"}), "b", "1", "2026-03-02 12:01:00"),
        ("PATCH", json!({"short_description": "b"}), "b", "1", "2026-03-02 12:01:00"),
        ("PATCH", json!({"u_nothing": "x"}), "b", "1", "2026-03-02 12:01:00"),
        ("PATCH", json!({"short_description": ""}), "", "2", "2026-03-02 12:01:00"),
        ("PATCH", json!({"state": ""}), "", "2", "2026-03-02 12:01:00"),
    ] {
        let answer = instance.send(method, &path, body).await;
        let record = answer.result();
        assert_eq!((answer.status, &record["short_description"]), (200, &json!(description)));
        assert_eq!(
            (&record["sys_mod_count"], &record["sys_updated_on"]),
            (&json!(count), &json!(updated))
        );
        assert_eq!((&record["urgency"], &record["state"]), (&json!("1"), &json!("1")));
    }
    let quiet = format!("{path}?sysparm_suppress_auto_sys_field=true");
    let record = instance.send("PATCH", &quiet, json!({"short_description": "c"})).await.result();
    assert_eq!(
        (&record["short_description"], &record["sys_mod_count"]),
        (&json!("c"), &json!("2"))
    );
}

#[tokio::test]
async fn resolving_needs_code_and_notes_named_by_their_labels() {
    let instance = Instance::start().await;
    let incident = instance.insert("incident", json!({})).await;
    let path = format!("{INCIDENTS}/{}", incident["sys_id"].as_str().unwrap());
    let both = "Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes";
    instance.send("PATCH", &path, json!({"state": "6"})).await.assert_failure(
        403,
        "Operation Failed",
        both,
    );
    let old_code = json!({"state": 6, "close_code": "Solved (Permanently)", "close_notes": "x"});
    let code = "Data Policy Exception: The following fields are mandatory: Resolution code";
    instance.send("PATCH", &path, old_code).await.assert_failure(403, "Operation Failed", code);
    assert_eq!(instance.get(&path).await.result()["sys_mod_count"], "0");
    let done = json!({"incident_state": "6", "close_code": "User error", "close_notes": "x"});
    let resolved = instance.send("PATCH", &path, done).await.result();
    assert_eq!((&resolved["state"], &resolved["incident_state"]), (&json!("6"), &json!("6")));
    assert_eq!(resolved["resolved_at"], "2026-03-02 12:00:00");
}

#[tokio::test]
async fn a_sys_id_of_the_clients_choice_is_honoured_as_written() {
    let instance = Instance::start().await;
    for id in [CHOSEN, "AAAABBBBCCCCDDDDEEEEFFFF00001111"] {
        let problem = instance.insert("problem", json!({"sys_id": id})).await;
        assert_eq!(problem["sys_id"], id);
        assert_eq!(instance.get(&format!("/api/now/table/problem/{id}")).await.status, 200);
    }
    let other = instance.insert("problem", json!({"sys_id": "too short"})).await;
    assert_eq!(other["sys_id"].as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn a_second_insert_with_the_same_sys_id_hits_the_unique_key() {
    for (setting, status) in [
        (DuplicateIdAnswer::Forbidden, 403),
        (DuplicateIdAnswer::Conflict, 409),
        (DuplicateIdAnswer::ServerError, 500),
    ] {
        let instance = Instance::with(|config| config.duplicate_id_answer = setting).await;
        instance.insert("incident", json!({"sys_id": CHOSEN, "short_description": "first"})).await;
        for table in ["incident", "problem"] {
            let path = format!("/api/now/table/{table}");
            let answer = instance.send("POST", &path, json!({"sys_id": CHOSEN})).await;
            assert_eq!(answer.status, status);
            let detail = answer.json()["error"]["detail"].as_str().unwrap().to_owned();
            assert!(detail.starts_with("Unique Key violation detected by database"), "{detail}");
            assert!(detail.contains(CHOSEN), "{detail}");
        }
        assert_eq!(instance.sandbox.records("incident").len(), 11);
    }
}

#[tokio::test]
async fn a_second_insert_can_also_be_set_to_update() {
    let instance = Instance::with(|c| c.duplicate_id_answer = DuplicateIdAnswer::Update).await;
    instance.insert("incident", json!({"sys_id": CHOSEN})).await;
    let body = json!({"sys_id": CHOSEN, "short_description": "second"});
    let answer = instance.send("POST", INCIDENTS, body).await;
    assert_eq!((answer.status, &answer.result()["short_description"]), (200, &json!("second")));
}

#[tokio::test]
async fn a_delete_answers_204_and_the_second_404() {
    let instance = Instance::start().await;
    let incident = instance.insert("incident", json!({})).await;
    let path = format!("{INCIDENTS}/{}", incident["sys_id"].as_str().unwrap());
    let answer = Answer::of(instance.request("DELETE", &path)).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(Answer::of(instance.request("DELETE", &path)).await.status, 404);
    assert_eq!(instance.send("PUT", &path, json!({"state": "2"})).await.status, 404);
}

#[tokio::test]
async fn a_post_can_stand_for_another_verb() {
    let instance = Instance::start().await;
    let incident = instance.insert("incident", json!({})).await;
    let path = format!("{INCIDENTS}/{}", incident["sys_id"].as_str().unwrap());
    for (verb, body, status) in
        [("PATCH", "{\"state\":\"2\"}", 200), ("DELETE", "", 204), ("GET", "", 404)]
    {
        let request = instance.request("POST", &path).header("x-http-method-override", verb);
        assert_eq!(Answer::of(request.body(body)).await.status, status, "{verb}");
    }
}

#[tokio::test]
async fn the_body_can_be_left_out_of_the_answer() {
    let instance = Instance::start().await;
    let request = instance.request("POST", INCIDENTS).header("x-no-response-body", "true");
    let answer = Answer::of(request.body("{}")).await;
    assert_eq!((answer.status, answer.text.as_str()), (201, ""));
    assert!(answer.header("location").contains("/api/now/table/incident/"));
}

#[tokio::test]
async fn of_an_array_the_first_record_counts_and_bad_json_is_400() {
    let instance = Instance::start().await;
    let body = json!([{"short_description": "one"}, {"short_description": "two"}]);
    assert_eq!(instance.insert("incident", body).await["short_description"], "one");
    assert_eq!(instance.sandbox.records("incident").len(), 11);
    let broken = instance.request("POST", INCIDENTS).body("{\"a\":");
    let message = "Exception while reading request";
    Answer::of(broken).await.assert_failure(400, message, "The payload is not valid JSON.");
}

#[tokio::test]
async fn a_body_over_10_mib_is_refused_with_its_size() {
    let instance = Instance::start().await;
    let body = json!({"description": "x".repeat(11 * 1024 * 1024)}).to_string();
    let detail = format!(
        "Rejected large REST payload with content-length = {} bytes. Max allowed: 10485760 bytes.",
        body.len()
    );
    let answer = Answer::of(instance.request("POST", INCIDENTS).body(body)).await;
    answer.assert_failure(400, "Exception while reading request", detail);
}

#[tokio::test]
async fn verbs_that_a_path_does_not_have_are_405() {
    let instance = Instance::start().await;
    assert_eq!(instance.send("DELETE", INCIDENTS, json!({})).await.status, 405);
    assert_eq!(instance.send("POST", "/api/now/stats/incident", json!({})).await.status, 405);
}

#[tokio::test]
async fn rights_follow_roles() {
    let instance = Instance::start().await.login("itil", "itil");
    let incident = instance.insert("incident", json!({})).await;
    assert_eq!(incident["sys_created_by"], "itil");
    let path = format!("{INCIDENTS}/{}", incident["sys_id"].as_str().unwrap());
    let delete = instance.send("DELETE", &path, json!({})).await;
    let detail = "ACL Exception Delete Failed due to security constraints";
    delete.assert_failure(403, "Operation Failed", detail);
    let user = instance.send("POST", "/api/now/table/sys_user", json!({"user_name": "x"})).await;
    let detail = "ACL Exception Insert Failed due to security constraints";
    user.assert_failure(403, "Operation Failed", detail);
}
