//! A stack beside one of the fakes, with what leads there in the environment.

use crate::common::{Ended, Stack, ended};
use serde_json::{Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use weir_clouds::{Clouds, Options, desk::Entry};

/// What nobody may ever read, as a secret of the tests.
pub const SECRET: &str = "hunter2-the-clients-secret";

/// A stack, its cloud, and the environment that `weir` gets.
pub struct Fake {
    pub stack: Stack,
    pub at: String,
    pub env: BTreeMap<&'static str, String>,
    name: &'static str,
    clouds: Clouds,
}

impl Fake {
    pub fn azure(text: &str) -> Fake {
        let options = Options {
            azure: Some(([127, 0, 0, 1], 0).into()),
            ..Options::default()
        };
        let clouds = Clouds::start(&options).unwrap();
        let at = format!("http://{}", clouds.azure.unwrap());
        let env = BTreeMap::from([
            ("ARM_SUBSCRIPTION_ID", crate::azure::SUBSCRIPTION.into()),
            (
                "ARM_TENANT_ID",
                "72f988bf-0000-4000-8000-2d7cd011db47".into(),
            ),
            (
                "ARM_CLIENT_ID",
                "22222222-2222-3333-4444-555555555555".into(),
            ),
            ("ARM_METADATA_HOSTNAME", at.clone()),
        ]);
        Fake::new(("azure", clouds), at, env, text)
    }

    pub fn google(text: &str) -> Fake {
        let options = Options {
            google: Some(([127, 0, 0, 1], 0).into()),
            ..Options::default()
        };
        let clouds = Clouds::start(&options).unwrap();
        let at = format!("http://{}", clouds.google.unwrap());
        let env = BTreeMap::from([
            ("GOOGLE_PROJECT", "weir".into()),
            (
                "GOOGLE_COMPUTE_CUSTOM_ENDPOINT",
                format!("{at}/compute/v1/"),
            ),
        ]);
        Fake::new(("google", clouds), at, env, text)
    }

    fn new(
        (name, clouds): (&'static str, Clouds),
        at: String,
        env: BTreeMap<&'static str, String>,
        text: &str,
    ) -> Fake {
        let stack = Stack::new(text);
        Fake {
            stack,
            at,
            env,
            name,
            clouds,
        }
    }

    /// Runs the command, which must end with this code and tell no secret.
    #[track_caller]
    pub fn weir(&self, code: i32, line: &str) -> Ended {
        let mut command = self.stack.command(line);
        command.envs(&self.env);
        let ended = ended(command.output().unwrap());
        assert_eq!(ended.code, Some(code), "weir {line}: {ended:#?}");
        assert!(!format!("{}{}", ended.out, ended.err).contains(SECRET));
        ended
    }

    /// Applies with these variables; nothing is left to do then.
    #[track_caller]
    pub fn converge(&self, vars: &str) -> Ended {
        let ended = self.weir(0, &format!("apply -auto-approve -no-color {vars}"));
        self.weir(0, &format!("plan -detailed-exitcode -no-color {vars}"));
        ended
    }

    /// An output of the stack.
    #[track_caller]
    pub fn output(&self, name: &str) -> Json {
        let told = self.weir(0, &format!("output -json {name}"));
        serde_json::from_str(&told.out).unwrap()
    }

    /// The requests that the cloud got.
    pub fn requests(&self) -> Vec<Entry> {
        self.clouds.desk(self.name).unwrap().entries()
    }

    /// The tokens that they came with.
    pub fn tokens(&self) -> BTreeSet<String> {
        self.requests()
            .into_iter()
            .filter_map(|r| r.token)
            .collect()
    }

    /// Asks the cloud itself.
    pub fn get(&self, path: &str) -> Json {
        let answer = ureq::get(format!("{}{path}", self.at))
            .header("authorization", "Bearer test")
            .call();
        let text = answer.unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Makes something in the cloud, past weir.
    pub fn put(&self, path: &str, body: &Json) {
        let to = format!("{}{path}", self.at);
        let request = match self.name {
            "azure" => ureq::put(to),
            _ => ureq::post(to),
        };
        let request = request.header("authorization", "Bearer test");
        request
            .header("content-type", "application/json")
            .send(body.to_string())
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(200));
    }

    /// Answers what is asked at a path by this.
    pub fn answer(&self, path: &str, body: &Json) {
        let fault = json!({ "path": path, "times": 1000, "answer": { "reply": { "status": 200, "body": body } } });
        ureq::post(format!("{}/_faults", self.at))
            .send(fault.to_string())
            .unwrap();
    }

    /// No file of the stack has the text: neither state nor plan nor log.
    #[track_caller]
    pub fn keeps_no(&self, text: &str) {
        assert!(!holds(&self.stack.path(), text), "{text:?} is in a file");
    }
}

fn holds(folder: &Path, text: &str) -> bool {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.flatten().any(|e| match e.path() {
        path if path.is_dir() => holds(&path, text),
        path => {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(text.len()).any(|w| w == text.as_bytes())
        }
    })
}

/// Runs openssl in a folder; `false`, said loudly, where there is none.
#[allow(clippy::print_stdout)] // what is skipped is told
pub fn openssl(folder: &Path, line: &str) -> bool {
    let done = std::process::Command::new("openssl")
        .args(line.split(' '))
        .current_dir(folder)
        .output();
    let done = done.is_ok_and(|o| o.status.success());
    if !done {
        println!("SKIPPED: there is no openssl to make a key");
    }
    done
}
