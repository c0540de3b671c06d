//! Google Compute Engine as a provider. Empty without the feature `sdk`.
#![cfg(feature = "sdk")]
