//! What needs the cluster's REST API: correlation at once, and cancelling by process.

use axum::{
    Json, Router,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{rig::Rig, wire::Request};
use crate::support::gateway::{Call, Settings};

/// A cluster whose messages `taken` find a taker, and where instances 1 and 2 run.
async fn cluster() -> String {
    let correlate = async |headers: HeaderMap, Json(body): Json<Value>| {
        assert!(headers.get("authorization").is_none());
        match body["name"].as_str() {
            Some("taken") => {
                let keys = json!({"messageKey": "11", "processInstanceKey": "12", "tenantId": body["tenantId"]});
                Json(keys).into_response()
            }
            Some("down") => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            _ => {
                let problem = json!({"title": "NOT_FOUND", "detail": "no subscription for it"});
                (StatusCode::NOT_FOUND, Json(problem)).into_response()
            }
        }
    };
    let instance = async |Path(key): Path<String>| match key.as_str() {
        "1" => Json(json!({"processDefinitionId": "order-1"})).into_response(),
        "2" => Json(json!({"processDefinitionId": "hire"})).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    };
    let router = Router::new()
        .route("/v2/messages/correlation", post(correlate))
        .route("/v2/process-instances/{key}", get(instance));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/v2/")
}

async fn rig() -> Rig {
    let settings = format!(
        "[zeebe]\nrest_address = \"{}\"\n[inbound]\n[[inbound.credentials]]\nname = \"a\"\n\
         api_key = {{ key = \"{{{{secrets.NEW_KEY}}}}\" }}\n\
         allow = [\"correlate:*\", \"cancel:order-*\", \"route:*\"]\n\
         [[inbound.routes]]\nname = \"stop\"\ndo = \"cancel\"\ninstance = \"$.key\"\nprocess = \"order-*\"\n",
        cluster().await
    );
    Rig::with(&settings, Settings::default()).await
}

fn post_as(path: &str, body: &Value) -> Request {
    Request::post(path, body).header("x-api-key", "new-key")
}

#[tokio::test]
async fn a_correlation_goes_on_to_the_cluster_and_its_answer_comes_back() {
    let rig = rig().await;
    let correlate = |name: &str| {
        post_as("/v2/messages/correlation", &json!({"name": name, "correlationKey": "k"}))
    };
    let reply = rig.send(&correlate("taken")).await.expect(200);
    assert_eq!(reply.header("x-correlation-mode"), Some("synchronous"));
    let expected = json!({"tenantId": "<default>", "messageKey": "11", "processInstanceKey": "12"});
    assert_eq!(reply.body, expected);
    let reply = rig.send(&correlate("nobody")).await.expect(404);
    assert_eq!((reply.title(), reply.detail()), ("NOT_FOUND", "no subscription for it"));
    let reply = rig.send(&correlate("down")).await.expect(503);
    assert!(reply.header("retry-after").is_some());
    let reply = rig.send(&correlate("taken").key("k1")).await.expect(501);
    assert!(reply.detail().contains("correlates a repetition again"), "{}", reply.detail());
    assert!(rig.calls().is_empty());
}

#[tokio::test]
async fn who_may_cancel_some_processes_only_cancels_no_others() {
    let rig = rig().await;
    let cancel =
        |key: &str| post_as(&format!("/v2/process-instances/{key}/cancellation"), &json!({}));
    let reply = rig.send(&cancel("2")).await.expect(403);
    assert!(reply.detail().contains("cancel:hire"), "{}", reply.detail());
    rig.send(&cancel("3")).await.expect(404);
    assert!(rig.calls().is_empty(), "nothing was cancelled so far");
    // The dev engine has no such instance, but it was asked.
    rig.send(&cancel("1")).await.expect(404);
    let calls = rig.calls();
    assert!(matches!(&calls[..], [Call::Cancel(request)] if request.process_instance_key == 1));

    let reply = rig.send(&post_as("/inbound/stop", &json!({"key": "2"}))).await.expect(403);
    assert!(reply.detail().contains("route 'stop'"), "{}", reply.detail());
    rig.send(&post_as("/inbound/stop", &json!({"key": 1}))).await.expect(404);
    assert_eq!(rig.calls().len(), 2);
}
