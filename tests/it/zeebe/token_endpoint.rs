//! A token endpoint that answers as a test says, and keeps what it was asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use servicenow_worker::zeebe::{Authentication, Oidc};

/// What the endpoint says next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    /// Tokens `t1`, `t2`, … of this lifetime in seconds.
    NewToken(u64),
    /// The same with this for a lifetime.
    Lifetime(&'static str),
    /// Always the token `same`.
    SameToken,
    Status(u16),
}

type Asked = (HeaderMap, HashMap<String, String>);

struct Script {
    says: Says,
    issued: u32,
    asked: Vec<Asked>,
}

/// A running endpoint.
#[derive(Clone)]
pub(super) struct TokenEndpoint {
    url: String,
    script: Arc<Mutex<Script>>,
}

impl TokenEndpoint {
    pub(super) async fn start(says: Says) -> Self {
        let script = Arc::new(Mutex::new(Script { says, issued: 0, asked: Vec::new() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let app = Router::new().route("/token", post(answer)).with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, script }
    }

    pub(super) fn say(&self, says: Says) {
        self.script.lock().unwrap().says = says;
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    /// Credentials of a client of this endpoint.
    pub(super) fn client(&self) -> Authentication {
        Authentication::Oidc(self.oidc())
    }

    pub(super) fn oidc(&self) -> Oidc {
        Oidc {
            token_url: self.url.clone(),
            client_id: "worker".to_owned(),
            client_secret: "s3cret&more".into(),
            audience: None,
            scope: None,
        }
    }
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let mut script = script.lock().unwrap();
    script.asked.push((headers, form));
    let token = |text: String, lifetime: Value| {
        Json(json!({"access_token": text, "token_type": "Bearer", "expires_in": lifetime}))
            .into_response()
    };
    if let Says::NewToken(_) | Says::Lifetime(_) = script.says {
        script.issued += 1;
    }
    let latest = format!("t{}", script.issued);
    match script.says {
        Says::NewToken(lifetime) => token(latest, lifetime.into()),
        Says::Lifetime(json) => token(latest, serde_json::from_str(json).unwrap()),
        Says::SameToken => token("same".to_owned(), 300.into()),
        Says::Status(code) => StatusCode::from_u16(code).unwrap().into_response(),
    }
}
