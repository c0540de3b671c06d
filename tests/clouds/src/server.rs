//! The servers: one address for each cloud, on threads of their own, until dropped.

use crate::{
    Call, Cloud, Pace,
    azure::Azure,
    control,
    desk::{Desk, Fate},
    google::Google,
    http::{Answer, Reply, Request},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, runtime::Runtime};

/// What to serve, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where Google's API listens; port 0 for any that is free.
    pub google: Option<SocketAddr>,
    /// Where Azure's API listens.
    pub azure: Option<SocketAddr>,
    /// How fast they are.
    pub pace: Pace,
    /// Google's discovery document of compute, which requests are checked against.
    pub discovery: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            google: None,
            azure: None,
            pace: Pace {
                slow: Duration::from_millis(30),
                blind: Duration::ZERO,
            },
            discovery: None,
        }
    }
}

/// Clouds that run until this is dropped.
#[derive(Debug)]
pub struct Clouds {
    /// Where Google's API listens.
    pub google: Option<SocketAddr>,
    /// Where Azure's API listens.
    pub azure: Option<SocketAddr>,
    desks: Vec<(&'static str, Arc<Desk>)>,
    runtime: Option<Runtime>,
}

impl Clouds {
    /// Starts those that are asked for.
    ///
    /// # Errors
    /// An address can't be listened on; the discovery document can't be read.
    pub fn start(options: &Options) -> io::Result<Clouds> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let mut desks = Vec::new();
        let mut start = |at: Option<SocketAddr>, name, cloud: Arc<dyn Cloud>| {
            let Some(at) = at else { return Ok(None) };
            // Not by the runtime: who starts clouds may be in one of its own.
            let listener = std::net::TcpListener::bind(at)?;
            listener.set_nonblocking(true)?;
            let _entered = runtime.enter();
            let listener = TcpListener::from_std(listener)?;
            let at = listener.local_addr()?;
            let desk = Arc::new(Desk::new(name, options.pace));
            desks.push((name, Arc::clone(&desk)));
            let door = Arc::new(Door {
                cloud,
                desk,
                origin: format!("http://{at}"),
            });
            runtime.spawn(listen(listener, door));
            io::Result::Ok(Some(at))
        };
        let google = start(
            options.google,
            "google",
            Arc::new(Google::new(options.discovery.as_deref())?),
        )?;
        let azure = start(options.azure, "azure", Arc::new(Azure::default()))?;
        Ok(Clouds {
            google,
            azure,
            desks,
            runtime: Some(runtime),
        })
    }

    /// The desk of a cloud (`google`, `azure`): what `/_faults` and its like speak to. `None` where
    /// the cloud was not asked for.
    pub fn desk(&self, cloud: &str) -> Option<&Desk> {
        let mut desks = self.desks.iter();
        desks.find(|(name, _)| *name == cloud).map(|(_, d)| &**d)
    }
}

impl Drop for Clouds {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Door {
    cloud: Arc<dyn Cloud>,
    desk: Arc<Desk>,
    origin: String,
}

async fn listen(listener: TcpListener, door: Arc<Door>) {
    while let Ok((stream, _)) = listener.accept().await {
        let door = Arc::clone(&door);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&door), request));
            // A connection that ends early is the client's business.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    door: Arc<Door>,
    request: hyper::Request<Incoming>,
) -> io::Result<hyper::Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let query = head.uri.query().unwrap_or_default();
    // Links lead where the client came in, as behind a load balancer.
    let host = head.headers.get(http::header::HOST);
    let origin = match host.and_then(|h| h.to_str().ok()) {
        Some(host) => format!("http://{host}"),
        None => door.origin.clone(),
    };
    let request = Request {
        method: head.method,
        path: percent_decode_str(head.uri.path())
            .decode_utf8_lossy()
            .into_owned(),
        query: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        headers: head.headers,
        body,
        origin,
    };
    let reply = match control::answer(door.cloud.as_ref(), &door.desk, &request) {
        Some(reply) => reply,
        None => of_cloud(&door, &request).await?,
    };
    let mut response = hyper::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    response
        .body(Full::new(reply.body))
        .map_err(io::Error::other)
}

/// The cloud's reply, or the cut that the script asks for.
async fn of_cloud(door: &Door, request: &Request) -> io::Result<Reply> {
    let cut = || io::Error::new(io::ErrorKind::ConnectionReset, "cut by the script");
    let operation = door.cloud.operation(request);
    let (number, fate) = door.desk.take(request, &operation);
    let reply = match &fate {
        Some(Fate::Cut) => {
            door.desk.strike();
            return Err(cut());
        }
        Some(Fate::Reply {
            status,
            body,
            headers,
        }) => {
            let mut reply = match body.as_str() {
                Some(text) => Reply::text(*status, text),
                None => Reply::json(*status, body),
            };
            let headers = headers.iter().map(|(k, v)| (k.clone(), v.clone()));
            reply.headers.extend(headers);
            reply
        }
        _ => loop {
            let answer = door.cloud.answer(&Call {
                request,
                operation: &operation,
                now: Instant::now(),
                pace: door.desk.pace(),
                trouble: fate.as_ref().and_then(Fate::trouble),
            });
            match answer {
                Answer::Reply(reply) => break reply,
                Answer::After(pause) => tokio::time::sleep(pause).await,
            }
        },
    };
    if fate.is_some() {
        door.desk.strike();
    }
    match fate {
        Some(Fate::Lost) => return Err(cut()),
        // Until the client goes away.
        Some(Fate::Silent) => std::future::pending::<()>().await,
        _ => {}
    }
    door.desk.note(number, reply.status);
    Ok(reply)
}
