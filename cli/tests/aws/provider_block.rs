//! The provider block and the environment beside it: who calls, where, and with which tags. The
//! emulator tells whose keys a call was signed with where it gave them out itself: for roles.

use crate::{
    moto::Moto,
    tool::{Kind, Tool, text},
};
use serde_json::Value as Json;
use std::{collections::BTreeMap, fs};

/// Who and where.
const ASK: &str = r#"
data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
output "who" { value = "${data.aws_caller_identity.me.arn} in ${data.aws_region.here.name}" }
"#;

const CONFIG: &str = "[profile north]\nregion = eu-north-1\n\n[profile deploy]\nregion = eu-west-3\nrole_arn = arn:aws:iam::222222222222:role/deploy\nsource_profile = north\nrole_session_name = by-profile\n";
const CREDENTIALS: &str =
    "[north]\naws_access_key_id = AKIANORTH\naws_secret_access_key = north-secret\n";
const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIAENV"),
    ("AWS_SECRET_ACCESS_KEY", "env-secret"),
];

/// Stands for the emulator's address.
const EMULATOR: &str = "EMULATOR";

/// A block, the environment beside it, and what comes of them.
struct Case {
    name: &'static str,
    block: &'static str,
    env: Vec<(&'static str, &'static str)>,
    /// What is said: the output, or a part of the error where it begins with `error:`.
    says: &'static str,
}

fn with_keys(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    KEYS.iter().chain(more).copied().collect()
}

fn credentials() -> Vec<Case> {
    vec![
        Case {
            name: "the environment's keys and region",
            block: "",
            env: with_keys(&[("AWS_REGION", "eu-west-1")]),
            says: "arn:aws:sts::123456789012:user/moto in eu-west-1",
        },
        Case {
            name: "the older name of the region",
            block: "",
            env: with_keys(&[("AWS_DEFAULT_REGION", "eu-west-2")]),
            says: "arn:aws:sts::123456789012:user/moto in eu-west-2",
        },
        Case {
            name: "the block's region wins over the environment's",
            block: r#"region = "us-east-2""#,
            env: with_keys(&[("AWS_REGION", "eu-west-1")]),
            says: "arn:aws:sts::123456789012:user/moto in us-east-2",
        },
        Case {
            name: "a profile of the block",
            block: r#"profile = "north""#,
            env: vec![],
            says: "arn:aws:sts::123456789012:user/moto in eu-north-1",
        },
        Case {
            name: "a profile of the environment",
            block: "",
            env: vec![("AWS_PROFILE", "north")],
            says: "arn:aws:sts::123456789012:user/moto in eu-north-1",
        },
        Case {
            name: "a profile of other files",
            block: "profile = \"north\"\nshared_config_files = [\"other/config\"]\nshared_credentials_files = [\"other/credentials\"]",
            env: vec![],
            says: "arn:aws:sts::123456789012:user/moto in ca-central-1",
        },
        Case {
            name: "a role of a profile",
            block: r#"profile = "deploy""#,
            env: vec![("AWS_ENDPOINT_URL_STS", EMULATOR)],
            says: "arn:aws:sts::222222222222:assumed-role/deploy/by-profile in eu-west-3",
        },
        Case {
            name: "a role of the block",
            block: "region = \"eu-central-1\"\nassume_role {\n  role_arn     = \"arn:aws:iam::333333333333:role/ops\"\n  session_name = \"ci\"\n}",
            env: with_keys(&[]),
            says: "arn:aws:sts::333333333333:assumed-role/ops/ci in eu-central-1",
        },
        Case {
            name: "a role taken with a role",
            block: "region = \"eu-central-1\"\nassume_role { role_arn = \"arn:aws:iam::333333333333:role/ops\" }\nassume_role {\n  role_arn     = \"arn:aws:iam::444444444444:role/far\"\n  session_name = \"chained\"\n}",
            env: with_keys(&[]),
            says: "arn:aws:sts::444444444444:assumed-role/far/chained in eu-central-1",
        },
        Case {
            name: "an account that is allowed",
            block: "region = \"eu-central-1\"\nallowed_account_ids = [\"123456789012\"]",
            env: with_keys(&[]),
            says: "arn:aws:sts::123456789012:user/moto in eu-central-1",
        },
    ]
}

fn refused() -> Vec<Case> {
    let case = |name, block, env, says| Case {
        name,
        block,
        env,
        says,
    };
    vec![
        case("no region", "", with_keys(&[]), "error: has no region"),
        case(
            "no credentials",
            r#"region = "eu-central-1""#,
            vec![],
            "error: Set credentials (AWS_PROFILE",
        ),
        case(
            "a profile that is not there",
            "region = \"eu-central-1\"\nprofile = \"south\"",
            vec![],
            "error: south",
        ),
        case(
            "one key of two",
            "region = \"eu-central-1\"\naccess_key = \"AKIA\"",
            vec![],
            "error: `access_key` and `secret_key` go together",
        ),
        case(
            "another account",
            "region = \"eu-central-1\"\nallowed_account_ids = [\"111111111111\"]",
            with_keys(&[]),
            "error: account 123456789012 is not allowed",
        ),
        case(
            "a forbidden account",
            "region = \"eu-central-1\"\nforbidden_account_ids = [\"123456789012\"]",
            with_keys(&[]),
            "error: account 123456789012 is not allowed",
        ),
        case(
            "what is not served",
            "region = \"eu-central-1\"\ninsecure = true",
            with_keys(&[]),
            "error: `insecure` can't be set yet",
        ),
    ]
}

/// The block with endpoints that lead to the emulator.
fn block(said: &str, moto: &Moto) -> String {
    let url = format!("http://{}", moto.address);
    format!(
        "provider \"aws\" {{\n{said}\n  endpoints {{\n    ec2 = \"{url}\"\n    sts = \"{url}\"\n  }}\n}}\n"
    )
}

/// What the tool says of it: the output, or its error.
fn said(case: &Case, moto: &Moto) -> String {
    let mut tool = Tool::new(Kind::Weir, &block(case.block, moto));
    for (name, value) in &case.env {
        tool.set(
            name,
            &value.replace(EMULATOR, &format!("http://{}", moto.address)),
        );
    }
    let home = tool.path().to_owned();
    for (folder, region) in [(".aws", "eu-north-1"), ("other", "ca-central-1")] {
        fs::create_dir_all(home.join(folder)).unwrap();
        let config = CONFIG.replace("eu-north-1", region);
        fs::write(home.join(folder).join("config"), config).unwrap();
        fs::write(home.join(folder).join("credentials"), CREDENTIALS).unwrap();
    }
    tool.write(&BTreeMap::from([("main.tf".into(), ASK.into())]));
    let applied = tool.run(&["apply", "-auto-approve", "-no-color"]);
    if !applied.status.success() {
        // Lines of a message end where they end.
        let words = text(&applied.stderr) + &text(&applied.stdout);
        let words: Vec<&str> = words.split(['\n', '│', ' ']).collect();
        let words: Vec<&str> = words.into_iter().filter(|w| !w.is_empty()).collect();
        return format!("error: {}", words.join(" "));
    }
    let outputs: Json = serde_json::from_str(&tool.ok(&["output", "-json"])).unwrap();
    outputs["who"]["value"].as_str().unwrap().to_owned()
}

#[test]
fn who_calls_and_where_is_found_as_everybody_expects() {
    let Some(moto) = Moto::start() else { return };
    let mut wrong = Vec::new();
    for case in credentials().into_iter().chain(refused()) {
        let said = said(&case, &moto);
        let fits = match case.says.strip_prefix("error: ") {
            Some(part) => said.starts_with("error: ") && said.contains(part),
            None => said == case.says,
        };
        let secret = ["env-secret", "north-secret"]
            .iter()
            .any(|s| said.contains(s));
        if !fits || secret {
            wrong.push(format!("{}: {said}\n  wanted: {}", case.name, case.says));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Tags of the block are on everything, a resource's own win, and others' business stays theirs.
#[test]
fn tags_of_the_block_are_on_everything() {
    let Some(moto) = Moto::start() else { return };
    let tags = |team: &str| {
        let said = format!(
            "region = \"eu-central-1\"\naccess_key = \"weir\"\nsecret_key = \"weir-secret\"\ndefault_tags {{\n  tags = {{ team = \"{team}\", stage = \"test\" }}\n}}\nignore_tags {{\n  keys         = [\"cost\"]\n  key_prefixes = [\"kubernetes.io/\"]\n}}"
        );
        block(&said, &moto)
    };
    let stack = "resource \"aws_vpc\" \"a\" {\n  cidr_block = \"10.0.0.0/16\"\n  tags       = { stage = \"live\" }\n}\nresource \"aws_internet_gateway\" \"b\" {}\n";
    let mut tool = Tool::new(Kind::Weir, &tags("one"));
    tool.write(&BTreeMap::from([("main.tf".into(), stack.into())]));
    tool.ok(&["apply", "-auto-approve", "-no-color"]);
    let all = |tool: &Tool, address: &str| {
        let state: Json = serde_json::from_str(&tool.ok(&["show", "-json"])).unwrap();
        let resources = state["values"]["root_module"]["resources"]
            .as_array()
            .unwrap();
        let found = resources.iter().find(|r| r["address"] == address).unwrap();
        (
            found["values"]["id"].clone(),
            found["values"]["tags_all"].clone(),
        )
    };
    let (id, is) = all(&tool, "aws_vpc.a");
    assert_eq!(is, serde_json::json!({ "team": "one", "stage": "live" }));
    let (_, is) = all(&tool, "aws_internet_gateway.b");
    assert_eq!(is, serde_json::json!({ "team": "one", "stage": "test" }));

    // Somebody's tags, which the block says to leave alone.
    let id = id.as_str().unwrap();
    for key in ["cost", "kubernetes.io/role"] {
        moto.ask(
            "CreateTags",
            &[
                ("ResourceId.1", id),
                ("Tag.1.Key", key),
                ("Tag.1.Value", "x"),
            ],
        );
    }
    let again = tool.run(&["plan", "-no-color", "-detailed-exitcode"]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stdout));

    // Another tag of the block changes everything.
    fs::write(tool.path().join("provider.tf"), tags("two")).unwrap();
    tool.ok(&["apply", "-auto-approve", "-no-color"]);
    let (_, is) = all(&tool, "aws_vpc.a");
    assert_eq!(is, serde_json::json!({ "team": "two", "stage": "live" }));
    let tags = moto.ask(
        "DescribeTags",
        &[("Filter.1.Name", "resource-id"), ("Filter.1.Value.1", id)],
    );
    assert!(
        tags.contains("kubernetes.io/role") && tags.contains("<value>two</value>"),
        "{tags}"
    );
}
