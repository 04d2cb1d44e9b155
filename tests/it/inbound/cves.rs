//! What went wrong in comparable systems, tried on the endpoint. `docs/fault-table.md` lists
//! them.

use serde_json::json;

use super::{rig::Rig, wire::Request};

/// Every way in that does something.
const WAYS_IN: [(&str, &str); 8] = [
    ("POST", "/v2/process-instances"),
    ("POST", "/v2/process-instances/1/cancellation"),
    ("POST", "/v2/messages/publication"),
    ("POST", "/v2/messages/correlation"),
    ("POST", "/v2/signals/broadcast"),
    ("GET", "/v2/topology"),
    ("POST", "/inbound/paid"),
    ("POST", "/inbound/unknown"),
];

#[tokio::test]
async fn servicenow_june_2026_nothing_is_done_for_callers_without_credentials() {
    let rig = Rig::start("").await;
    for (method, path) in WAYS_IN {
        let mut request = Request::post(path, &json!({"name": "order.paid"}));
        request.method = method.to_owned();
        if method == "GET" {
            request.body.clear();
        }
        let reply = rig.send(&request).await;
        assert!(matches!(reply.status, 401 | 404), "{method} {path}: {}", reply.status);
    }
    assert_eq!(rig.calls().len(), 0);
}

#[tokio::test]
async fn cve_2026_53576_no_beginning_or_end_of_a_path_lets_anybody_in() {
    let rig = Rig::start("").await;
    for open in ["license", "status", "openapi.json", "health", "live", "metrics", "configs"] {
        for path in [
            format!("/v2/process-instances/{open}"),
            format!("/v2/messages/publication/{open}"),
            format!("/v2/messages/publication/../../{open}"),
            format!("/v2/{open}/../messages/publication"),
            format!("/v2/{open}/..;/messages/publication"),
            format!("/v2/{open}%2f..%2fmessages/publication"),
            format!("/v2/{open}//messages/publication"),
            format!("/v2/messages/publication?/v2/{open}"),
            format!("/v2/messages/publication;/v2/{open}"),
        ] {
            let body = json!({"name": "order.paid"});
            let request = Request::post(&path, &body)
                .header("x-http-method-override", "GET")
                .header("x-original-url", &format!("/v2/{open}"))
                .header("x-forwarded-prefix", &format!("/v2/{open}"));
            let reply = rig.send(&request).await;
            assert!(matches!(reply.status, 400 | 401 | 404), "{path}: {}", reply.status);
        }
    }
    assert_eq!(rig.calls().len(), 0);
}

#[tokio::test]
async fn cve_2026_21858_a_form_with_files_is_not_read() {
    let rig = Rig::start("").await;
    let form = "--x\r\ncontent-disposition: form-data; name=\"f\"; filename=\"/etc/passwd\"\r\n\
                \r\nx\r\n--x--\r\n";
    for path in ["/v2/messages/publication", "/v2/process-instances"] {
        let mut request = Request::new("POST", path)
            .by_flows()
            .header("content-type", "multipart/form-data; boundary=x");
        request.body = form.as_bytes().to_vec();
        rig.send(&request).await.expect(415);
    }
    assert_eq!(rig.calls().len(), 0);
}
