use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use http::HeaderValue;
use tokio::sync::Notify;

use super::{AccessToken, CAPACITY, NoAnswer, TokenCache, TokenKey};
use crate::servicenow::{Instance, NoAnswerCause, auth::grant::Grant, endpoint::OauthClient};

const MEMORY: Duration = Duration::from_secs(5);

fn key(client_id: &str) -> TokenKey {
    let client =
        OauthClient { client_id: client_id.to_owned(), client_secret: "s".into(), scope: None };
    Grant { client: &client, user: None }.key(&Instance::parse("dev1", false).unwrap())
}

/// A token endpoint that counts; its tokens are `t1`, `t2`, …
#[derive(Clone, Default)]
struct Issuer {
    asked: Arc<AtomicUsize>,
    gate: Option<Arc<Notify>>,
}

impl Issuer {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn token(self) -> Result<AccessToken, NoAnswer> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        let header = HeaderValue::from_str(&format!("t{number}")).unwrap();
        Ok(AccessToken { header, lifetime: Duration::from_secs(100) })
    }

    async fn refusal(self) -> Result<AccessToken, NoAnswer> {
        self.clone().token().await?;
        Err(NoAnswer {
            cause: NoAnswerCause::TokenRefused,
            may_have_acted: false,
            message: "no".to_owned(),
        })
    }
}

async fn seconds_later(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn everybody_waits_for_one_fetch() {
    let gate = Arc::new(Notify::new());
    let issuer = Issuer { gate: Some(Arc::clone(&gate)), ..Issuer::default() };
    let cache = TokenCache::new(MEMORY);
    let calls = join_all((0..50).map(|_| cache.token(key("a"), issuer.clone().token())));
    gate.notify_one();
    assert!(calls.await.into_iter().all(|token| token.unwrap() == "t1"));
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_behind_the_back_of_its_users() {
    let (issuer, cache) = (Issuer::default(), TokenCache::new(MEMORY));
    let get = || cache.token(key("a"), issuer.clone().token());
    assert_eq!(get().await.unwrap(), "t1");
    seconds_later(79).await;
    assert_eq!(get().await.unwrap(), "t1");
    assert_eq!(issuer.asked(), 1);
    seconds_later(1).await;
    assert_eq!(get().await.unwrap(), "t1", "the old one while the new one is fetched");
    tokio::task::yield_now().await;
    assert_eq!(get().await.unwrap(), "t2");
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_renewal_leaves_the_old_token_until_its_end() {
    let (issuer, cache) = (Issuer::default(), TokenCache::new(MEMORY));
    cache.token(key("a"), issuer.clone().token()).await.unwrap();
    seconds_later(80).await;
    for _ in 0..3 {
        assert_eq!(cache.token(key("a"), issuer.clone().refusal()).await.unwrap(), "t1");
        tokio::task::yield_now().await;
    }
    assert_eq!(issuer.asked(), 2, "one try within the memory of a failure");
    seconds_later(15).await;
    assert!(cache.token(key("a"), issuer.clone().refusal()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_remembered_for_a_few_seconds() {
    let (issuer, cache) = (Issuer::default(), TokenCache::new(MEMORY));
    let calls = join_all((0..50).map(|_| cache.token(key("a"), issuer.clone().refusal())));
    assert!(calls.await.into_iter().all(|token| token.is_err()));
    seconds_later(4).await;
    assert!(cache.token(key("a"), issuer.clone().token()).await.is_err());
    assert_eq!(issuer.asked(), 1);
    seconds_later(1).await;
    assert!(cache.token(key("a"), issuer.clone().token()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn many_calls_that_met_a_401_share_one_renewal() {
    let (issuer, cache) = (Issuer::default(), TokenCache::new(MEMORY));
    let old = cache.token(key("a"), issuer.clone().token()).await.unwrap();
    let calls = join_all((0..50).map(|_| cache.renewed(key("a"), &old, issuer.clone().token())));
    assert!(calls.await.into_iter().all(|token| token.unwrap().unwrap() == "t2"));
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_does_not_help_is_not_repeated_at_once() {
    let (issuer, cache) = (Issuer::default(), TokenCache::new(MEMORY));
    let renew = |refused| {
        let cache = &cache;
        let same = Issuer::default();
        async move { cache.renewed(key("a"), &refused, same.token()).await }
    };
    let old = cache.token(key("a"), issuer.clone().token()).await.unwrap();
    assert!(renew(old.clone()).await.is_none(), "the same token again");
    let again = cache.renewed(key("a"), &old, issuer.clone().token()).await;
    assert!(again.is_none());
    assert_eq!(issuer.asked(), 1);
    seconds_later(5).await;
    let fresh = cache.renewed(key("a"), &old, issuer.clone().token()).await.unwrap().unwrap();
    assert_eq!(fresh, "t2");
    cache.renewed_in_vain(key("a"));
    assert!(cache.renewed(key("a"), &fresh, issuer.clone().token()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_does_not_block_the_others() {
    let gate = Arc::new(Notify::new());
    let stuck = Issuer { gate: Some(gate), ..Issuer::default() };
    let cache = TokenCache::new(MEMORY);
    let wait = Duration::from_secs(1);
    tokio::time::timeout(wait, cache.token(key("a"), stuck.token())).await.unwrap_err();
    assert_eq!(cache.token(key("a"), Issuer::default().token()).await.unwrap(), "t1");
}

#[tokio::test(start_paused = true)]
async fn the_least_recently_used_make_room() {
    let (issuer, cache) = (Issuer::default(), TokenCache::new(MEMORY));
    for number in 0..CAPACITY {
        cache.token(key(&number.to_string()), issuer.clone().token()).await.unwrap();
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    cache.token(key("0"), issuer.clone().token()).await.unwrap();
    cache.token(key("new"), issuer.clone().token()).await.unwrap();
    assert_eq!(issuer.asked(), CAPACITY + 1);
    cache.token(key("0"), issuer.clone().token()).await.unwrap();
    assert_eq!(issuer.asked(), CAPACITY + 1, "kept");
    cache.token(key("1"), issuer.clone().token()).await.unwrap();
    assert_eq!(issuer.asked(), CAPACITY + 2, "gave way");
}
