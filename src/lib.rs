//! Gateway Hub.
