//! From a host's name to addresses, and which of them we connect to.
//!
//! The HTTP library connects to nothing but what comes from here, so that what is checked is
//! what is connected to: a name that leads elsewhere the next time is checked again.

use std::{fmt, future::Future, io, net::IpAddr, pin::Pin, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use super::addresses::{Network, may_be_named};
use crate::servicenow::{Chooser, Endpoint};

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks names up: the system does, unless a test does.
#[derive(Clone)]
pub struct Lookup(Arc<dyn Fn(String) -> Found + Send + Sync>);

impl Lookup {
    /// Asks a function instead of the system.
    pub fn by(ask: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |name| {
            let found = ask(&name);
            Box::pin(async { found })
        }))
    }
}

impl Default for Lookup {
    fn default() -> Self {
        Self(Arc::new(|name| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        }))
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

/// An address that a job may not have us connect to. The address is in the log only: it
/// would tell a process what names there are behind us.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{host}' does not lead to public addresses alone: name a configured connection for this \
     instance, or add its network to the worker's http.allowed_networks"
)]
pub(super) struct Forbidden {
    host: String,
}

/// Refuses an instance that is named by an address of its own, which is never looked up.
pub(super) fn check_literal(endpoint: &Endpoint, allowed: &[Network]) -> Result<(), Forbidden> {
    let address = match endpoint.instance.url_host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address),
        Some(Host::Ipv6(address)) => IpAddr::from(address),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    if endpoint.chosen_by != Chooser::Job || may_be_named(address, allowed) {
        return Ok(());
    }
    Err(forbidden(endpoint.instance.host(), address))
}

/// Finds the addresses for one endpoint's connections.
pub(super) struct Names {
    lookup: Lookup,
    /// The host whose addresses are checked. A proxy's is another one.
    checked: Option<String>,
    allowed: Arc<[Network]>,
}

impl Names {
    /// For an endpoint, by who chose its instance.
    pub(super) fn of(endpoint: &Endpoint, lookup: Lookup, allowed: Arc<[Network]>) -> Self {
        let is_jobs = endpoint.chosen_by == Chooser::Job;
        let checked = is_jobs.then(|| endpoint.instance.host().to_owned());
        Self { lookup, checked, allowed }
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let found = (self.lookup.0)(host.clone());
        let is_checked = self.checked.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(&host));
        let allowed = Arc::clone(&self.allowed);
        Box::pin(async move {
            let found = found.await?;
            if let Some(address) =
                found.iter().find(|it| is_checked && !may_be_named(**it, &allowed))
            {
                return Err(forbidden(&host, *address).into());
            }
            let addresses: Addrs = Box::new(found.into_iter().map(|address| (address, 0).into()));
            Ok(addresses)
        })
    }
}

fn forbidden(host: &str, address: IpAddr) -> Forbidden {
    tracing::warn!(host, %address, "no connection to an address that jobs may not name");
    Forbidden { host: host.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::{
        net::SocketAddr,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use super::{Chooser, Endpoint, Forbidden, IpAddr, Lookup, Names, Resolve};
    use crate::servicenow::{Authentication, Instance};

    const PUBLIC: &str = "149.96.1.1";

    fn names(chosen_by: Chooser, turns: &'static [&'static [&'static str]]) -> Names {
        let asked = AtomicUsize::new(0);
        let lookup = Lookup::by(move |_| {
            let turn = turns[asked.fetch_add(1, Ordering::SeqCst).min(turns.len() - 1)];
            Ok(turn.iter().map(|address| address.parse().unwrap()).collect())
        });
        let endpoint = Endpoint {
            connection: "inline".to_owned(),
            instance: Instance::parse("Dev1", false).unwrap(),
            authentication: Authentication::Bearer { token: "t".into() },
            max_concurrency: 1,
            chosen_by,
        };
        Names::of(&endpoint, lookup, Arc::from([]))
    }

    async fn found(names: &Names, host: &str) -> Result<Vec<IpAddr>, String> {
        match names.resolve(host.parse().unwrap()).await {
            Ok(addresses) => Ok(addresses.map(|address: SocketAddr| address.ip()).collect()),
            Err(error) => Err(error.downcast::<Forbidden>().unwrap().to_string()),
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_elsewhere_the_next_time_is_checked_again() {
        let names = names(Chooser::Job, &[&[PUBLIC], &["127.0.0.1"], &[PUBLIC]]);
        let host = "dev1.service-now.com";
        assert_eq!(found(&names, host).await, Ok(vec![PUBLIC.parse().unwrap()]));
        let refused = found(&names, host).await.unwrap_err();
        assert!(refused.contains("allowed_networks") && !refused.contains("127"), "{refused}");
        assert!(found(&names, host).await.is_ok());
    }

    #[tokio::test]
    async fn one_address_that_is_not_public_spoils_all() {
        const MIXED: [&[&[&str]]; 2] =
            [&[&[PUBLIC, "10.0.0.1"]], &[&["::ffff:169.254.169.254", PUBLIC]]];
        for turns in MIXED {
            let names = names(Chooser::Job, turns);
            assert!(found(&names, "dev1.service-now.com").await.is_err(), "{turns:?}");
        }
    }

    #[tokio::test]
    async fn what_the_operator_chose_and_the_proxy_may_be_anywhere() {
        let operators = names(Chooser::AllowedHosts, &[&["10.0.0.1"]]);
        assert!(found(&operators, "dev1.service-now.com").await.is_ok());
        let jobs = names(Chooser::Job, &[&["10.0.0.1"]]);
        assert!(found(&jobs, "proxy.example").await.is_ok());
        assert!(found(&jobs, "DEV1.service-now.com").await.is_err());
    }
}
