use std::sync::Mutex;

use secrecy::SecretString;

use super::*;
use crate::{inbound::credentials::Credential, ports::SecretUnreadable};

/// One secret, which a test replaces.
#[derive(Debug)]
struct Replaceable(Mutex<Result<Option<&'static str>, SecretUnreadable>>);

impl SecretProvider for Replaceable {
    fn secret(&self, _: &str) -> Result<Option<SecretString>, SecretUnreadable> {
        self.0.lock().unwrap().clone().map(|secret| secret.map(SecretString::from))
    }
}

struct Midnight;

impl Clock for Midnight {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

fn config() -> Arc<Config> {
    let keys = vec!["{{secrets.KEY}}".into()];
    let proof = Proof::ApiKey { header: "x-api-key".to_owned(), keys };
    let allow = Scopes::everything();
    let credential = Credential { name: "a".to_owned(), proof, allow, rate: None };
    Arc::new(Config { credentials: vec![credential], ..Config::default() })
}

async fn is_let_in(authenticator: &Authenticator, key: &'static str) -> bool {
    let headers = [("x-api-key", key)].map(|(name, value)| {
        (axum::http::HeaderName::from_static(name), axum::http::HeaderValue::from_static(value))
    });
    authenticator.by_headers(&HeaderMap::from_iter(headers)).await.is_ok()
}

#[tokio::test]
async fn a_secret_that_is_replaced_counts_from_the_next_look_on() {
    let secrets = Arc::new(Replaceable(Mutex::new(Ok(Some("old")))));
    let authenticator =
        Authenticator::new(config(), Arc::clone(&secrets) as _, Arc::new(Midnight)).unwrap();
    assert!(is_let_in(&authenticator, "old").await);
    *secrets.0.lock().unwrap() = Ok(Some("new"));
    authenticator.renew();
    assert!(is_let_in(&authenticator, "new").await && !is_let_in(&authenticator, "old").await);
    // A secret that cannot be read for a moment locks nobody out, and lets nobody in.
    let unreadable = SecretUnreadable { name: "KEY".to_owned(), message: "i/o".to_owned() };
    *secrets.0.lock().unwrap() = Err(unreadable);
    authenticator.renew();
    assert!(is_let_in(&authenticator, "new").await && !is_let_in(&authenticator, "").await);
}

#[test]
fn an_empty_secret_is_refused() {
    let secrets = Arc::new(Replaceable(Mutex::new(Ok(Some("")))));
    let error = Authenticator::new(config(), secrets, Arc::new(Midnight)).unwrap_err();
    let [error] = &error[..] else { panic!("{error:?}") };
    assert!(error.contains("credential 'a'") && error.contains("empty"), "{error}");
}
