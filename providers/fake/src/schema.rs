//! What the fake provider serves, as schemas.

use std::collections::BTreeMap;
use weir_core::{
    Type,
    schema::{Attribute, Block, NestedBlock, Nesting, Schema, SetBy},
};

fn block(
    attributes: impl IntoIterator<Item = (&'static str, Attribute)>,
    blocks: impl IntoIterator<Item = (&'static str, NestedBlock)>,
) -> Block {
    Block {
        attributes: attributes
            .into_iter()
            .map(|(k, a)| (k.to_owned(), a))
            .collect(),
        blocks: blocks.into_iter().map(|(k, b)| (k.to_owned(), b)).collect(),
    }
}

fn required(ty: Type, text: &str) -> Attribute {
    Attribute::new(ty, SetBy::Required).describe(text)
}
fn optional(ty: Type, text: &str) -> Attribute {
    Attribute::new(ty, SetBy::Optional).describe(text)
}
fn computed(ty: Type, text: &str) -> Attribute {
    Attribute::new(ty, SetBy::Computed).describe(text)
}

/// The provider's own configuration.
pub fn provider_config() -> Schema {
    let rate = |verb: &str| {
        optional(
            Type::Number,
            &format!("How many of a hundred {verb} fail, at random by the seed."),
        )
    };
    let faults = block(
        [
            (
                "seed",
                optional(
                    Type::Number,
                    "The same seed gives the same faults. Zero if not set.",
                ),
            ),
            ("create_error_rate", rate("creations")),
            ("partial_create_rate", rate("creations (half-way)")),
            ("update_error_rate", rate("updates")),
            ("delete_error_rate", rate("deletions")),
            ("read_error_rate", rate("reads")),
        ],
        [],
    );
    let faults = NestedBlock {
        block: faults,
        nesting: Nesting::Single,
        min: 0,
        max: Some(1),
        absent: weir_core::schema::Absent::None,
    };
    let attributes = [
        (
            "path",
            required(Type::String, "The file that is the cloud."),
        ),
        (
            "latency_ms",
            optional(Type::Number, "How long every operation takes."),
        ),
        (
            "kill_at",
            optional(
                Type::String,
                "Where the process is aborted: `before_create:3` is before the third creation of \
                 this process. Points: before, mid and after; verbs: create, update and delete.",
            ),
        ),
        (
            "batch",
            optional(Type::Bool, "Whether things of one zone go in one call."),
        ),
    ];
    Schema {
        version: 0,
        block: block(attributes, [("faults", faults)]),
    }
}

/// `fake_thing`
pub fn fake_thing() -> Schema {
    let disk = block(
        [
            ("name", required(Type::String, "The disk's name.")),
            ("size_gb", optional(Type::Number, "Its size.")),
            ("id", computed(Type::String, "Its id.")),
        ],
        [],
    );
    let disk = NestedBlock {
        block: disk,
        nesting: Nesting::List,
        min: 0,
        max: None,
        absent: weir_core::schema::Absent::None,
    };
    let class = Attribute::new(Type::String, SetBy::OptionalComputed)
        .describe("Its class; `standard` where not set.");
    let attributes = [
        ("name", required(Type::String, "The thing's name.")),
        ("size", optional(Type::Number, "Its size, from 0 to 1000.")),
        ("tags", optional(Type::map(Type::String), "Free texts.")),
        (
            "zone",
            optional(Type::String, "Where it is; it can't move.").replaces(),
        ),
        ("class", class),
        ("secret", optional(Type::String, "A secret.").sensitive()),
        ("id", computed(Type::String, "Its id.")),
        (
            "endpoint",
            computed(Type::String, "Where it is reached; follows its name."),
        ),
    ];
    Schema {
        version: 0,
        block: block(attributes, [("disk", disk)]),
    }
}

/// `data "fake_lookup"`
pub fn fake_lookup() -> Schema {
    let attributes = [
        (
            "name",
            required(Type::String, "The name of the thing that is looked up."),
        ),
        ("id", computed(Type::String, "The thing's id.")),
        ("size", computed(Type::Number, "Its size.")),
        ("endpoint", computed(Type::String, "Where it is reached.")),
    ];
    Schema {
        version: 0,
        block: block(attributes, BTreeMap::new()),
    }
}

/// `fake_token`: an ephemeral resource, a token that is lent while a run lasts.
pub(crate) fn fake_token() -> Schema {
    Schema {
        version: 0,
        block: block(
            [
                (
                    "name",
                    required(Type::String, "The token's name; `refused` is refused."),
                ),
                (
                    "renew_after_ms",
                    optional(Type::Number, "How long it stays open by itself."),
                ),
                ("token", computed(Type::String, "The token.")),
            ],
            [],
        ),
    }
}
