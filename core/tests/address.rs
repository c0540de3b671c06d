//! The text form of addresses: what parses prints back, what does not says why.

use weir_core::{Address, Key, Object};

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
