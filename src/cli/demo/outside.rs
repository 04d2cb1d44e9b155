//! What people, flows and other systems do while a process waits for them.

use serde_json::Value;

use super::{
    super::{local_client, stage::Stage},
    scene::{Callback, Event},
    story,
};
use crate::{
    job::Variables,
    sandbox::{BusinessRule, Delivery},
};

const PUBLICATION: &str = "/v2/messages/publication";

/// Does what the callback says, by HTTP; `result` is what the job before it has handed in.
pub(super) async fn happens(
    stage: &Stage,
    callback: &Callback,
    result: &Variables,
) -> Result<(), String> {
    match &callback.event {
        Event::Sent(message) => {
            story::happens(callback, &message.to_string());
            let url = format!("{}{PUBLICATION}", stage.endpoint);
            let status = send(reqwest::Method::POST, &url, message).await?;
            story::called("the caller", status);
            done(status, "the endpoint")
        }
        Event::Changed { table, fields, rule } => {
            let sys_id = result.get("serviceNow").and_then(|record| record["sysId"].as_str());
            let path = format!("/api/now/table/{table}/{}", sys_id.unwrap_or_default());
            add_rule(stage, rule)?;
            story::happens(callback, &format!("PATCH {path} {fields}"));
            let url = format!("{}{path}", stage.instance);
            done(send(reqwest::Method::PATCH, &url, fields).await?, "the sandbox")?;
            stage.sandbox.business_rules().settled().await;
            delivered(stage.sandbox.business_rules().deliveries().last())
        }
    }
}

fn add_rule(stage: &Stage, rule: &Value) -> Result<(), String> {
    let mut rule = rule.clone();
    rule["url"] = format!("{}{PUBLICATION}", stage.endpoint).into();
    let rule: BusinessRule = serde_json::from_value(rule).map_err(|error| error.to_string())?;
    stage.sandbox.business_rules().push(rule).map_err(|error| error.to_string())
}

fn delivered(delivery: Option<&Delivery>) -> Result<(), String> {
    let delivery = delivery.ok_or("no business rule has fired")?;
    let status = delivery.status.unwrap_or_default();
    story::called(&format!("business rule '{}'", delivery.rule), status);
    done(status, "the endpoint")
}

fn done(status: u16, whose: &str) -> Result<(), String> {
    if (200..300).contains(&status) { Ok(()) } else { Err(format!("{whose} answered {status}")) }
}

/// Sends JSON as somebody who may work on tasks.
async fn send(method: reqwest::Method, url: &str, body: &Value) -> Result<u16, String> {
    let client = local_client().map_err(|error| error.to_string())?;
    let request = client.request(method, url).header("content-type", "application/json");
    let request = request.basic_auth("itil", Some("itil")).body(body.to_string());
    let answer = request.send().await.map_err(|error| error.to_string())?;
    Ok(answer.status().as_u16())
}
