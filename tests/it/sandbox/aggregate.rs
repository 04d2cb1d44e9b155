use serde_json::json;

use super::Instance;

#[tokio::test]
async fn a_count_is_a_text_under_stats() {
    let instance = Instance::start().await;
    for (query, count) in
        [("", "10"), ("&sysparm_query=active=true", "8"), ("&sysparm_query=number=x", "0")]
    {
        let path = format!("/api/now/stats/incident?sysparm_count=true{query}");
        assert_eq!(instance.get(&path).await.result(), json!({"stats": {"count": count}}));
    }
    assert_eq!(instance.get("/api/now/stats/nowhere?sysparm_count=true").await.status, 400);
}

#[tokio::test]
async fn sums_and_the_like_come_beside_the_count() {
    let instance = Instance::start().await;
    for minutes in ["10", "20", "60"] {
        instance.insert("incident", json!({"order": minutes})).await;
    }
    let path = "/api/now/v2/stats/incident?sysparm_sum_fields=order&sysparm_avg_fields=order\
                &sysparm_min_fields=order&sysparm_max_fields=order";
    let expected = json!({"stats": {
        "sum": {"order": "90"}, "avg": {"order": "30"}, "min": {"order": "10"}, "max": {"order": "60"}
    }});
    assert_eq!(instance.get(path).await.result(), expected);
}

#[tokio::test]
async fn groups_come_with_their_fields() {
    let instance = Instance::start().await;
    let path = "/api/now/stats/incident?sysparm_count=true&sysparm_group_by=state\
                &sysparm_query=stateIN6,8";
    let raw = json!([
        {"stats": {"count": "1"}, "groupby_fields": [{"field": "state", "value": "6"}]},
        {"stats": {"count": "1"}, "groupby_fields": [{"field": "state", "value": "8"}]}
    ]);
    assert_eq!(instance.get(path).await.result(), raw);
    let shown = instance.get(&format!("{path}&sysparm_display_value=true")).await.result();
    assert_eq!(shown[0]["groupby_fields"][0]["value"], "Resolved");
}
