//! What the tests share: the engines, the sandbox, the worker, and patience.

pub(crate) mod endpoint;
pub(crate) mod engine;
pub(crate) mod gateway;
pub(crate) mod http;
pub(crate) mod patience;
pub(crate) mod process;
pub(crate) mod sandbox;
pub(crate) mod secret;
pub(crate) mod stage;
pub(crate) mod worker;
