//! The client of the Zeebe gateway.
