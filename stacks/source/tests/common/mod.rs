//! A web server on the loopback, repositories and archives.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};
use weir_source::{Installed, Installer, Options, SourceError, Wanted};

/// What a path is answered with.
#[derive(Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn body(body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
        }
    }
    pub(crate) fn get(place: &str) -> Answer {
        Answer {
            status: 204,
            headers: vec![("X-Terraform-Get".into(), place.into())],
            body: Vec::new(),
        }
    }
}

/// A server, and what it was asked: each request's first line and headers.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) pages: Arc<Mutex<BTreeMap<String, Answer>>>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let pages: Arc<Mutex<BTreeMap<String, Answer>>> = Arc::default();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (served, heard) = (pages.clone(), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while reader.read_line(&mut request).unwrap_or(0) > 2 {}
                let path = request.split(' ').nth(1).unwrap_or("").to_owned();
                heard.lock().unwrap().push(request);
                let pages = served.lock().unwrap();
                let missing = Answer {
                    status: 404,
                    ..Answer::default()
                };
                let answer = pages.get(&path).cloned().unwrap_or(missing);
                let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", answer.status);
                if answer.status != 204 {
                    head += &format!("Content-Length: {}\r\n", answer.body.len());
                }
                for (name, value) in &answer.headers {
                    head += &format!("{name}: {value}\r\n");
                }
                let _ = stream.write_all(format!("{head}\r\n").as_bytes());
                let _ = stream.write_all(&answer.body);
            }
        });
        Server { url, pages, asked }
    }

    pub(crate) fn page(&self, path: &str, answer: Answer) {
        self.pages.lock().unwrap().insert(path.into(), answer);
    }
}

pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=ann", "-c", "user.email=ann@example.org"])
        .args([
            "-c",
            "commit.gpgsign=false",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with one commit, tagged `v1`.
pub(crate) fn repository(folder: &Path) -> String {
    fs::create_dir_all(folder.join("sub")).unwrap();
    git(folder, &["init", "-q", "-b", "main"]);
    fs::write(folder.join("main.tf"), "# one\n").unwrap();
    fs::write(folder.join("sub/main.tf"), "# sub\n").unwrap();
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-qm", "one"]);
    git(folder, &["tag", "v1"]);
    format!("git::file://{}", folder.display())
}

pub(crate) fn commit(folder: &Path, text: &str) -> String {
    fs::write(folder.join("main.tf"), text).unwrap();
    git(folder, &["commit", "-qam", text]);
    git(folder, &["rev-parse", "HEAD"])
}

/// A tar with these files; a name that ends in `@` is a link to what its text says.
pub(crate) fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        if let Some(link) = name.strip_suffix('@') {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            builder.append_link(&mut header, link, text).unwrap();
            continue;
        }
        header.set_size(text.len() as u64);
        // `append_data` refuses what is to be refused here.
        let bytes = name.as_bytes();
        header.as_old_mut().name[..bytes.len()].copy_from_slice(bytes);
        header.set_cksum();
        builder.append(&header, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub(crate) fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        let options = zip::write::SimpleFileOptions::default();
        match name.strip_suffix('@') {
            Some(link) => out.add_symlink(link, *text, options).unwrap(),
            None => {
                out.start_file(*name, options).unwrap();
                out.write_all(text.as_bytes()).unwrap();
            }
        }
    }
    out.finish().unwrap().into_inner()
}

/// Installs one call as one run does.
pub(crate) fn install(
    stack: &Path,
    options: &Options,
    source: &str,
    version: Option<&str>,
) -> Result<Installed, SourceError> {
    let mut installer = Installer::open(stack, options.clone())?;
    let done = installer.install(&Wanted {
        key: "net".into(),
        source: source.into(),
        version: version.map(str::to_owned),
    })?;
    installer.finish()?;
    Ok(done)
}
