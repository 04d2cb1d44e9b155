//! encoded_query
