//! Who asks: found by `reqsign`, on what it is given here of the outside.

use super::settings::S3Settings;
use bytes::Bytes;
use reqsign_aws_v4::{
    AssumeRoleCredentialProvider, Credential, DefaultCredentialProvider, ProfileCredentialProvider,
    RequestSigner, StaticCredentialProvider,
};
use reqsign_core::{
    CommandExecute, CommandOutput, Context, Env, Error, FileRead, HttpSend, Signer,
};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    time::Duration,
};
use ureq::Agent;

/// What signs requests for the bucket.
pub(super) fn signer(settings: &S3Settings, agent: &Agent) -> Signer<Credential> {
    let options = &settings.options;
    let outside = Outside {
        agent: agent.clone(),
        variables: settings.variables.clone(),
    };
    let context = Context::new()
        .with_env(outside.clone())
        .with_file_read(outside.clone())
        .with_command_execute(outside.clone())
        .with_http_send(outside);
    let sign = |service: &str| RequestSigner::new(service, &settings.region);
    let base = |service: &str| match (&options.access_key, &options.secret_key) {
        (Some(access), Some(secret)) => {
            let mut keys = StaticCredentialProvider::new(access, secret);
            if let Some(token) = &options.token {
                keys = keys.with_session_token(token);
            }
            Signer::new(context.clone(), keys, sign(service))
        }
        _ => Signer::new(context.clone(), chain(settings), sign(service)),
    };
    let Some(role) = &options.role else {
        return base("s3");
    };
    let mut taken = AssumeRoleCredentialProvider::new(role.arn.clone(), base("sts"))
        .with_region(settings.region.clone())
        .with_regional_sts_endpoint()
        .with_role_session_name(role.session_name.clone().unwrap_or_else(|| "weir".into()));
    if let Some(id) = &role.external_id {
        taken = taken.with_external_id(id.clone());
    }
    Signer::new(context, taken, sign("s3"))
}

/// The environment, the shared files, web identity, a process, a container's and a machine's role. A
/// profile that is written comes before the environment.
fn chain(settings: &S3Settings) -> DefaultCredentialProvider {
    let options = &settings.options;
    let mut files = ProfileCredentialProvider::new();
    if let Some(path) = &options.config_file {
        files = files.with_config_file(path);
    }
    if let Some(path) = &options.credentials_file {
        files = files.with_credentials_file(path);
    }
    let mut chain = DefaultCredentialProvider::builder().profile(files);
    if let Some(profile) = &options.profile {
        chain = chain.with_profile(profile).no_env();
    }
    if options.skip_metadata {
        chain = chain.no_imds();
    }
    chain.build()
}

/// The outside, as far as who looks for credentials may have it.
#[derive(Clone)]
struct Outside {
    agent: Agent,
    variables: BTreeMap<String, String>,
}

impl std::fmt::Debug for Outside {
    /// The variables have keys among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outside")
    }
}

impl Env for Outside {
    fn var(&self, key: &str) -> Option<String> {
        self.variables.get(key).cloned()
    }
    fn vars(&self) -> HashMap<String, String> {
        self.variables.clone().into_iter().collect()
    }
    fn home_dir(&self) -> Option<PathBuf> {
        self.variables.get("HOME").map(PathBuf::from)
    }
}

impl FileRead for Outside {
    async fn file_read(&self, path: &str) -> Result<Vec<u8>, Error> {
        std::fs::read(path).map_err(|e| Error::config_invalid(format!("{path}: {e}")))
    }
}

impl HttpSend for Outside {
    async fn http_send(&self, req: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        // A machine without metadata must not keep anybody waiting.
        let request = self
            .agent
            .configure_request(req.map(|body| body.to_vec()))
            .timeout_connect(Some(Duration::from_secs(2)))
            .timeout_global(Some(Duration::from_secs(10)))
            .build();
        let failed = |e: ureq::Error| Error::unexpected(e.to_string()).set_retryable(true);
        let (parts, mut body) = self.agent.run(request).map_err(failed)?.into_parts();
        let body = body.read_to_vec().map_err(failed)?;
        Ok(http::Response::from_parts(parts, Bytes::from(body)))
    }
}

impl CommandExecute for Outside {
    async fn command_execute<'a>(
        &'a self,
        program: &'a str,
        args: &'a [&'a str],
    ) -> Result<CommandOutput, Error> {
        let output = std::process::Command::new(program)
            .args(args)
            .stdin(std::process::Stdio::null())
            .output()
            .map_err(|e| Error::config_invalid(format!("{program}: {e}")))?;
        Ok(CommandOutput {
            status: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }
}
