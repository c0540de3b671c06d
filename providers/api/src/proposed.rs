//! Prior and configuration merged.
