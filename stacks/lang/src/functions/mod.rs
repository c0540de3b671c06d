//! The functions of the language.

/// The functions there are, by name.
#[derive(Debug, Default)]
pub struct Registry {}

impl Registry {
    /// All functions built in.
    pub fn standard() -> Registry {
        Registry::default()
    }
}
