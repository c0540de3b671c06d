//! Existing machines: over SSH, or this one.
pub mod ssh;
