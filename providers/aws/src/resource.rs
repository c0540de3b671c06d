//! What all files of `resources` and `data` say of EC2's calls.

use crate::client::Aws;
pub(crate) use weir_provider::{
    cloud::{Failure, Minutes, Resource, State, unless_gone},
    declared::Found,
};

/// One operation on one object.
pub(crate) type Call<'a> = weir_provider::cloud::Call<'a, Aws>;

/// A filter of a describe call.
pub(crate) fn filter(name: &str, value: impl Into<String>) -> aws_sdk_ec2::types::Filter {
    aws_sdk_ec2::types::Filter::builder()
        .name(name)
        .values(value)
        .build()
}

/// The attributes of something that is there.
pub(crate) fn found(value: serde_json::Value) -> Result<Option<Found>, Failure> {
    Ok(Some(weir_provider::declared::object(value)))
}
