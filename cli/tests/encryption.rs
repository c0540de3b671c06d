//! State and plan files are encrypted: from the first command on, with the key that the stack
//! names, and with a new one when it names another.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Stack, THINGS};
use std::{fs, path::Path};

/// The value of a sensitive variable in [`THINGS`]; the cloud's own file has it too.
const SECRET: &str = "hush-hush";

/// The files below a folder that hold a text, but for the cloud and the configuration.
fn found(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(self::found(&path, text));
        } else if name != "main.hcl" && !name.starts_with("cloud") {
            let bytes = fs::read(&path).unwrap();
            if bytes.windows(text.len()).any(|w| w == text.as_bytes()) {
                found.push(name);
            }
        }
    }
    found
}

/// The stack, with these settings.
fn settings(text: &str) -> String {
    THINGS.replace(
        "stack \"things\" {}",
        &format!("stack \"things\" {{\n{text}\n}}"),
    )
}

#[test]
fn by_default_a_key_file_lies_beside_the_state() {
    let stack = Stack::new(THINGS);
    let said = stack.expect(0, "init").err;
    let told = "State and plans are encrypted with the key in .weir/state.db-key. Keep a copy";
    assert!(said.contains(told), "{said}");
    stack.expect(0, "plan -out p");
    assert!(stack.path().join("p").exists());
    stack.expect(0, "apply p");
    assert_eq!(found(&stack.path(), SECRET), Vec::<String>::new());
    // Nothing changes for who has the key.
    stack.expect(0, "plan -detailed-exitcode");
    assert_eq!(stack.expect(0, "output -raw password").out, SECRET);
    stack.expect(2, "plan -detailed-exitcode -var size=2 -out p");
    assert!(stack.expect(0, "show p").out.contains("2 to change"));
    stack.expect(0, "show -json p");
    stack.expect(0, "graph -plan p");
    fs::rename(
        stack.path().join(".weir/state.db-key"),
        stack.path().join("key"),
    )
    .unwrap();
    for line in ["plan", "state list", "show", "output", "apply p", "show p"] {
        let err = stack.expect(1, line).err;
        let told = "the key file .weir/state.db-key is not there, and without it";
        assert!(err.to_lowercase().contains(told), "{line}: {err}");
    }
    fs::rename(
        stack.path().join("key"),
        stack.path().join(".weir/state.db-key"),
    )
    .unwrap();
    stack.expect(0, "apply p");
}

#[test]
fn apply_alone_makes_the_key_too() {
    let stack = Stack::new(THINGS);
    stack.expect(0, "apply -auto-approve");
    assert_eq!(found(&stack.path(), SECRET), Vec::<String>::new());
    assert!(stack.path().join(".weir/.gitignore").exists());
}

#[test]
fn a_key_file_that_the_stack_names_is_made_by_init() {
    let text = settings("  encryption {\n    key \"file\" { path = \"keys/k\" }\n  }");
    let stack = Stack::new(&text);
    let err = stack.expect(1, "apply -auto-approve").err;
    assert!(err.contains("keys/k is not there"), "{err}");
    assert!(!stack.path().join("cloud").exists());
    stack.expect(0, "init");
    stack.expect(0, "apply -auto-approve");
    assert!(!stack.path().join(".weir/state.db-key").exists());
    assert_eq!(found(&stack.path(), SECRET), Vec::<String>::new());
}

#[test]
fn rekey_goes_from_one_key_to_another() {
    let stack = Stack::new(THINGS);
    stack.expect(0, "apply -auto-approve");
    let passphrase = "
  encryption {
    key \"passphrase\" { passphrase = var.passphrase }
    fallback \"file\" { path = \".weir/state.db-key\" }
  }";
    let text = format!(
        "{}\nvariable \"passphrase\" {{\n  sensitive = true\n}}\n",
        settings(passphrase)
    );
    stack.write("main.hcl", &text);
    stack.write("weir.vars.hcl", "passphrase = \"correct horse\"\n");
    // The fallback opens what the old key encrypted.
    stack.expect(0, "plan -detailed-exitcode");
    let said = stack.expect(0, "state rekey").err;
    assert!(said.contains("under a new data key"), "{said}");
    fs::remove_file(stack.path().join(".weir/state.db-key")).unwrap();
    stack.expect(0, "plan -detailed-exitcode");
    stack.write("weir.vars.hcl", "passphrase = \"wrong horse\"\n");
    let err = stack.expect(1, "state list").err;
    assert!(err.contains("the passphrase is not the one"), "{err}");
    assert!(!err.contains("horse"), "{err}");
    stack.write("weir.vars.hcl", "passphrase = \"correct horse\"\n");
    // And back to none at all.
    let text = text.replacen(
        "key \"passphrase\" { passphrase = var.passphrase }",
        "key \"none\" {}",
        1,
    );
    let text = text.replacen(
        "fallback \"file\" { path = \".weir/state.db-key\" }",
        "fallback \"passphrase\" { passphrase = var.passphrase }",
        1,
    );
    stack.write("main.hcl", &text);
    let said = stack.expect(0, "state rekey").err;
    assert!(said.contains("was decrypted"), "{said}");
    assert!(!found(&stack.path(), SECRET).is_empty());
    stack.expect(0, "plan -detailed-exitcode");
}

#[test]
fn a_state_that_is_not_encrypted_is_told_apart() {
    let none = settings("  encryption {\n    key \"none\" {}\n  }");
    let stack = Stack::new(&none);
    let said = stack.expect(0, "init").err;
    assert!(
        said.contains("State and plans are not encrypted."),
        "{said}"
    );
    stack.expect(0, "apply -auto-approve");
    let file = settings("  encryption {\n    key \"file\" { path = \"k\" }\n  }");
    stack.write("main.hcl", &file);
    let err = stack.expect(1, "plan").err;
    assert!(
        err.contains("is not encrypted, and the stack says that it is"),
        "{err}"
    );
    assert!(err.contains("weir state rekey"), "{err}");
    stack.expect(0, "state rekey");
    stack.expect(0, "plan -detailed-exitcode");
    assert_eq!(found(&stack.path(), SECRET), Vec::<String>::new());
}

#[test]
fn settings_of_a_key_that_are_wrong_are_shown_where_they_are() {
    for (block, says) in [
        ("key \"vault\" {}", "There is no key of kind \"vault\""),
        ("key \"file\" {}", "Key \"file\" needs `path`"),
        ("key \"file\" { path = 3 }", "Key \"file\" needs `path`"),
        (
            "key \"none\" { path = \"k\" }",
            "Key \"none\" has no setting `path`",
        ),
        (
            "key \"command\" {\n      wrap   = [\"a\"]\n      unwrap = []\n    }",
            "Key \"command\" needs `unwrap`",
        ),
    ] {
        let stack = Stack::new(&settings(&format!("  encryption {{\n    {block}\n  }}")));
        let err = stack.expect(1, "plan").err;
        assert!(err.contains(says), "{block}: {err}");
        assert!(err.contains("main.hcl:4:5"), "{block}: {err}");
    }
}

/// A test makes things with secrets in them, and its state is on no disk.
#[test]
fn what_a_test_makes_leaves_no_secret_behind() {
    let stack = Stack::new(THINGS);
    let temporary = stack.path().join("temporary");
    for folder in ["tests", "temporary"] {
        fs::create_dir(stack.path().join(folder)).unwrap();
    }
    let runs = "variables {\n  latency = 400\n}\nrun \"one\" {}\nrun \"two\" {\n  variables {\n    size = 2\n  }\n}\n";
    stack.write("tests/all.tftest.hcl", runs);
    let child = stack
        .command("test")
        .env("TMPDIR", &temporary)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    for things in 1..=3 {
        stack.until("Created", things);
        assert_eq!(found(&stack.path(), SECRET), Vec::<String>::new());
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    }
    let ended = common::ended(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.out.contains("2 passed, 0 failed"), "{ended:#?}");
    assert_eq!(stack.log("Deleted"), 3, "what was made is destroyed");
    assert_eq!(found(&stack.path(), SECRET), Vec::<String>::new());
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}
