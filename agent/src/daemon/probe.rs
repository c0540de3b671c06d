//! Probes: one question to a task, with an answer in words when it fails.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use weir_agent::wire::Probe;

use super::disk;
use super::resolve;
use super::task::TaskConfig;

/// The longest a single probe of a `ready` check may take.
pub(crate) const ONE_PROBE: Duration = Duration::from_secs(10);

/// Asks once.
///
/// # Errors
/// In words: what was asked and what came.
pub(crate) async fn ask(probe: &Probe, config: &TaskConfig, limit: Duration) -> Result<(), String> {
    let asked = match probe {
        Probe::Http { url } => format!("GET {url}"),
        Probe::Tcp { address } => format!("connect to {address}"),
        // The command line stays out of messages: it is long, and in the spec.
        Probe::Exec { .. } => "the check's command".to_owned(),
    };
    let answer = async {
        match probe {
            Probe::Http { url } => http(url).await,
            Probe::Tcp { address } => connect(address).await.map(drop),
            Probe::Exec { run } => exec(run, config).await,
        }
    };
    match timeout(limit, answer).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(message)) => Err(format!("{asked}: {message}")),
        Err(_) => Err(format!("{asked}: no answer within {limit:?}")),
    }
}

async fn connect(address: &str) -> Result<TcpStream, String> {
    let (host, port) = address
        .rsplit_once(':')
        .ok_or_else(|| format!("{address:?} is not host:port"))?;
    let port: u16 = port
        .parse()
        .map_err(|_| format!("{port:?} is not a port"))?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let addresses = match bare.parse() {
        Ok(address) => vec![address],
        Err(_) => {
            let host = bare.to_owned();
            tokio::task::spawn_blocking(move || resolve::resolve(&host))
                .await
                .map_err(|error| error.to_string())??
        }
    };
    let mut last = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(address, port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = disk::cause(&error),
        }
    }
    Err(last)
}

async fn http(url: &str) -> Result<(), String> {
    let (authority, path) = split_url(url)?;
    let address = if authority
        .rsplit(']')
        .next()
        .unwrap_or(authority)
        .contains(':')
    {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let mut stream = connect(&address).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: weir-agent\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    let io = |error: std::io::Error| disk::cause(&error);
    stream.write_all(request.as_bytes()).await.map_err(io)?;
    let mut head = Vec::new();
    while !head.contains(&b'\n') && head.len() < 4096 {
        let mut buffer = [0; 512];
        match stream.read(&mut buffer).await.map_err(io)? {
            0 => break,
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    match parse_status(&head) {
        Some(status) if (200..400).contains(&status) => Ok(()),
        Some(status) => Err(format!("the answer was {status}, and 2xx or 3xx is ready")),
        None if head.is_empty() => Err("the connection was closed without an answer".to_owned()),
        None => Err("the answer was not HTTP".to_owned()),
    }
}

fn split_url(url: &str) -> Result<(&str, &str), String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| {
        "only http:// can be probed; use a tcp check, or an exec check with curl, for https"
            .to_owned()
    })?;
    Ok(match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    })
}

fn parse_status(head: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(head.split(|byte| *byte == b'\n').next()?).ok()?;
    let mut words = line.split_whitespace();
    words.next().filter(|word| word.starts_with("HTTP/"))?;
    words.next()?.parse().ok()
}

async fn exec(run: &str, config: &TaskConfig) -> Result<(), String> {
    let output = config
        .helper(run)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| disk::cause(&error))?;
    if output.status.success() {
        return Ok(());
    }
    let mut said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if said.is_empty() {
        said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    }
    let said = said.lines().last().unwrap_or_default();
    let status = output.status;
    Err(if said.is_empty() {
        status.to_string()
    } else {
        format!("{status}: {said}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split() {
        assert_eq!(split_url("http://a:80/b?c"), Ok(("a:80", "/b?c")));
        assert_eq!(split_url("http://[::1]"), Ok(("[::1]", "/")));
        assert!(split_url("https://a").is_err());
    }

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(
            parse_status(b"HTTP/1.1 204 No Content\r\nX: 1\r\n"),
            Some(204)
        );
        assert_eq!(parse_status(b"HTTP/1.0 302"), Some(302));
        assert_eq!(parse_status(b"SSH-2.0-OpenSSH\r\n"), None);
        assert_eq!(parse_status(b""), None);
    }
}
