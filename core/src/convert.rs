//! Conversion of values to types.
