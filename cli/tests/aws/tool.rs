//! Weir or Terraform, in a folder of its own, with a provider block that leads to moto.

use crate::answer::Answer;
use serde_json::Value as Json;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The one that was built.
    Weir,
    /// The one on the path, with the provider of a mirror.
    Terraform,
}

/// One of the two, in its folder.
#[derive(Debug)]
pub struct Tool {
    kind: Kind,
    root: TempDir,
    files: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
}

/// Where Terraform's providers are, as in a mirror.
pub fn mirror() -> PathBuf {
    let named = std::env::var_os("WEIR_TF_PLUGINS").map(PathBuf::from);
    named.unwrap_or_else(|| "/opt/tf-plugins".into())
}

/// The provider block of every stack.
pub fn provider(address: &str) -> String {
    format!(
        r#"terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "5.100.0"
    }}
  }}
}}
provider "aws" {{
  region                      = "eu-central-1"
  access_key                  = "weir"
  secret_key                  = "weir-secret"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  default_tags {{
    tags = {{ team = "weir" }}
  }}
  endpoints {{
    ec2 = "http://{address}"
    sts = "http://{address}"
  }}
}}
"#
    )
}

impl Tool {
    /// The tool in an empty folder, with this text in provider.tf.
    pub fn new(kind: Kind, provider: &str) -> Tool {
        let root = tempfile::Builder::new()
            .prefix("weir-aws-")
            .tempdir()
            .unwrap();
        fs::write(root.path().join("provider.tf"), provider).unwrap();
        let tool = Tool {
            kind,
            root,
            files: BTreeMap::new(),
            environment: BTreeMap::new(),
        };
        if kind == Kind::Terraform {
            let rc = format!(
                "provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
                mirror()
            );
            fs::write(tool.path().join("terraform.rc"), rc).unwrap();
        }
        tool
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// A variable of its environment from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.into(), value.into());
    }

    /// Runs it with nothing of the user's environment.
    pub fn run(&self, words: &[&str]) -> Output {
        let program = match self.kind {
            Kind::Weir => env!("CARGO_BIN_EXE_weir"),
            Kind::Terraform => "terraform",
        };
        let mut command = Command::new(program);
        command.args(words).current_dir(self.path()).env_clear();
        for name in ["PATH", "TMPDIR", "LANG"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("HOME", self.path())
            .env("CHECKPOINT_DISABLE", "1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("TF_CLI_CONFIG_FILE", self.path().join("terraform.rc"))
            .envs(&self.environment)
            .output()
            .unwrap()
    }

    /// As [`Tool::run`], and it must succeed.
    pub fn ok(&self, words: &[&str]) -> String {
        let out = self.run(words);
        let (said, told) = (text(&out.stdout), text(&out.stderr));
        assert!(
            out.status.success(),
            "{:?} {words:?}:\n{said}\n{told}",
            self.kind
        );
        said
    }

    /// The files of the stack instead of those before.
    pub fn write(&mut self, files: &BTreeMap<String, String>) {
        for gone in self.files.keys().filter(|f| !files.contains_key(*f)) {
            fs::remove_file(self.path().join(gone)).unwrap();
        }
        for (path, text) in files {
            let path = self.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let is_first = self.files.is_empty();
        self.files.clone_from(files);
        if is_first && self.kind == Kind::Terraform {
            self.ok(&["init", "-input=false", "-no-color"]);
        }
    }

    /// Plans and applies what is written.
    pub fn step(&self) -> Answer {
        match self.kind {
            Kind::Weir => self.weir(),
            Kind::Terraform => self.terraform(),
        }
    }

    fn weir(&self) -> Answer {
        let mut answer = Answer::default();
        self.ok(&["plan", "-no-color", "-out=plan.bin"]);
        let plan: Json = serde_json::from_str(&self.ok(&["show", "-json", "plan.bin"])).unwrap();
        for change in rows(&plan["resource_changes"]) {
            if change["mode"] == "managed" {
                let actions = rows(&change["change"]["actions"]);
                let actions: Vec<&str> = actions.filter_map(Json::as_str).collect();
                answer.acts(&word(&change["address"]), &actions.join(" "));
            }
        }
        self.ok(&["apply", "-no-color", "plan.bin"]);
        let state: Json = serde_json::from_str(&self.ok(&["show", "-json"])).unwrap();
        let mut modules = vec![&state["values"]["root_module"]];
        while let Some(module) = modules.pop() {
            modules.extend(rows(&module["child_modules"]));
            for r in rows(&module["resources"]).filter(|r| r["mode"] == "managed") {
                answer.holds(&word(&r["address"]), &word(&r["type"]), &r["values"]);
            }
        }
        answer
    }

    fn terraform(&self) -> Answer {
        let mut answer = Answer::default();
        let said = self.ok(&["apply", "-json", "-auto-approve", "-input=false"]);
        for line in said.lines() {
            let line: Json = serde_json::from_str(line).unwrap();
            let resource = &line["change"]["resource"];
            let of_plan = line["type"] == "planned_change";
            if of_plan && !word(&resource["addr"]).contains("data.") {
                answer.acts(&word(&resource["addr"]), &word(&line["change"]["action"]));
            }
        }
        let state = fs::read_to_string(self.path().join("terraform.tfstate")).unwrap();
        let state: Json = serde_json::from_str(&state).unwrap();
        for r in rows(&state["resources"]).filter(|r| r["mode"] == "managed") {
            let module = match r["module"].as_str() {
                Some(module) => format!("{module}."),
                None => String::new(),
            };
            for i in rows(&r["instances"]) {
                let key = match &i["index_key"] {
                    Json::Null => String::new(),
                    key => format!("[{key}]"),
                };
                let address = format!("{module}{}.{}{key}", word(&r["type"]), word(&r["name"]));
                answer.holds(&address, &word(&r["type"]), &i["attributes"]);
            }
        }
        answer
    }
}

/// What a program printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn rows(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().into_iter().flatten()
}

fn word(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
