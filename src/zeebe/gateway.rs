//! [`Gateway`]: the calls, with credentials, time limits and one renewal of a refused token.

use std::time::Duration;

use futures_util::StreamExt;
use tonic::{
    Request, Response, Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

use super::{
    Config, Error,
    auth::Credentials,
    convert,
    proto::{self, gateway_client::GatewayClient},
    status,
};
use crate::{
    job::{Job, JobRef, Variables},
    outcome::Outcome,
    ports::{GatewayError, GatewayErrorKind, JobGateway, JobStream, Subscription, Topology},
};

/// Largest message taken from the gateway; it sends up to 4 MiB and a little more.
const MAX_MESSAGE_BYTES: usize = 8 * 1024 * 1024;
/// Window of the streams' connection: how much may be pushed beyond our reading.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// How much longer than the gateway's own wait a poll is waited for.
pub(super) const POLL_MARGIN: Duration = Duration::from_secs(5);
/// How long the first jobs of a poll wait for those of further partitions.
const MORE_BATCHES: Duration = Duration::from_secs(1);

/// A client of one gateway. Clones share its connections.
#[derive(Debug)]
pub struct Gateway {
    commands: GatewayClient<Channel>,
    streams: GatewayClient<Channel>,
    credentials: Credentials,
    pub(super) request_timeout: Duration,
}

impl Gateway {
    /// A client; it connects when first used.
    pub fn new(config: &Config) -> Result<Self, Error> {
        Self::over(config, Endpoint::connect_lazy)
    }

    /// The same over channels of the caller's making, on a simulated network for instance.
    pub fn over(config: &Config, connect: impl Fn(&Endpoint) -> Channel) -> Result<Self, Error> {
        let tls = crate::tls::client_config(config.ca_file.as_deref())?;
        let credentials = Credentials::new(&config.authentication, &tls)?;
        let endpoint = endpoint(config)?;
        let small = endpoint
            .clone()
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(2 * STREAM_WINDOW_BYTES);
        Ok(Self {
            commands: client(connect(&endpoint)),
            streams: client(connect(&small)),
            credentials,
            request_timeout: config.request_timeout,
        })
    }

    /// Sends a request, once more with a new token when the one it had is refused.
    pub(super) async fn call<M: Clone, R>(
        &self,
        limit: Duration,
        message: M,
        send: impl AsyncFn(GatewayClient<Channel>, Request<M>) -> Result<R, Status>,
    ) -> Result<R, GatewayError> {
        let mut last_try = false;
        loop {
            let mut request = Request::new(message.clone());
            let used = self.credentials.apply(&mut request).await?;
            let sending = send(self.commands.clone(), request);
            let answer = match tokio::time::timeout(limit, sending).await {
                Ok(answer) => answer.map_err(|status| status::error(&status)),
                Err(_) => Err(GatewayError {
                    kind: GatewayErrorKind::TimedOut,
                    message: format!("no answer from the gateway within {limit:?}"),
                }),
            };
            match answer {
                Err(error) if error.kind == GatewayErrorKind::Unauthenticated && !last_try => {
                    last_try = true;
                    if !self.credentials.refused(used).await {
                        return Err(error);
                    }
                }
                answer => return answer,
            }
        }
    }
}

impl JobGateway for Gateway {
    async fn poll(
        &self,
        subscription: &Subscription,
        max_jobs: usize,
        wait: Option<Duration>,
    ) -> Result<Vec<Job>, GatewayError> {
        let limit = wait.unwrap_or(self.request_timeout) + POLL_MARGIN;
        let request = convert::activate(subscription, max_jobs, wait);
        self.call(limit, request, async |mut client, request| {
            collect(client.activate_jobs(request).await?).await
        })
        .await
    }

    async fn stream(&self, subscription: &Subscription) -> Result<JobStream, GatewayError> {
        let mut request = Request::new(convert::stream(subscription));
        let used = self.credentials.apply(&mut request).await?;
        let opening = self.streams.clone().stream_activated_jobs(request).await;
        let stream = match opening {
            Ok(stream) => stream.into_inner(),
            Err(status) => {
                let error = status::error(&status);
                if error.kind == GatewayErrorKind::Unauthenticated {
                    // The caller opens again, with the new token if there is one.
                    self.credentials.refused(used).await;
                }
                return Err(error);
            }
        };
        let jobs = stream.map(|item| match item {
            Ok(job) => Ok(convert::job(job)),
            Err(status) => Err(status::error(&status)),
        });
        Ok(Box::pin(jobs))
    }

    async fn report(&self, job: &JobRef, outcome: &Outcome) -> Result<(), GatewayError> {
        let limit = self.request_timeout;
        match outcome {
            Outcome::Complete { variables } => {
                let command = convert::sized(convert::complete(job, variables))?;
                self.call(limit, command, async |mut client, command| {
                    client.complete_job(command).await.map(|_| ())
                })
                .await
            }
            Outcome::Fail { retries, message, retry_backoff, variables } => {
                let command = convert::fail(job, *retries, message, *retry_backoff, variables);
                self.call(limit, convert::sized(command)?, async |mut client, command| {
                    client.fail_job(command).await.map(|_| ())
                })
                .await
            }
            Outcome::ThrowError { code, message, variables } => {
                let command = convert::sized(convert::throw(job, code, message, variables))?;
                self.call(limit, command, async |mut client, command| {
                    client.throw_error(command).await.map(|_| ())
                })
                .await
            }
        }
    }

    async fn extend(&self, job: &JobRef, timeout: Duration) -> Result<(), GatewayError> {
        let request = convert::extend(job, timeout);
        self.call(self.request_timeout, request, async |mut client, request| {
            client.update_job_timeout(request).await.map(|_| ())
        })
        .await
    }

    async fn remember(
        &self,
        element_instance_key: i64,
        variables: &Variables,
    ) -> Result<(), GatewayError> {
        let request = convert::sized(convert::remember(element_instance_key, variables))?;
        self.call(self.request_timeout, request, async |mut client, request| {
            client.set_variables(request).await.map(|_| ())
        })
        .await
    }

    async fn topology(&self) -> Result<Topology, GatewayError> {
        let request = proto::TopologyRequest {};
        self.call(self.request_timeout, request, async |mut client, request| {
            client.topology(request).await.map(|answer| convert::topology(answer.into_inner()))
        })
        .await
    }
}

/// Reads a poll's answer, a batch a partition, to its end. Jobs that have arrived are locked
/// for us: they are kept when the rest breaks off, and wait for the rest but shortly.
async fn collect(
    answer: Response<tonic::Streaming<proto::ActivateJobsResponse>>,
) -> Result<Vec<Job>, Status> {
    let mut batches = answer.into_inner();
    let mut jobs = Vec::new();
    while jobs.is_empty() {
        let Some(batch) = batches.message().await? else { return Ok(jobs) };
        jobs.extend(batch.jobs.into_iter().map(convert::job));
    }
    let rest = async {
        while let Ok(Some(batch)) = batches.message().await {
            jobs.extend(batch.jobs.into_iter().map(convert::job));
        }
    };
    let _complete = tokio::time::timeout(MORE_BATCHES, rest).await;
    Ok(jobs)
}

fn client(channel: Channel) -> GatewayClient<Channel> {
    GatewayClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES)
}

fn endpoint(config: &Config) -> Result<Endpoint, Error> {
    let bad_address = || Error::Address(config.address.clone());
    let mut endpoint = Endpoint::from_shared(config.address.clone())
        .map_err(|_| bad_address())?
        .user_agent(concat!("servicenow-worker/", env!("CARGO_PKG_VERSION")))
        .map_err(Error::Transport)?
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(config.keep_alive)
        .keep_alive_timeout(Duration::from_secs(20))
        .keep_alive_while_idle(true)
        .tcp_nodelay(true);
    let secure = match endpoint.uri().scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(bad_address()),
    };
    if let Some(authority) = &config.authority {
        let scheme = if secure { "https" } else { "http" };
        let origin = format!("{scheme}://{authority}").parse();
        endpoint = endpoint.origin(origin.map_err(|_| Error::Authority(authority.clone()))?);
    }
    if secure {
        endpoint = endpoint.tls_config(tls_config(config)?)?;
    }
    Ok(endpoint)
}

fn tls_config(config: &Config) -> Result<ClientTlsConfig, Error> {
    let tls = match &config.ca_file {
        Some(file) => {
            let pem = std::fs::read(file).map_err(|error| crate::tls::Error::CaFile {
                path: file.clone(),
                message: error.to_string(),
            })?;
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
        }
        None => ClientTlsConfig::new().with_webpki_roots(),
    };
    let name = config.authority.as_deref().map(host_of);
    Ok(match name {
        Some(name) => tls.domain_name(name),
        None => tls,
    })
}

fn host_of(authority: &str) -> &str {
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}
