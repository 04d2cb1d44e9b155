//! What an operator decides for the core: connections, hosts, rights, limits.

mod call_times;
mod identity;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub use call_times::CallTimes;
pub use identity::{IdentityRule, InvalidIdentityRule, OnMismatch};

use super::{authentication::AuthenticationTemplate, pattern::HostPattern};
use crate::servicenow::{Instance, Table};

/// Settings of the core.
#[derive(Clone, Debug)]
pub struct Config {
    /// Cluster id and epoch: part of every record's identity, since job keys are unique in
    /// one cluster only. Change it after a restore.
    pub namespace: String,
    /// Connections by the name that processes use.
    pub connections: BTreeMap<String, Connection>,
    /// Hosts that an `instance` input may name, beside those of the connections.
    pub allowed_hosts: Vec<HostPattern>,
    /// Where `{{secrets.NAME}}` is replaced.
    pub secret_scope: SecretScope,
    /// Secrets of the worker's own that no job may use.
    pub reserved_secrets: BTreeSet<String>,
    /// How long transient failures keep a job's retries.
    pub max_outage: Duration,
    /// Most bytes of JSON handed to the engine as variables.
    pub max_result_bytes: usize,
    /// Most bytes of the answers to one search, all pages together; a single answer is capped
    /// by the transport.
    pub max_search_bytes: usize,
    /// How long calls can last.
    pub call_times: CallTimes,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            namespace: "default".to_owned(),
            connections: BTreeMap::new(),
            allowed_hosts: HostPattern::defaults(),
            secret_scope: SecretScope::Credentials,
            reserved_secrets: BTreeSet::new(),
            max_outage: Duration::from_hours(24),
            max_result_bytes: 1_572_864,
            max_search_bytes: 8 * 1024 * 1024,
            call_times: CallTimes::default(),
        }
    }
}

impl Config {
    /// Whether a job may name this host itself.
    pub(crate) fn allows_host(&self, host: &str) -> bool {
        self.allowed_hosts.iter().any(|pattern| pattern.matches(host))
            || self.connections.values().any(|connection| connection.instance.host() == host)
    }

    /// Whether the allowed hosts have this very address, or `localhost`: then it is the
    /// operator's choice, as an instance of a connection is. A name is not, since whoever
    /// owns it says where it leads.
    pub(crate) fn writes_out(&self, instance: &Instance) -> bool {
        let is_address = instance.is_address() || instance.is_loopback();
        is_address && self.allowed_hosts.iter().any(|pattern| pattern.is(instance.host()))
    }
}

/// A configured way to one instance.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The instance.
    pub instance: Instance,
    /// The credentials; their texts may hold `{{secrets.NAME}}`.
    pub authentication: AuthenticationTemplate,
    /// Most calls at once.
    pub max_concurrency: usize,
    /// Which tables may be read and written.
    pub tables: TableRules,
    /// Whether plain http to a host beyond this machine is taken.
    pub allow_http: bool,
    /// What becomes of a record that an earlier attempt created from other fields.
    pub on_mismatch: OnMismatch,
    /// Tables whose records are not told apart by the sys_id alone.
    pub identity: Vec<IdentityRule>,
    /// Fields that append an entry each time they are written, beside those that every instance
    /// has.
    pub journal_fields: Vec<String>,
}

impl Connection {
    /// Most calls at once when nothing else is said.
    pub const DEFAULT_CONCURRENCY: usize = 16;

    /// A connection with the default limit and rights.
    pub fn new(instance: Instance, authentication: AuthenticationTemplate) -> Self {
        Self {
            instance,
            authentication,
            max_concurrency: Self::DEFAULT_CONCURRENCY,
            tables: TableRules::default(),
            allow_http: false,
            on_mismatch: OnMismatch::default(),
            identity: Vec::new(),
            journal_fields: Vec::new(),
        }
    }
}

/// Tables by pattern: `*` stands for any text, a leading `!` denies. A table is allowed
/// when one pattern allows it and none denies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRules {
    /// Tables that may be read.
    pub read: Vec<String>,
    /// Tables that may be written.
    pub write: Vec<String>,
}

impl Default for TableRules {
    fn default() -> Self {
        Self { read: vec!["*".to_owned()], write: vec!["*".to_owned(), "!sys_*".to_owned()] }
    }
}

/// What an operation does to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Looks only.
    Read,
    /// Creates, changes or deletes.
    Write,
}

impl TableRules {
    /// Whether the operation may touch the table.
    pub fn allow(&self, access: Access, table: &Table) -> bool {
        let patterns = match access {
            Access::Read => &self.read,
            Access::Write => &self.write,
        };
        let name = table.as_str();
        let allowed = patterns.iter().any(|p| !p.starts_with('!') && super::pattern::glob(p, name));
        let denied = patterns
            .iter()
            .filter_map(|p| p.strip_prefix('!'))
            .any(|p| super::pattern::glob(p, name));
        allowed && !denied
    }
}

/// Where `{{secrets.NAME}}` is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretScope {
    /// In credentials and header values only: a variable that happens to hold such a text
    /// is data.
    #[default]
    Credentials,
    /// In every input but `connection` and `instance`, which decide where secrets go.
    Inputs,
}

#[cfg(test)]
mod tests {
    use super::{Access, TableRules};
    use crate::servicenow::Table;

    fn allowed(rules: &TableRules, access: Access, table: &str) -> bool {
        rules.allow(access, &Table::parse(table).unwrap())
    }

    #[test]
    fn system_tables_are_read_but_not_written_unless_configured() {
        let rules = TableRules::default();
        assert!(allowed(&rules, Access::Read, "sys_user"));
        assert!(!allowed(&rules, Access::Write, "sys_user"));
        assert!(allowed(&rules, Access::Write, "incident"));
    }

    #[test]
    fn a_denial_wins_wherever_it_stands() {
        let rules = TableRules {
            read: vec!["!incident".to_owned(), "inc*".to_owned()],
            write: vec!["x_*_order".to_owned()],
        };
        assert!(!allowed(&rules, Access::Read, "incident"));
        assert!(allowed(&rules, Access::Read, "incident_task"));
        assert!(allowed(&rules, Access::Write, "x_acme_order"));
        assert!(!allowed(&rules, Access::Write, "x_acme_orders"));
    }
}
