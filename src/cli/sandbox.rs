//! `sandbox`: the ServiceNow emulator alone.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, Unusable, listen, read_text, runtime, say, signals};
use crate::{sandbox, telemetry};

/// Where and with what.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8085")]
    listen: String,
    /// A JSON file with more records: `{"incident": [{"short_description": "…"}]}`; tables
    /// under `$tables`, business rules under `$businessRules`.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Certificates (PEM) to trust besides the public ones where business rules call https.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// A further login of a seeded user; may be given several times.
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = read_login)]
    login: Vec<sandbox::Login>,
    /// Certificate chain (PEM); with it the sandbox speaks https.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key (PEM) of the certificate.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

fn read_login(text: &str) -> Result<sandbox::Login, String> {
    let login = text.split_once(':').map(|(name, password)| sandbox::Login::new(name, password));
    login.ok_or_else(|| "write it as NAME:PASSWORD".to_owned())
}

/// Serves until a stop signal.
pub(super) fn run(options: Options) -> anyhow::Result<Exit> {
    telemetry::Config::default().install();
    runtime()?.block_on(serve(options))
}

async fn serve(options: Options) -> anyhow::Result<Exit> {
    let mut seed = sandbox::Seed::demo()?;
    if let Some(path) = &options.seed {
        seed = seed
            .and(&read_text(path)?)
            .map_err(|error| Unusable(format!("{}: {error}", path.display())))?;
    }
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificates), Some(key)) => {
            let (certificates, key) = (read_text(certificates)?, read_text(key)?);
            let config = sandbox::tls::config(certificates.as_bytes(), key.as_bytes());
            Some(config.map_err(|error| Unusable(format!("--tls-cert, --tls-key: {error}")))?)
        }
        _ => None,
    };
    let mut config = sandbox::Config::with_seed(seed);
    config.logins.extend(options.login);
    config.outbound.trusted_pem = options.trust.as_deref().map(read_text).transpose()?;
    let sandbox = sandbox::Sandbox::new(config).map_err(|error| Unusable(error.to_string()))?;
    let listener = listen("--listen", &options.listen).await?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    say(&format!(
        "sandbox on {scheme}://{}: logins admin/admin and itil/itil, OAuth client \
         sandbox/sandbox, API key sandbox",
        listener.local_addr()?
    ));
    let stop = signals::stop_token();
    match tls {
        Some(tls) => sandbox.run_tls(listener, tls, stop).await?,
        None => sandbox.run(listener, stop).await?,
    }
    Ok(Exit::Done)
}
