//! The attributes of `machine` and `offer` in a pool, as data.

use super::schema::{block, labelled, optional, required, text};
use crate::decode::{Format, Shape};
use std::sync::LazyLock;
use weir_core::{
    Type,
    schema::{Attribute, Block, SetBy},
};

const ARCHS: Format = Format::OneOf(&["amd64", "arm64"]);

/// `machine {}`: what is needed, whatever a cloud calls it.
pub(super) static MACHINE: LazyLock<Block> = LazyLock::new(|| {
    let mut machine = block(
        [
            ("disk", text("The size of its disk.")),
            ("image", text("What it boots: `debian-12`, `ubuntu-24.04`.")),
        ],
        [],
    );
    machine.attributes.extend(of_a_machine());
    machine
});

/// What is asked of a machine, and said of a type.
fn of_a_machine() -> [(String, Attribute); 6] {
    [
        ("cpus", required(Type::Number, "Virtual cores.")),
        (
            "memory",
            required(Type::String, "Memory, such as \"16GiB\"."),
        ),
        ("arch", text("`amd64` or `arm64`.")),
        ("gpu", optional(Type::Number, "How many GPUs.")),
        ("gpu_model", text("Which GPUs: `T4`.")),
        (
            "burstable",
            optional(Type::Bool, "Whether its cores may be lent."),
        ),
    ]
    .map(|(name, a)| (name.to_owned(), a))
}

/// `offer "name" {}`: a cloud that may make the machines.
pub(super) static OFFER: LazyLock<Block> = LazyLock::new(|| {
    let mut own = block(
        [("price", required(Type::Number, "US dollars per hour."))],
        [],
    );
    own.attributes.extend(of_a_machine());
    let names = || Type::list(Type::String);
    block(
        [
            (
                "provider",
                required(Type::Dynamic, "Who makes the machines."),
            ),
            ("region", text("Where they stand.")),
            ("zones", optional(names(), "Which zones of the region.")),
            ("market", text("`on-demand` or `spot`.")),
            ("image", text("The image, by the cloud's own id.")),
            ("subnet", text("The network they stand in, by its id.")),
            (
                "security_groups",
                optional(names(), "What guards them, by ids."),
            ),
            (
                "tags",
                optional(
                    Type::map(Type::String),
                    "Tags or labels of all that is made.",
                ),
            ),
            (
                "max_price",
                optional(Type::Number, "The most an hour may cost, in US dollars."),
            ),
            (
                "types",
                optional(names(), "The only types that are considered."),
            ),
        ],
        [("type", labelled(own))],
    )
});

/// How a pool is decoded: its offers keep their order, so they are decoded one by one.
pub(super) fn pool_shape(mut pool: Block) -> Shape {
    pool.blocks.remove("offer");
    let formats = [
        ("count", Format::Whole),
        ("boot_timeout", Format::Duration),
        ("prefer", Format::OneOf(&["order", "price"])),
        ("machine.cpus", Format::Count),
        ("machine.memory", Format::Size),
        ("machine.disk", Format::Size),
        ("machine.arch", ARCHS),
        ("machine.gpu", Format::Whole),
    ];
    Shape::with_formats(&pool, &formats)
}

/// How an offer is decoded: [`super::pools::settled`] has written the provider as text, and the
/// type of provider beside it.
pub(super) fn offer_shape() -> Shape {
    let mut offer = OFFER.clone();
    for name in [
        super::pools::PROVIDER,
        super::pools::CLOUD,
        super::pools::PROVIDER_REGION,
    ] {
        let written = Attribute::new(Type::String, SetBy::Optional);
        offer.attributes.insert(name.to_owned(), written);
    }
    let formats = [
        ("market", Format::OneOf(&["on-demand", "spot"])),
        ("max_price", Format::Positive),
        ("type.cpus", Format::Count),
        ("type.memory", Format::Size),
        ("type.arch", ARCHS),
        ("type.gpu", Format::Whole),
        ("type.price", Format::Positive),
    ];
    Shape::with_formats(&offer, &formats)
}
