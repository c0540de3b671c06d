//! Serves the clouds until it is killed; the first lines of its output say where.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a command

use std::{net::SocketAddr, process::ExitCode, time::Duration};
use weir_clouds::{Clouds, Options};

const USAGE: &str = "Usage: weir-clouds [--google ADDRESS:PORT] [--azure ADDRESS:PORT] [--slow-ms N] [--blind-ms N] [--discovery compute.v1.json]";

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        let at = || (value.parse::<SocketAddr>()).map_err(|e| format!("{name} {value}: {e}"));
        let ms = || match value.parse() {
            Ok(n) => Ok(Duration::from_millis(n)),
            Err(e) => Err(format!("{name} {value}: {e}")),
        };
        match name.as_str() {
            "--google" => options.google = Some(at()?),
            "--azure" => options.azure = Some(at()?),
            "--slow-ms" => options.pace.slow = ms()?,
            "--blind-ms" => options.pace.blind = ms()?,
            "--discovery" => options.discovery = Some(value.into()),
            _ => return Err(format!("there is no option {name}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let started = options().and_then(|o| Clouds::start(&o).map_err(|e| e.to_string()));
    let clouds = match started {
        Ok(clouds) => clouds,
        Err(e) => {
            eprintln!("weir-clouds: {e}\n{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    for (name, at) in [("google", clouds.google), ("azure", clouds.azure)] {
        if let Some(at) = at {
            println!("{name} http://{at}");
        }
    }
    loop {
        std::thread::park();
    }
}
