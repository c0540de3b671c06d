//! Checks that hold a provider to its word.
