//! `weir state list|show|mv|rm|replace-provider` on a state that came from Terraform: patterns,
//! documents, objects put aside, providers by their source address, Terraform's own flags.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::Stack;
use serde_json::{Value as Json, json};

/// Two providers of one name, a module with keys, a tainted object, one put aside.
fn file() -> String {
    let instance = |key: Json, id: &str| {
        let mut row = json!({
            "schema_version": 1,
            "attributes": { "id": id, "token": "hush-hush" },
            "sensitive_attributes": [[{ "type": "get_attr", "value": "token" }]],
        });
        if !key.is_null() {
            row["index_key"] = key;
        }
        row
    };
    let block = |module: &str, name: &str, provider: &str, instances: Vec<Json>| {
        let mut row = json!({
            "mode": "managed", "type": "acme_box", "name": name,
            "provider": provider, "instances": instances,
        });
        if !module.is_empty() {
            row["module"] = json!(module);
        }
        row
    };
    let acme = "provider[\"registry.acme.test/infra/acme\"]";
    let west = "provider[\"registry.terraform.io/hashicorp/acme\"].west";
    let mut tainted = instance(Json::Null, "i-tainted");
    tainted["status"] = json!("tainted");
    let mut aside = instance(Json::Null, "i-old");
    aside["deposed"] = json!("0a1b2c3d");
    let mut gone = instance(Json::Null, "i-gone");
    gone["deposed"] = json!("11223344");
    let resources = [
        block("", "a", acme, vec![tainted, aside]),
        block("", "gone", acme, vec![gone]),
        block(
            "",
            "many",
            west,
            vec![instance(json!(0), "i-0"), instance(json!(1), "i-1")],
        ),
        block(
            "module.net[\"eu\"]",
            "b",
            acme,
            vec![instance(Json::Null, "i-b")],
        ),
    ];
    json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 7,
        "lineage": "0f1e2d3c-0000-4000-8000-000000000001",
        "outputs": {}, "resources": resources, "check_results": null,
    })
    .to_string()
}

fn imported() -> Stack {
    let stack = Stack::new("stack \"s\" {}\n");
    stack.write("in.tfstate", &file());
    stack.expect(0, "state import in.tfstate");
    stack
}

fn lines(stack: &Stack, line: &str) -> Vec<String> {
    let out = stack.expect(0, line).out;
    out.lines().map(str::to_owned).collect()
}

const ALL: [&str; 5] = [
    "acme_box.a",
    "acme_box.gone",
    "acme_box.many[0]",
    "acme_box.many[1]",
    "module.net[\"eu\"].acme_box.b",
];

#[test]
fn lists_by_address_pattern_and_id() {
    let stack = imported();
    assert_eq!(lines(&stack, "state list"), ALL);
    let table: &[(&str, &[&str])] = &[
        ("acme_box.many", &ALL[2..4]),
        ("acme_box.many[1]", &ALL[3..4]),
        ("acme_box.*", &ALL[..4]),
        ("*[1] module.net", &ALL[3..]),
        ("module.*", &ALL[4..]),
        ("*.b", &ALL[4..]),
        ("-id=i-1", &ALL[3..4]),
        ("-id=i-nope", &[]),
        ("-id=i-1 acme_box.a", &[]),
    ];
    for (args, expected) in table {
        assert_eq!(
            lines(&stack, &format!("state list {args}")),
            *expected,
            "{args}"
        );
    }
    for (args, text) in [
        (
            "acme_box.many[7]",
            "State has acme_box.many[0], acme_box.many[1].",
        ),
        (
            "acme_box.a acme_box.nope",
            "acme_box.nope matches nothing in state",
        ),
        ("module.nope", "module.nope matches nothing"),
        ("nope*", "nope* matches nothing"),
    ] {
        let run = stack.expect(1, &format!("state list {args}"));
        assert!(run.err.contains(text), "{args}: {run:#?}");
        assert!(run.out.is_empty(), "{run:#?}");
    }
}

#[test]
fn a_list_in_json_has_every_field() {
    let stack = imported();
    let run = stack.expect(0, "state list -json");
    assert!(!run.out.contains("hush"), "{run:#?}");
    let rows: Vec<Json> = serde_json::from_str(&run.out).unwrap();
    let addresses: Vec<&str> = rows
        .iter()
        .map(|r| r["address"].as_str().unwrap())
        .collect();
    assert_eq!(addresses, ALL);
    assert_eq!(
        (&rows[0]["tainted"], &rows[0]["current"], &rows[0]["id"]),
        (&json!(true), &json!(true), &json!("i-tainted"))
    );
    assert_eq!(rows[0]["deposed"].as_array().unwrap().len(), 1);
    assert_eq!(rows[1]["current"], json!(false));
    assert_eq!(rows[1]["id"], Json::Null);
    assert_eq!(
        rows[3],
        json!({
            "address": "acme_box.many[1]", "module": "", "mode": "managed", "type": "acme_box",
            "name": "many", "index": 1, "provider": "acme.west",
            "provider_name": "registry.terraform.io/hashicorp/acme", "schema_version": 1,
            "id": "i-1", "current": true, "tainted": false, "deposed": [],
        })
    );
    assert_eq!(rows[4]["module"], "module.net[\"eu\"]");
    assert_eq!(rows[4]["index"], Json::Null);
    assert_eq!(rows[4]["provider_name"], "registry.acme.test/infra/acme");
    let empty = Stack::new("stack \"s\" {}\n");
    assert_eq!(empty.expect(0, "state list -json").out, "[]\n");
}

#[test]
fn one_instance_is_shown_as_the_whole_state_has_it() {
    let stack = imported();
    let whole: Json = serde_json::from_str(&stack.expect(0, "show -json").out).unwrap();
    let all = whole["values"]["root_module"]["resources"]
        .as_array()
        .unwrap();
    let of = |address: &str| all.iter().find(|r| r["address"] == address).unwrap();
    for address in ["acme_box.a", "acme_box.many[1]"] {
        let shown = stack.expect(0, &format!("state show -json {address}")).out;
        let shown: Json = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown, *of(address), "{address}");
    }
    assert_eq!(
        of("acme_box.a")["provider_name"],
        "registry.acme.test/infra/acme"
    );
    let redacted = stack.expect(0, "state show -json -redact acme_box.a").out;
    assert!(!redacted.contains("hush"), "{redacted}");
    let one = stack.expect(0, "state show *[1]").out;
    assert!(one.starts_with("# acme_box.many[1]\n"), "{one}");
    for (args, text) in [
        ("acme_box.*", "matches 4 instances"),
        ("nope*", "matches nothing"),
        (
            "acme_box.many",
            "State has acme_box.many[0], acme_box.many[1].",
        ),
        ("acme_box.gone", "is not in state"),
    ] {
        let run = stack.expect(1, &format!("state show {args}"));
        assert!(
            run.err.replace('\n', " ").contains(text),
            "{args}: {run:#?}"
        );
    }
    stack.expect(2, "state show module.net");
}

#[test]
fn a_state_file_of_terraform_is_looked_into_without_import() {
    let stack = Stack::new("stack \"s\" {}\n");
    stack.write("in.tfstate", &file());
    assert_eq!(lines(&stack, "state list -state=in.tfstate"), ALL);
    let shown = stack
        .expect(0, "state show -state in.tfstate acme_box.many[0]")
        .out;
    assert!(
        shown.contains("\"i-0\"") && !shown.contains("hush"),
        "{shown}"
    );
    assert!(!stack.path().join(".weir").exists());
    stack.expect(1, "state list -state=nope.tfstate");
}

/// What the state has of an instance in Terraform's format: the attribute `id`, and whether it is
/// put aside.
fn pulled(stack: &Stack) -> Vec<(String, String, bool)> {
    let json: Json = serde_json::from_str(&stack.expect(0, "state pull").out).unwrap();
    let mut out = Vec::new();
    for block in json["resources"].as_array().unwrap() {
        let module = block["module"]
            .as_str()
            .map_or(String::new(), |m| format!("{m}."));
        let name = format!("{module}{}", block["name"].as_str().unwrap());
        for i in block["instances"].as_array().unwrap() {
            let id = i["attributes"]["id"].as_str().unwrap().to_owned();
            out.push((name.clone(), id, i.get("deposed").is_some()));
        }
    }
    out.sort();
    out
}

#[test]
fn what_was_put_aside_goes_along() {
    let stack = imported();
    stack.expect(0, "state mv acme_box.a acme_box.z");
    let has = |name: &str, id: &str, aside: bool| {
        pulled(&stack).contains(&(name.to_owned(), id.to_owned(), aside))
    };
    assert!(
        has("z", "i-tainted", false) && has("z", "i-old", true),
        "{:?}",
        pulled(&stack)
    );
    assert!(!has("a", "i-old", true));
    stack.expect(
        0,
        "state mv acme_box.gone acme_box.z acme_box.many module.box",
    );
    assert!(
        has("module.box.gone", "i-gone", true),
        "{:?}",
        pulled(&stack)
    );
    assert!(has("module.box.z", "i-old", true) && has("module.box.many", "i-1", false));
    assert_eq!(pulled(&stack).len(), 6);
    // Tainting an object is no operation on the one put aside.
    stack.expect(0, "untaint module.box.acme_box.z");
    stack.expect(0, "state rm module.box.acme_box.gone module.box.acme_box.z");
    let left = pulled(&stack);
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.iter().all(|(_, _, aside)| !aside), "{left:?}");
    let dry = stack.expect(0, "state rm -dry-run module.*");
    assert!(
        dry.out
            .ends_with("3 resource instances would be dropped.\n"),
        "{dry:#?}"
    );
    stack.expect(0, "state rm module.*");
    assert!(lines(&stack, "state list").is_empty());
}

#[test]
fn patterns_and_several_sources_move_into_a_module() {
    let stack = imported();
    let dry = stack.expect(0, "state mv -dry-run acme_box.m* module.net module.all[0]");
    assert_eq!(
        dry.out,
        "Would move acme_box.many[0] to module.all[0].acme_box.many[0]\n\
         Would move acme_box.many[1] to module.all[0].acme_box.many[1]\n\
         Would move module.net[\"eu\"].acme_box.b to module.all[0].module.net[\"eu\"].acme_box.b\n\
         \n3 objects would be moved.\n"
    );
    assert_eq!(lines(&stack, "state list"), ALL);
    stack.expect(0, "state mv acme_box.m* module.net module.all[0]");
    assert_eq!(
        lines(&stack, "state list module.all"),
        [
            "module.all[0].acme_box.many[0]",
            "module.all[0].acme_box.many[1]",
            "module.all[0].module.net[\"eu\"].acme_box.b"
        ]
    );
    let before = lines(&stack, "state list");
    for (line, text) in [
        ("acme_box.* acme_box.q", "is no module"),
        ("acme_box.a acme_box.gone acme_box.q", "is no module"),
        (
            "module.all[0].acme_box.many[0] acme_box.a",
            "that is in state",
        ),
        ("acme_box.a acme_box.gone", "that is in state"),
    ] {
        let run = stack.weir(&format!("state mv {line}"));
        assert!(run.err.contains(text), "{line}: {run:#?}");
        assert_eq!(lines(&stack, "state list"), before);
    }
}

#[test]
fn providers_are_told_apart_by_their_source() {
    let stack = imported();
    let provider = |name: &str| {
        let json: Json = serde_json::from_str(&stack.expect(0, "state pull").out).unwrap();
        let all = json["resources"].as_array().unwrap().clone();
        let row = all.into_iter().find(|r| r["name"] == name).unwrap();
        row["provider"].as_str().unwrap().to_owned()
    };
    let replace = |args: &str| stack.weir(&format!("state replace-provider -auto-approve {args}"));
    let run = replace("acme other/acme");
    assert_eq!(run.code, Some(2), "{run:#?}");
    assert!(
        run.err
            .contains("registry.acme.test/infra/acme or registry.terraform.io/hashicorp/acme"),
        "{run:#?}"
    );
    // The short form is of the public registry.
    let run = replace("hashicorp/acme registry.acme.test/infra/acme");
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert!(
        run.out.contains("2 resource instances changed."),
        "{run:#?}"
    );
    assert_eq!(
        provider("many"),
        "provider[\"registry.acme.test/infra/acme\"].west"
    );
    // Now there is one of the name; an alias on the right is taken.
    let run = replace("acme acme.east");
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert_eq!(
        provider("b"),
        "provider[\"registry.terraform.io/hashicorp/acme\"].east"
    );
    assert_eq!(
        provider("many"),
        "provider[\"registry.terraform.io/hashicorp/acme\"].east"
    );
    let run = replace("hashicorp/acme.west hashicorp/acme");
    assert!(
        run.err.contains("Nothing in state is served by"),
        "{run:#?}"
    );
    let run = replace("acme.east acme/acme");
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert_eq!(
        provider("a"),
        "provider[\"registry.terraform.io/acme/acme\"]"
    );
    // What this weir has serves nothing of that type.
    let run = replace("acme/acme fake");
    assert!(run.err.contains("can't take over acme_box.a"), "{run:#?}");
    for wrong in ["a/b/c/d acme", "acme x//y", "acme ''"] {
        assert_eq!(replace(wrong).code, Some(2), "{wrong}");
    }
}

#[test]
fn terraforms_flags_about_files_are_answered() {
    let stack = imported();
    for (line, text) in [
        (
            "state rm -state=x.tfstate acme_box.a",
            "weir state import FILE",
        ),
        ("state mv -state-out=x acme_box.a acme_box.b", "not a file"),
        (
            "state mv -backup=x acme_box.a acme_box.b",
            "weir state history",
        ),
        ("state rm -lock=false acme_box.a", "-lock-timeout=5m"),
        (
            "state replace-provider -lock=false acme acme",
            "weir unlock",
        ),
    ] {
        let run = stack.expect(2, line);
        assert!(
            run.err.replace("\n ", "").contains(text),
            "{line}: {run:#?}"
        );
    }
    assert_eq!(lines(&stack, "state list"), ALL);
    stack.expect(
        0,
        "state mv -lock=true -backup=- -ignore-remote-version acme_box.a acme_box.b",
    );
}

#[test]
fn a_workspace_begins_with_a_state_file() {
    let stack = Stack::new("stack \"s\" {}\n");
    stack.write("in.tfstate", &file());
    stack.write("bad.tfstate", "{\"version\": 4, \"surprise\": 1}");
    stack.expect(1, "workspace new -state=bad.tfstate old");
    stack.expect(1, "workspace new -state=nope.tfstate old");
    assert_eq!(lines(&stack, "workspace list"), ["* default", ""]);
    let run = stack.expect(0, "workspace new -state=in.tfstate old");
    assert!(
        run.err
            .contains("It has what is in the file: 4 resource instances, 2 deposed objects"),
        "{run:#?}"
    );
    assert_eq!(lines(&stack, "workspace list"), ["  default", "* old", ""]);
    assert_eq!(lines(&stack, "state list"), ALL);
    let pulled: Json = serde_json::from_str(&stack.expect(0, "state pull").out).unwrap();
    assert_eq!(pulled["serial"], 7);
    assert_eq!(pulled["lineage"], "0f1e2d3c-0000-4000-8000-000000000001");
    stack.expect(1, "workspace new -state=in.tfstate old");
    stack.expect(0, "workspace select default");
    assert!(lines(&stack, "state list").is_empty());
}

#[test]
fn what_terraform_has_beside_the_stack_is_not_made_twice() {
    let stack = Stack::new("resource \"terraform_data\" \"a\" {}\n");
    let run = stack.expect(1, "state import");
    assert!(run.err.contains("weir state import FILE"), "{run:#?}");
    stack.write("terraform.tfstate", &file());
    for line in ["plan", "apply -auto-approve", "init"] {
        let run = stack.expect(1, line);
        let said = run.err.replace("\n ", "");
        assert!(
            said.contains("terraform.tfstate has 6 resources"),
            "{line}: {run:#?}"
        );
        assert!(
            said.contains("`weir state import` takes them over"),
            "{line}: {run:#?}"
        );
        assert!(!stack.path().join(".weir/state.db").exists(), "{line}");
    }
    stack.expect(0, "state import");
    assert_eq!(lines(&stack, "state list"), ALL);
    // Once weir has a state, that is the one.
    let run = stack.expect(0, "init");
    assert!(run.err.contains("its state was found"), "{run:#?}");
    // One with nothing in it is no reason.
    let other = Stack::new("resource \"terraform_data\" \"a\" {}\n");
    other.write("terraform.tfstate", "{\"version\": 4, \"resources\": []}");
    other.expect(0, "plan");
}
