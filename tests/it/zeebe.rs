//! zeebe
