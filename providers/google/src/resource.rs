//! What a type's file needs of [`weir_provider::cloud`].

use crate::client::Google;

pub(crate) use weir_provider::{
    cloud::{Failure, Minutes, Resource, unless_gone},
    declared::Found,
};

/// One operation on one object of Google's.
pub(crate) type Call<'a> = weir_provider::cloud::Call<'a, Google>;
