//! servicenow_http
