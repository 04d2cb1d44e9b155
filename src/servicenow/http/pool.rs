//! The connections to one endpoint.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{ClientBuilder, NoProxy, Proxy, redirect, retry};
use secrecy::ExposeSecret;

use super::{
    Config, Error, failure,
    gate::{Company, GateLayer},
};
use crate::{
    servicenow::{Endpoint, NoAnswer},
    tls,
};

/// Most endpoints whose connections are kept. Inline instances come from jobs, so their
/// number is not the operator's to bound.
const MAX_POOLS: usize = 64;

/// One pool an endpoint, so that a slow instance holds only its own connections.
pub(super) struct Pools {
    config: Config,
    tls: rustls::ClientConfig,
    proxy: Option<Proxy>,
    built: Mutex<Vec<Arc<Pool>>>,
}

/// Connections to one endpoint.
pub(super) struct Pool {
    connection: String,
    address: String,
    max_concurrency: usize,
    client: reqwest::Client,
    company: Company,
}

impl Pools {
    /// No pools yet; what they will be built from is checked now.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let mut tls = tls::client_config(config.ca_file.as_deref())?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let proxy = config.proxy.as_ref().map(|url| {
            let proxy = Proxy::all(url.expose_secret()).map_err(|_| Error::Proxy)?;
            Ok::<_, Error>(proxy.no_proxy(NoProxy::from_string(&config.no_proxy)))
        });
        let pools = Self {
            config: config.clone(),
            tls,
            proxy: proxy.transpose()?,
            built: Mutex::default(),
        };
        pools.client(1, &Company::of(1)).map_err(Error::Client)?;
        Ok(pools)
    }

    /// The endpoint's pool.
    pub(super) fn of(&self, endpoint: &Endpoint) -> Result<Arc<Pool>, NoAnswer> {
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
        let client = self.client(endpoint.max_concurrency, &company);
        let pool = Arc::new(Pool {
            connection: endpoint.connection.clone(),
            client: client.map_err(|error| failure::of(&error, &address))?,
            address,
            max_concurrency: endpoint.max_concurrency,
            company,
        });
        pools.push(Arc::clone(&pool));
        Ok(pool)
    }

    fn client(&self, max_idle: usize, company: &Company) -> reqwest::Result<reqwest::Client> {
        let builder = ClientBuilder::new()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(self.tls.clone())
            .http1_only()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .gzip(true)
            .connect_timeout(self.config.connect_timeout)
            .pool_idle_timeout(self.config.idle_timeout)
            .pool_max_idle_per_host(max_idle)
            .connector_layer(GateLayer(company.clone()))
            .no_proxy();
        match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()).build(),
            None => builder.build(),
        }
    }
}

impl Pool {
    fn serves(&self, endpoint: &Endpoint) -> bool {
        self.connection == endpoint.connection
            && self.address == endpoint.instance.base_url()
            && self.max_concurrency == endpoint.max_concurrency
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
