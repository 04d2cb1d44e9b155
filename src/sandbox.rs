//! A ServiceNow emulator.
