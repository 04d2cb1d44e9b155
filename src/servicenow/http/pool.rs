//! The connections to one endpoint.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{ClientBuilder, NoProxy, Proxy, redirect, retry};
use secrecy::ExposeSecret;

use super::{
    Config, Error, failure,
    gate::{Company, GateLayer},
    names::{self, Names},
    trust::Trust,
};
use crate::servicenow::{Chooser, Endpoint, NoAnswer};

/// Most endpoints whose connections are kept. Inline instances come from jobs, so their
/// number is not the operator's to bound.
const MAX_POOLS: usize = 64;

/// One pool an endpoint, so that a slow instance holds only its own connections.
pub(super) struct Pools {
    config: Config,
    trust: Trust,
    proxy: Option<Proxy>,
    built: Mutex<Vec<Arc<Pool>>>,
}

/// Connections to one endpoint.
pub(super) struct Pool {
    connection: String,
    address: String,
    max_concurrency: usize,
    chosen_by: Chooser,
    client: reqwest::Client,
    company: Company,
}

impl Pools {
    /// No pools yet; what they will be built from is checked now.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let proxy = config.proxy.as_ref().map(|url| {
            let proxy = Proxy::all(url.expose_secret()).map_err(|_| Error::Proxy)?;
            Ok::<_, Error>(proxy.no_proxy(NoProxy::from_string(&config.no_proxy)))
        });
        let pools = Self {
            config: config.clone(),
            trust: Trust::new(config)?,
            proxy: proxy.transpose()?,
            built: Mutex::default(),
        };
        pools.builder(pools.trust.general()).build().map_err(Error::Client)?;
        Ok(pools)
    }

    /// The endpoint's pool.
    pub(super) fn of(&self, endpoint: &Endpoint) -> Result<Arc<Pool>, NoAnswer> {
        names::check_literal(endpoint, &self.config.allowed_networks)
            .map_err(|forbidden| failure::forbidden(&forbidden))?;
        let mut pools = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        // A handful of entries in practice, where a scan beats hashing.
        if let Some(pool) = pools.iter().find(|pool| pool.serves(endpoint)) {
            return Ok(Arc::clone(pool));
        }
        if pools.len() >= MAX_POOLS {
            // The oldest that no call uses.
            if let Some(idle) = pools.iter().position(|pool| Arc::strong_count(pool) == 1) {
                pools.remove(idle);
            }
        }
        let address = endpoint.instance.base_url().to_owned();
        let company = Company::of(endpoint.max_concurrency);
        let client = self.client(endpoint, &company);
        let pool = Arc::new(Pool {
            connection: endpoint.connection.clone(),
            client: client.map_err(|error| failure::of(&error, &address))?,
            address,
            max_concurrency: endpoint.max_concurrency,
            chosen_by: endpoint.chosen_by.clone(),
            company,
        });
        pools.push(Arc::clone(&pool));
        Ok(pool)
    }

    fn client(&self, endpoint: &Endpoint, company: &Company) -> reqwest::Result<reqwest::Client> {
        let allowed = Arc::from(self.config.allowed_networks.as_slice());
        let names = Names::of(endpoint, self.config.lookup.clone(), allowed);
        self.builder(self.trust.of(endpoint))
            .dns_resolver(names)
            .pool_max_idle_per_host(endpoint.max_concurrency)
            .connector_layer(GateLayer(company.clone()))
            .build()
    }

    fn builder(&self, tls: &rustls::ClientConfig) -> ClientBuilder {
        let builder = ClientBuilder::new()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls.clone())
            .http1_only()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .gzip(true)
            .connect_timeout(self.config.connect_timeout)
            .pool_idle_timeout(self.config.idle_timeout)
            .no_proxy();
        match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        }
    }
}

impl Pool {
    fn serves(&self, endpoint: &Endpoint) -> bool {
        self.connection == endpoint.connection
            && self.address == endpoint.instance.base_url()
            && self.max_concurrency == endpoint.max_concurrency
            && self.chosen_by == endpoint.chosen_by
    }

    /// Scheme, host and port.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The calls that share them.
    pub(super) fn company(&self) -> &Company {
        &self.company
    }

    /// The client whose connections these are.
    pub(super) fn client(&self) -> &reqwest::Client {
        &self.client
    }
}
