//! Whom each endpoint's connections trust, and what certificate they show.

use std::path::PathBuf;

use rustls::ClientConfig;

use super::{Config, Error};
use crate::{
    servicenow::{Chooser, Endpoint},
    tls,
};

/// What a connection sets for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTls {
    /// The connection's name.
    pub connection: String,
    /// Authorities in place of those that hold for all.
    pub ca_file: Option<PathBuf>,
    /// The certificate to show.
    pub identity: Option<tls::Identity>,
}

/// Everything read at the start, so that a wrong file ends it.
pub(super) struct Trust {
    general: ClientConfig,
    own: Vec<Own>,
}

struct Own {
    connection: String,
    named: ClientConfig,
    /// For jobs that name the instance with credentials of their own: whom to trust is the
    /// instance's, who we are is not.
    inline: ClientConfig,
}

impl Trust {
    /// Reads the files.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let general = http(tls::client_config(config.ca_file.as_deref())?);
        let own = config.own_tls.iter().map(|own| Own::read(own, config));
        Ok(Self { general, own: own.collect::<Result<_, _>>()? })
    }

    /// What holds when no connection says otherwise.
    pub(super) fn general(&self) -> &ClientConfig {
        &self.general
    }

    /// What holds for an endpoint.
    pub(super) fn of(&self, endpoint: &Endpoint) -> &ClientConfig {
        let Chooser::Connection(name) = &endpoint.chosen_by else { return &self.general };
        match self.own.iter().find(|own| own.connection == *name) {
            None => &self.general,
            Some(own) if endpoint.connection == *name => &own.named,
            Some(own) => &own.inline,
        }
    }
}

/// Everything that is wrong with the files.
pub(super) fn mistakes(config: &Config) -> Vec<Error> {
    let general = tls::mistakes(None, config.ca_file.as_deref()).into_iter().map(Error::Tls);
    let own = config.own_tls.iter().flat_map(|own| {
        let connection = &own.connection;
        // The general file is looked at once.
        let found = tls::mistakes(own.identity.as_ref(), own.ca_file.as_deref()).into_iter();
        found.map(|error| Error::OwnTls { connection: connection.clone(), error })
    });
    general.chain(own).collect()
}

impl Own {
    fn read(own: &OwnTls, config: &Config) -> Result<Self, Error> {
        let ca_file = own.ca_file.as_ref().or(config.ca_file.as_ref()).map(PathBuf::as_path);
        let connection = own.connection.clone();
        let fail = |error| Error::OwnTls { connection: connection.clone(), error };
        let named = tls::client_config_as(own.identity.as_ref(), ca_file).map_err(fail)?;
        let inline = tls::client_config(ca_file).map_err(fail)?;
        Ok(Self { named: http(named), inline: http(inline), connection })
    }
}

fn http(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}
