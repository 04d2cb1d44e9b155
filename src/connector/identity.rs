//! Who a record is, decided before it exists.
//!
//! The same job always asks for the same sys_id, whatever crashed in between, so that
//! ServiceNow's primary key refuses a second record. The job key is unique in its cluster
//! only, hence the namespace; a changed target is a new effect, hence instance and table.
#![deny(clippy::disallowed_types)]

use sha2::{Digest, Sha256};

use crate::{
    job::Job,
    servicenow::{Instance, SysId},
};

/// The identity of what one operation of one job creates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    hash: [u8; 32],
}

impl Identity {
    /// The identity for a job's only operation on a target: a table, or a flow's path.
    pub(crate) fn new(namespace: &str, job: &Job, instance: &Instance, target: &str) -> Self {
        let key = job.id.key.to_string();
        let parts = ["v1", namespace, &job.tenant_id, &key, "0", instance.base_url(), target];
        let mut hasher = Sha256::new();
        for part in parts {
            // The length first: `ab`+`c` and `a`+`bc` must differ.
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        Self { hash: hasher.finalize().into() }
    }

    /// The first 128 bits.
    pub(crate) fn sys_id(&self) -> SysId {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.hash[..16]);
        SysId::from_bytes(bytes)
    }

    /// All 256 bits, as 64 hexadecimal digits.
    pub(crate) fn marker(&self) -> String {
        let (mut high, mut low) = ([0; 16], [0; 16]);
        high.copy_from_slice(&self.hash[..16]);
        low.copy_from_slice(&self.hash[16..]);
        format!("{:032x}{:032x}", u128::from_be_bytes(high), u128::from_be_bytes(low))
    }
}

#[cfg(test)]
mod tests {
    use super::Identity;
    use crate::{connector::testing, servicenow::Instance};

    fn instance(name: &str) -> Instance {
        Instance::parse(name, false).unwrap()
    }

    #[test]
    fn the_same_job_always_asks_for_the_same_id() {
        let job = testing::job(serde_json::json!({}));
        let one = Identity::new("prod", &job, &instance("dev1"), "incident");
        assert_eq!(one, Identity::new("prod", &job, &instance("dev1"), "incident"));
        assert!(one.marker().starts_with(one.sys_id().as_str()));
        assert_eq!(one.marker().len(), 64);
    }

    #[test]
    fn everything_that_makes_it_another_effect_makes_another_id() {
        let job = testing::job(serde_json::json!({}));
        let mut other = job.clone();
        other.id.key.0 += 1;
        let mut tenant = job.clone();
        tenant.tenant_id = "other".to_owned();
        let ids = [
            Identity::new("prod", &job, &instance("dev1"), "incident"),
            Identity::new("prod2", &job, &instance("dev1"), "incident"),
            Identity::new("prod", &other, &instance("dev1"), "incident"),
            Identity::new("prod", &tenant, &instance("dev1"), "incident"),
            Identity::new("prod", &job, &instance("dev2"), "incident"),
            Identity::new("prod", &job, &instance("dev1"), "problem"),
        ];
        for (index, id) in ids.iter().enumerate() {
            assert!(!ids[..index].contains(id), "{index}");
        }
    }
}
