//! A plain HTTP client for what the tests look at: metrics, records, the engine's control.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use super::secret;

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap()
});

/// The body of a successful GET; `None` when nobody answers or the answer is no success.
pub(crate) async fn get(url: &str) -> Option<String> {
    let response = CLIENT.get(url).send().await.ok()?;
    if response.status().is_success() { response.text().await.ok() } else { None }
}

/// Sends a request with a JSON body as one of the sandbox's users and reads the answer.
pub(crate) async fn send(method: Method, url: &str, body: Option<&Value>) -> (StatusCode, Value) {
    let mut request = CLIENT.request(method, url).basic_auth("admin", Some("admin"));
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Posts JSON as one of the endpoint's users, perhaps with an idempotency key; nothing when
/// nobody answers.
pub(crate) async fn post(url: &str, key: Option<&str>, body: &Value) -> Option<(u16, Value)> {
    let request = CLIENT.post(url).basic_auth("flows", Some(secret::INBOUND_PASSWORD));
    let request = request.header("content-type", "application/json").body(body.to_string());
    let request = match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let text = response.text().await.ok()?;
    Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
}

/// Sends a form without credentials and reads the answer.
pub(crate) async fn send_form(url: &str, form: &'static str) -> Value {
    let request = CLIENT.post(url).header("content-type", "application/x-www-form-urlencoded");
    let text = request.body(form).send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Figures in Prometheus text form, by name with labels as written.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Reads what an endpoint shows; nothing when it does not answer.
    pub(crate) async fn of(url: &str) -> Self {
        let text = get(url).await.unwrap_or_default();
        secret::is_nowhere_in("the metrics", &text);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(
            lines
                .filter_map(|line| {
                    let (name, value) = line.rsplit_once(' ')?;
                    Some((name.to_owned(), value.parse().ok()?))
                })
                .collect(),
        )
    }

    /// The sum over all series of `name` that carry all of `labels`, each `key="value"`.
    pub(crate) fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let series = self.0.iter().filter(|(key, _)| {
            key.split('{').next() == Some(name) && labels.iter().all(|label| key.contains(label))
        });
        series.map(|(_, value)| value).sum()
    }

    /// All series, for messages of failed tests.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}
