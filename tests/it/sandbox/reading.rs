use serde_json::json;

use super::{Answer, Instance, column};

const FIRST: &str = "sysparm_query=number=INC0000001";

#[tokio::test]
async fn every_scalar_is_a_text_and_references_have_links_that_echo_version_and_host() {
    let instance = Instance::start().await;
    for version in ["", "v1/", "v2/"] {
        let path = format!("/api/now/{version}table/incident?{FIRST}");
        let list = instance.get(&path).await.result();
        let incident = &list[0];
        assert_eq!(incident["active"], "false");
        assert_eq!(incident["priority"], "1");
        assert_eq!(incident["parent"], "");
        let caller = incident["caller_id"].clone();
        let id = caller["value"].as_str().unwrap();
        let link = format!("{}/api/now/{version}table/sys_user/{id}", instance.base);
        assert_eq!(caller, json!({"link": link, "value": id}));
        let domain = format!("{}/api/now/{version}table/sys_user_group/global", instance.base);
        assert_eq!(incident["sys_domain"], json!({"link": domain, "value": "global"}));
        assert_eq!(instance.get(link.strip_prefix(&instance.base).unwrap()).await.status, 200);
    }
}

#[tokio::test]
async fn without_links_references_are_plain_texts_in_raw_and_display_mode() {
    let instance = Instance::start().await;
    let path = format!(
        "/api/now/table/incident?{FIRST}&sysparm_exclude_reference_link=true&sysparm_fields=caller_id"
    );
    let raw = instance.get(&path).await.result();
    assert_eq!(raw[0]["caller_id"].as_str().unwrap().len(), 32);
    let shown = instance.get(&format!("{path}&sysparm_display_value=true")).await.result();
    assert_eq!(shown, json!([{"caller_id": "Joe Employee"}]));
}

#[tokio::test]
async fn display_mode_shows_labels_names_local_times_words_and_separators() {
    let instance = Instance::start().await;
    let path = format!("/api/now/table/incident?{FIRST}&sysparm_display_value=true");
    let incident = &instance.get(&path).await.result()[0];
    for (field, shown) in [
        ("state", "Closed"),
        ("priority", "1 - Critical"),
        ("opened_at", "2026-01-05 07:19:57"),
        ("calendar_duration", "16 Hours 40 Minutes"),
        ("calendar_stc", "60,003"),
        ("sys_class_name", "Incident"),
        ("sla_due", "UNKNOWN"),
        ("upon_reject", "Cancel all future Tasks"),
        ("parent", ""),
    ] {
        assert_eq!(incident[field], shown, "{field}");
    }
    assert_eq!(incident["assigned_to"]["display_value"], "David Loo");
    assert!(incident["assigned_to"]["link"].is_string());
    assert!(incident["assigned_to"].get("value").is_none());
}

#[tokio::test]
async fn all_mode_gives_both_values_of_every_field() {
    let instance = Instance::start().await;
    let path = format!("/api/now/table/incident?{FIRST}&sysparm_display_value=all");
    let incident = &instance.get(&path).await.result()[0];
    assert_eq!(incident["state"], json!({"display_value": "Closed", "value": "7"}));
    assert_eq!(incident["parent"], json!({"display_value": "", "value": ""}));
    let caller = &incident["caller_id"];
    assert_eq!(caller["display_value"], "Joe Employee");
    assert!(caller["link"].as_str().unwrap().ends_with(caller["value"].as_str().unwrap()));
    assert!(incident.as_object().unwrap().values().all(|field| field["value"].is_string()));
}

#[tokio::test]
async fn fields_may_walk_references_and_unknown_ones_are_absent() {
    let instance = Instance::start().await;
    let fields = "sysparm_fields=number,caller_id.name,caller_id.company.name,parent.number,u_nothing,caller_id.u_no";
    let path = format!("/api/now/table/incident?{FIRST}&{fields}");
    let expected = json!([{
        "number": "INC0000001",
        "caller_id.name": "Joe Employee",
        "caller_id.company.name": "ACME North America",
        "parent.number": ""
    }]);
    assert_eq!(instance.get(&path).await.result(), expected);
    let both = instance.get(&format!("{path}&sysparm_display_value=all")).await.result();
    let name = json!({"display_value": "Joe Employee", "value": "Joe Employee"});
    assert_eq!(both[0]["caller_id.name"], name);
}

#[tokio::test]
async fn a_parent_table_lists_and_finds_its_childrens_records() {
    let instance = Instance::start().await;
    let path = "/api/now/table/task?sysparm_query=numberINCHG0000001,PRB0000001^ORDERBYnumber";
    let tasks = instance.get(path).await.result();
    assert_eq!(column(&tasks, "sys_class_name"), ["change_request", "problem"]);
    let id = tasks[0]["sys_id"].as_str().unwrap();
    let one = instance.get(&format!("/api/now/table/task/{id}")).await.result();
    assert_eq!(one["number"], "CHG0000001");
    assert!(one.get("risk").is_none(), "a column of the child only");
    let servers = instance.get("/api/now/table/cmdb_ci?sysparm_query=name=web-01").await.result();
    assert_eq!(servers[0]["sys_class_name"], "cmdb_ci_server");
}

#[tokio::test]
async fn encoded_queries_and_plain_pairs_select() {
    let instance = Instance::start().await;
    for (query, numbers) in [
        ("sysparm_query=state=2^priority=1", vec!["INC0000003"]),
        (
            "sysparm_query=caller_id.user_name=abel.tuter^ORDERBYDESCnumber",
            vec!["INC0000008", "INC0000007", "INC0000002"],
        ),
        ("sysparm_query=short_descriptionLIKEsap^NQstate=8", vec!["INC0000009", "INC0000010"]),
        ("state=On%20Hold", vec!["INC0000002"]),
        ("state=8&sysparm_limit=5", vec!["INC0000010"]),
        ("sysparm_query=number=INC0000009^u_no_such_column=1", vec!["INC0000009"]),
    ] {
        let list = instance.get(&format!("/api/now/table/incident?{query}")).await.result();
        assert_eq!(column(&list, "number"), numbers, "{query}");
    }
}

#[tokio::test]
async fn an_invalid_query_returns_everything_or_nothing_by_the_property() {
    let path = "/api/now/table/incident?sysparm_query=u_no_such_column=1";
    let lax = Instance::start().await;
    assert_eq!(lax.get(path).await.result().as_array().unwrap().len(), 10);
    let strict = Instance::with(|config| config.invalid_query_returns_no_rows = true).await;
    assert_eq!(strict.get(path).await.result(), json!([]));
}

#[tokio::test]
async fn a_list_without_match_is_empty_but_404_in_version_1() {
    let instance = Instance::start().await;
    for version in ["", "v2/"] {
        let path = format!("/api/now/{version}table/incident?sysparm_query=number=nothing");
        let answer = instance.get(&path).await;
        assert_eq!((answer.status, answer.result()), (200, json!([])));
    }
    instance.get("/api/now/v1/table/incident?sysparm_query=number=nothing").await.assert_failure(
        404,
        "No Record found",
        "Records matching query not found. Check query parameter or offset parameter",
    );
}

#[tokio::test]
async fn what_is_not_there_is_answered_in_servicenows_words() {
    let instance = Instance::start().await;
    let absent = "/api/now/table/incident/00000000000000000000000000000000";
    instance.get(absent).await.assert_failure(
        404,
        "No Record found",
        "Record doesn't exist or ACL restricts the record retrieval",
    );
    instance.get("/api/now/table/sys_nonexistent").await.assert_failure(
        400,
        "Invalid table sys_nonexistent",
        json!(null),
    );
    for path in [
        "/api/now/unheard_of",
        "/api/now/table",
        "/api/now/table/incident/a/b",
        "/api/sn_sc/servicecatalog/items",
    ] {
        let message = "Requested URI does not represent any resource";
        instance.get(path).await.assert_failure(400, message, path);
    }
    let page = instance.get("/nowhere").await;
    assert_eq!((page.status, page.header("content-type")), (404, "text/html;charset=UTF-8"));
}

#[tokio::test]
async fn answers_have_the_headers_of_a_live_instance() {
    let instance = Instance::start().await;
    let answer = instance.get("/api/now/table/incident?sysparm_limit=1").await;
    for (name, value) in [
        ("content-type", "application/json;charset=UTF-8"),
        ("transfer-encoding", "chunked"),
        ("server", "ServiceNow"),
        ("keep-alive", "timeout=20"),
        ("x-is-logged-in", "true"),
        ("cache-control", "no-cache,no-store,must-revalidate,max-age=-1"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert_eq!(answer.header("x-transaction-id").len(), 12);
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert!(cookies[0].to_str().unwrap().starts_with("JSESSIONID="));
    let again = instance.request("GET", "/api/now/table/incident?sysparm_limit=1");
    let again = Answer::of(again.header("cookie", "JSESSIONID=A")).await;
    assert_eq!(again.header("set-cookie"), "");
}

#[tokio::test]
async fn head_has_the_headers_and_no_body() {
    let instance = Instance::start().await;
    let answer = Answer::of(instance.request("HEAD", "/api/now/table/incident")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(answer.header("x-total-count"), "10");
}

#[tokio::test]
async fn only_json_is_spoken() {
    let instance = Instance::start().await;
    let request = instance.request("GET", "/api/now/table/incident");
    assert_eq!(Answer::of(request.header("accept", "application/xml")).await.status, 406);
    let request = instance.request("POST", "/api/now/table/incident");
    let request = request.header("content-type", "text/xml").body("<a/>");
    assert_eq!(Answer::of(request).await.status, 415);
}

#[tokio::test]
async fn a_seed_file_brings_records_columns_and_tables_of_its_own() {
    let seed = r#"{
        "$tables": {"u_asset": {"label": "Asset", "display": "u_name", "columns": {
            "u_name": {"label": "Name"},
            "u_owner": {"label": "Owner", "type": "reference", "reference": "sys_user"},
            "u_size": {"type": "choice", "choices": [["1", "Small"], ["2", "Large"]], "default": "1"}
        }}},
        "u_asset": [{"sys_id": "a55e7000000000000000000000000001", "u_name": "Crane",
                     "u_owner": "6816f79cc0a8016401c5a33be04be441"}],
        "incident": [{"number": "INC0000099", "u_asset": "a55e7000000000000000000000000001"}]
    }"#;
    let instance =
        Instance::with(|config| config.seed = config.seed.clone().and(seed).unwrap()).await;
    let path = "/api/now/table/u_asset/a55e7000000000000000000000000001";
    let fields = "u_name,u_owner.user_name,u_size,sys_class_name";
    let path = format!("{path}?sysparm_fields={fields}&sysparm_display_value=true");
    let expected = json!({"u_name": "Crane", "u_owner.user_name": "admin", "u_size": "Small"});
    assert_eq!(instance.get(&path).await.result(), expected);
    let written = instance.insert("incident", json!({"u_asset": "x", "u_other": "y"})).await;
    assert_eq!(written["u_asset"], "x");
    assert!(written.get("u_other").is_none());
}
