use serde_json::{Value, json};
use servicenow_worker::sandbox::Access;

use super::{Answer, Instance};

const LIST: &str = "/api/now/table/incident?sysparm_limit=1";

async fn token(instance: &Instance, form: &str) -> Answer {
    let request = instance.bare_request("POST", "/oauth_token.do");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    Answer::of(request.body(form.to_owned())).await
}

async fn status_with(instance: &Instance, header: &str, value: &str) -> u16 {
    Answer::of(instance.bare_request("GET", LIST).header(header, value)).await.status
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_credentials_or_with_wrong_ones_the_answer_is_the_401_of_an_instance() {
    let instance = Instance::start().await;
    let wrong = instance.bare_request("GET", LIST).basic_auth("admin", Some("nimda"));
    for request in [
        instance.bare_request("GET", LIST),
        wrong,
        instance.bare_request("GET", LIST).bearer_auth("nothing"),
        instance.bare_request("GET", LIST).header("authorization", "Basic %%%"),
        instance.bare_request("GET", LIST).header("x-sn-apikey", "wrong"),
        instance.bare_request("POST", "/api/acme/flow"),
    ] {
        let answer = Answer::of(request).await;
        let detail = "Required to provide Auth information";
        answer.assert_failure(401, "User Not Authenticated", detail);
        assert_eq!(answer.header("www-authenticate"), "BASIC realm=\"Service-now\"");
        assert_eq!(answer.header("connection"), "close");
    }
    assert_eq!(instance.sandbox.connections(), 6, "each 401 closes its connection");
}

#[tokio::test]
async fn basic_and_api_key_let_in() {
    let instance = Instance::start().await;
    assert_eq!(instance.get(LIST).await.status, 200);
    assert_eq!(status_with(&instance, "x-sn-apikey", "sandbox").await, 200);
    let by_query = instance.bare_request("GET", &format!("{LIST}&x-sn-apikey=sandbox"));
    assert_eq!(Answer::of(by_query).await.status, 200);
}

#[tokio::test]
async fn an_open_sandbox_takes_everybody_for_admin() {
    let instance = Instance::with(|config| config.access = Access::Open).await;
    let request = instance.bare_request("POST", "/api/now/table/incident").body("{}");
    assert_eq!(Answer::of(request).await.result()["sys_created_by"], "admin");
}

#[tokio::test]
async fn client_credentials_give_the_same_token_until_it_expires() {
    let instance = Instance::start().await;
    let form = "grant_type=client_credentials&client_id=sandbox&client_secret=sandbox";
    let first = token(&instance, form).await;
    assert_eq!(first.status, 200);
    let first = first.json();
    assert_eq!((&first["expires_in"], &first["token_type"]), (&json!(1799), &json!("Bearer")));
    assert_eq!(first["scope"], "useraccount");
    let bearer = format!("Bearer {}", text(&first["access_token"]));
    assert_eq!(status_with(&instance, "authorization", &bearer).await, 200);

    instance.clock.forward(600);
    let again = token(&instance, form).await.json();
    assert_eq!(
        (&again["access_token"], &again["expires_in"]),
        (&first["access_token"], &json!(1199))
    );

    instance.clock.forward(1_200);
    assert_eq!(status_with(&instance, "authorization", &bearer).await, 401);
    let fresh = token(&instance, form).await.json();
    assert_ne!(fresh["access_token"], first["access_token"]);
    assert_eq!(fresh["expires_in"], 1799);
}

#[tokio::test]
async fn the_password_grant_acts_as_the_user_and_can_be_refreshed() {
    let instance = Instance::start().await;
    let client = "client_id=sandbox&client_secret=sandbox";
    let form = format!("grant_type=password&{client}&username=itil&password=itil");
    let granted = token(&instance, &form).await.json();
    instance.clock.forward(3_600);
    let refresh = text(&granted["refresh_token"]);
    let form = format!("grant_type=refresh_token&{client}&refresh_token={refresh}");
    let fresh = token(&instance, &form).await.json();
    assert_ne!(fresh["access_token"], granted["access_token"]);
    let request = instance.bare_request("POST", "/api/now/table/incident");
    let request = request.bearer_auth(text(&fresh["access_token"])).body("{}");
    assert_eq!(Answer::of(request).await.result()["sys_created_by"], "itil");
}

#[tokio::test]
async fn every_refusal_of_a_token_is_the_same_401() {
    let instance = Instance::start().await;
    let refused = json!({"error_description": "access_denied", "error": "server_error"});
    for form in [
        "grant_type=client_credentials&client_id=sandbox&client_secret=wrong",
        "grant_type=client_credentials&client_id=other&client_secret=sandbox",
        "grant_type=password&client_id=sandbox&client_secret=sandbox&username=itil&password=no",
        "grant_type=refresh_token&client_id=sandbox&client_secret=sandbox&refresh_token=x",
        "grant_type=device&client_id=sandbox&client_secret=sandbox",
        "",
    ] {
        let answer = token(&instance, form).await;
        assert_eq!((answer.status, answer.json()), (401, refused.clone()), "{form}");
    }
    let as_json = instance.bare_request("POST", "/oauth_token.do");
    let as_json = as_json.header("content-type", "application/json").body("{}");
    assert_eq!(Answer::of(as_json).await.status, 401);
}
