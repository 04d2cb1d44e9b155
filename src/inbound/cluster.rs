//! What is known of the cluster without asking for each request: questions that need no
//! credential must not reach the broker.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::time::Instant;

use super::problem::Problem;
use crate::ports::{Cluster, ProcessGateway, Readiness};

/// Pause between two questions.
const PAUSE: Duration = Duration::from_secs(10);
/// Pause while nobody answers.
const PAUSE_UNANSWERED: Duration = Duration::from_secs(1);
/// How long an answer counts.
const FRESH: Duration = Duration::from_secs(35);

/// The latest that is known.
#[derive(Debug, Default)]
pub struct ClusterWatch {
    latest: RwLock<Option<(Arc<Cluster>, Instant)>>,
}

impl ClusterWatch {
    /// Whether some partition can be worked with.
    pub(crate) fn is_up(&self) -> bool {
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        latest.as_ref().is_some_and(|(cluster, at)| at.elapsed() < FRESH && cluster.is_up())
    }

    /// Demands a gateway of at least this version.
    pub(crate) fn demand_version(&self, wanted: (u32, u32), for_what: &str) -> Result<(), Problem> {
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        let Some((cluster, _)) = latest.as_ref() else {
            return Err(Problem::unavailable("the gateway has not answered yet"));
        };
        if cluster.version().is_some_and(|version| version >= wanted) {
            return Ok(());
        }
        Err(Problem::not_offered(format!(
            "{for_what} needs Camunda {}.{}; the gateway is {}",
            wanted.0, wanted.1, cluster.gateway_version
        )))
    }

    /// Takes an answer in.
    pub(crate) fn learn(&self, cluster: Cluster) {
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        *latest = Some((Arc::new(cluster), Instant::now()));
    }

    /// Asks now and then, for ever.
    pub(crate) async fn follow<G: ProcessGateway>(&self, gateway: &G) {
        loop {
            let pause = match gateway.cluster().await {
                Ok(cluster) => {
                    self.learn(cluster);
                    PAUSE
                }
                Err(error) => {
                    tracing::debug!(%error, "the cluster's topology is not to be had");
                    PAUSE_UNANSWERED
                }
            };
            tokio::time::sleep(pause).await;
        }
    }
}

impl Readiness for ClusterWatch {
    fn is_ready(&self) -> bool {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}
