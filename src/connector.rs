//! Input of a job -> operation -> exchange of requests and replies -> outcome.
