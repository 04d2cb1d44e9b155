//! [`ClusterRest`]: the two calls that gRPC does not have, over the cluster's REST API with
//! the gateway's credentials.

use std::time::Duration;

use reqwest::{Method, StatusCode, redirect::Policy};
use serde_json::{Value, json};

use super::{Config, Error, auth::Credentials};
use crate::{
    outcome::cut,
    ports::{ClusterRest, Correlated, Correlation, RestError},
};

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A client of the cluster's REST API.
#[derive(Debug)]
pub struct RestClient {
    client: reqwest::Client,
    /// Without the final `/`, with `/v2`.
    base: String,
    credentials: Credentials,
}

impl RestClient {
    /// A client, where the configuration has an address.
    pub fn new(config: &Config) -> Result<Option<Self>, Error> {
        let Some(address) = &config.rest_address else { return Ok(None) };
        let tls = crate::tls::client_config(config.ca_file.as_deref())?;
        let credentials = Credentials::new(&config.authentication, &tls)?;
        let url = url::Url::parse(address).ok();
        if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            return Err(Error::RestAddress(address.clone()));
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| Error::RestClient(error.to_string()))?;
        let base = address.trim_end_matches('/').trim_end_matches("/v2");
        Ok(Some(Self { client, base: format!("{base}/v2"), credentials }))
    }

    /// Sends a request, once more with a new token when the one it had is refused.
    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Answer, RestError> {
        let mut last_try = false;
        loop {
            let value = self.credentials.value().await;
            let (authorization, used) =
                value.map_err(|error| RestError::Unanswered(error.message))?;
            let mut request = self
                .client
                .request(method.clone(), format!("{}/{path}", self.base))
                .header("accept", "application/json, application/problem+json");
            if let Some(text) = authorization.as_ref().and_then(|value| value.to_str().ok()) {
                request = request.header("authorization", text);
            }
            if !body.is_null() {
                request = request.header("content-type", "application/json").body(body.to_string());
            }
            let answer = Answer::of(request.send().await).await?;
            if answer.status == StatusCode::UNAUTHORIZED && !last_try {
                last_try = true;
                if self.credentials.refused(used).await {
                    continue;
                }
            }
            return Ok(answer);
        }
    }
}

impl ClusterRest for RestClient {
    async fn correlate(&self, correlation: &Correlation) -> Result<Correlated, RestError> {
        let body = json!({
            "name": correlation.name,
            "correlationKey": correlation.correlation_key,
            "variables": correlation.variables,
            "tenantId": correlation.tenant_id,
        });
        let answer = self.call(Method::POST, "messages/correlation", &body).await?.success()?;
        let field = |name: &str| key_text(&answer[name]).unwrap_or_else(|| "-1".to_owned());
        let tenant = answer["tenantId"].as_str().unwrap_or(&correlation.tenant_id);
        Ok(Correlated {
            message_key: field("messageKey"),
            process_instance_key: field("processInstanceKey"),
            tenant_id: tenant.to_owned(),
        })
    }

    async fn process_id_of(&self, process_instance_key: i64) -> Result<Option<String>, RestError> {
        let path = format!("process-instances/{process_instance_key}");
        let answer = self.call(Method::GET, &path, &Value::Null).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.success()?;
        let id =
            answer["processDefinitionId"].as_str().or_else(|| answer["bpmnProcessId"].as_str());
        let missing = || RestError::Unanswered("the cluster named no process id".to_owned());
        id.map(|id| Some(id.to_owned())).ok_or_else(missing)
    }
}

/// A key as text; older clusters write numbers.
fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

struct Answer {
    status: StatusCode,
    body: Value,
}

impl Answer {
    async fn of(sent: reqwest::Result<reqwest::Response>) -> Result<Self, RestError> {
        let lost = |error: reqwest::Error| {
            RestError::Unanswered(format!("no answer from the cluster's REST API: {error}"))
        };
        let response = sent.map_err(|error| lost(error.without_url()))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| lost(error.without_url()))?;
        Ok(Self { status, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
    }

    fn success(self) -> Result<Value, RestError> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let text = |name: &str| self.body[name].as_str().map(|text| cut(text, 500));
        let reason = self.status.canonical_reason().unwrap_or("Error");
        Err(RestError::Refused {
            status: self.status.as_u16(),
            title: text("title").unwrap_or_else(|| reason.to_owned()),
            detail: text("detail").unwrap_or_else(|| "the cluster gives no detail".to_owned()),
        })
    }
}
