//! The text form of addresses: what parses prints back, what does not says why.

use weir_core::{
    Address, Key, Object,
    address::{OfferStep, ProviderRef},
};

#[test]
fn every_form_prints_as_it_was_written() {
    for text in [
        "aws_vpc.main",
        "aws_vpc.main[0]",
        r#"aws_vpc.main["eu.west"]"#,
        "data.aws_ami.debian",
        r#"site.zurich.host["zrh-1"]"#,
        r#"service.web.pod.app["0"]"#,
        r#"module.net["eu"].aws_vpc.main[3]"#,
        r#"module.a.module.b[1].service.web.pod.app["x\"y"]"#,
        r#"x.y["ünï \\ ]"]"#,
        r#"cluster.main.pool.cloud.offer.fra.aws_instance.machine["0"]"#,
        r#"module.eu["a"].cluster.main.pool.cloud.offer.fra.module.x[1].data.a.b"#,
        r#"cluster.main.pool.cloud.offer.fra.site.machines.host["main-cloud-0"]"#,
        // Types may be called as they like.
        "cluster.main",
        "pool.offer[0]",
    ] {
        let address: Address = text.parse().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(address.to_string(), text);
    }
}

#[test]
fn what_is_no_address_says_why() {
    for (text, cause) in [
        ("", "\"\" is not a name"),
        ("aws_vpc", "the name is missing"),
        ("aws_vpc.main.id", "something stands after the end"),
        ("aws_vpc[0].main", "an instance key stands after the name"),
        (
            "aws_vpc.main[x]",
            "the key \"x\" is neither a number nor quoted",
        ),
        ("aws_vpc.main[0", "`]` is missing"),
        ("aws_vpc.main[\"a", "the quoted key does not end"),
        ("module.net", "what is in the module is missing"),
        ("service.web.task.app", "`task` stands where `pod` must"),
        ("site.zurich.machine", "`machine` stands where `host` must"),
        ("1a.b", "\"1a\" is not a name"),
        (
            "cluster.m.pool.p.offer.o",
            "what is in the module is missing",
        ),
        ("cluster.m.pool.p", "something stands after the end"),
        (
            "cluster.m.pool.p.offer.o[0].a.b",
            "something stands after the end",
        ),
    ] {
        let error = text.parse::<Address>().expect_err(text);
        assert_eq!(error.cause, cause, "{text}");
    }
}

#[test]
fn instances_are_ordered_by_number_not_by_text() {
    let parse = |s: &str| s.parse::<Address>().unwrap();
    assert!(parse("a.b[2]") < parse("a.b[10]"));
    assert!(parse("a.b[10]").is_in(&parse("a.b")));
    assert!(!parse("a.b[10]").is_in(&parse("a.b[1]")));
    assert!(!parse("module.m.a.b").is_in(&parse("a.b")));
}

#[test]
fn hosts_and_pods_have_types_of_their_own() {
    let host: Address = r#"site.s.host["h"]"#.parse().unwrap();
    assert_eq!(host.object.type_name(), "weir_host");
    assert_eq!(host.key, Key::Name("h".into()));
    let pod: Address = r#"service.s.pod.p["0"]"#.parse().unwrap();
    assert_eq!(
        pod.object,
        Object::Pod {
            service: "s".into(),
            pod: "p".into()
        }
    );
    assert_eq!(pod.object.type_name(), "weir_pod");
}

#[test]
fn no_template_begins_in_a_key() {
    let table = [
        ("${x}", r#"a.b["$${x}"]"#),
        ("%{ if }", r#"a.b["%%{ if }"]"#),
        ("$$ 5% {", r#"a.b["$$ 5% {"]"#),
        ("a\"b\\c\n", r#"a.b["a\"b\\c\n"]"#),
    ];
    for (key, text) in table {
        let mut address: Address = "a.b".parse().unwrap();
        address.key = Key::Name(key.into());
        assert_eq!(address.to_string(), text);
        assert_eq!(text.parse::<Address>().unwrap(), address, "{text}");
    }
    // As it was written before templates were told apart.
    let plain: Address = r#"a.b["${x}"]"#.parse().unwrap();
    assert_eq!(plain.key, Key::Name("${x}".into()));
}

/// Names are compared by words: that must be the order of their bytes, at every length and with
/// the difference at every place.
#[test]
fn names_are_ordered_by_their_bytes() {
    let mut names: Vec<String> = vec!["é".into(), "z\u{10ffff}".into(), "\u{7f}".into()];
    for length in [0, 1, 2, 7, 8, 9, 15, 16, 17, 24] {
        let plain = "m".repeat(length);
        for at in 0..length {
            for other in ["a", "\u{e9}"] {
                let mut name = plain.clone();
                name.replace_range(at..=at, other);
                names.push(name);
            }
        }
        names.push(plain);
    }
    let managed = |ty: &str, name: &str| Object::Managed {
        ty: ty.into(),
        name: name.into(),
    };
    for a in &names {
        for b in &names {
            let wanted = a.cmp(b);
            assert_eq!(
                Key::Name(a.into()).cmp(&Key::Name(b.into())),
                wanted,
                "{a} {b}"
            );
            assert_eq!(managed(a, "x").cmp(&managed(b, "x")), wanted, "{a} {b}");
            assert_eq!(managed("x", a).cmp(&managed("x", b)), wanted, "{a} {b}");
        }
    }
}

#[test]
fn kinds_are_ordered_as_they_are_declared() {
    let in_order = [
        "ab.b",
        "b.a",
        "b.aa",
        "data.a.a",
        "ephemeral.a.a",
        "site.a.host",
        "service.a.pod.a",
        "service.a.pod.b",
        "service.b.pod.a",
    ];
    let addresses: Vec<Address> = in_order.iter().map(|a| a.parse().unwrap()).collect();
    assert!(addresses.is_sorted());
    let keys = [
        Key::None,
        Key::Index(9),
        Key::Index(10),
        Key::Name("0".into()),
    ];
    assert!(keys.is_sorted());
}

#[test]
fn an_offer_of_a_pool_is_a_step_like_that_of_a_module() {
    let text = r#"module.eu.cluster.main.pool.cloud.offer.fra.aws_instance.machine["0"]"#;
    let address: Address = text.parse().unwrap();
    let (last, key) = address.module.0.last().unwrap();
    let offer = OfferStep::of(last).unwrap();
    assert_eq!(
        (offer.cluster, offer.pool, offer.offer),
        ("main", "cloud", "fra")
    );
    assert_eq!(offer.name(), *last);
    assert_eq!(*key, Key::None);
    assert_eq!(OfferStep::of("eu"), None);
    assert_eq!(address.module.0.len(), 2);
    for (text, module) in [
        ("cluster.a.pool.b.offer.c.aws", "cluster.a.pool.b.offer.c"),
        (
            "module.m.cluster.a.pool.b.offer.c.aws.x",
            "module.m.cluster.a.pool.b.offer.c",
        ),
    ] {
        let provider: ProviderRef = text.parse().unwrap();
        assert_eq!(provider.module.to_string(), module);
        assert_eq!(provider.to_string(), text);
    }
}
