//! The words of ServiceNow as plain values, and the HTTP client that speaks them.
//!
//! Everything but [`http`] and [`auth`] is pure: an address, a table, a record, a
//! request, an answer, and what an answer means.

pub mod auth;
pub mod encoded_query;
pub mod endpoint;
pub mod error;
pub mod http;
pub mod instance;
pub mod reading;
pub mod record;
pub mod request;
pub mod response;
pub(crate) mod spellings;
pub mod sys_id;
pub mod table;

pub use encoded_query::EncodedQuery;
pub use endpoint::{Authentication, Chooser, Endpoint};
pub use error::{Error, Reason};
pub use instance::Instance;
pub use record::Record;
pub use request::{Method, Request};
pub use response::{NoAnswer, NoAnswerCause, Reply, Response};
pub use sys_id::SysId;
pub use table::Table;
