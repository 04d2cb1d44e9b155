//! FEEL as Camunda speaks it.
