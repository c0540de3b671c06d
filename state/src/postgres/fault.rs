//! What went wrong between here and the server, and how it is told.

use crate::{
    StateError,
    rows::{BUSY_SECONDS, Fault},
};
use std::{error::Error as _, path::Path};
use tokio_postgres::error::SqlState;

/// What went wrong inside.
pub(super) enum Trouble {
    /// Told as it is.
    Fault(Fault),
    /// The connection is gone; what was under way on it may have been done.
    Lost(String),
    /// The server said no, or something that is not understood.
    Said(Box<tokio_postgres::Error>),
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(e: tokio_postgres::Error) -> Trouble {
        match is_lost(&e) {
            true => Trouble::Lost(text(&e)),
            false => Trouble::Said(Box::new(e)),
        }
    }
}
impl From<StateError> for Trouble {
    fn from(e: StateError) -> Trouble {
        Trouble::Fault(Fault::State(e))
    }
}

/// Whether nothing more can be asked on this connection, and another may do better.
fn is_lost(e: &tokio_postgres::Error) -> bool {
    let Some(said) = e.as_db_error() else {
        let io = e.source().is_some_and(|s| s.is::<std::io::Error>());
        return e.is_closed() || io || e.to_string().contains("timeout waiting");
    };
    let code = said.code();
    code.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code)
        || code.code() == "57P05"
}

/// An error with what lies behind it, in one line.
pub(super) fn text(e: &tokio_postgres::Error) -> String {
    if let Some(said) = e.as_db_error() {
        let detail = said.detail().map(|d| format!(" ({d})"));
        return format!("{}{}", said.message(), detail.unwrap_or_default());
    }
    let mut text = e.to_string();
    let mut behind = e.source();
    while let Some(cause) = behind {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        behind = cause.source();
    }
    text
}

impl Trouble {
    pub(super) fn fault(self, place: &Path) -> Fault {
        match self {
            Trouble::Fault(fault) => fault,
            Trouble::Lost(cause) => Fault::State(StateError::Unreachable {
                path: place.into(),
                cause,
            }),
            Trouble::Said(e) => Fault::State(said(&e, place)),
        }
    }
    pub(super) fn at(self, place: &Path) -> StateError {
        self.fault(place).at(place)
    }
}

fn said(e: &tokio_postgres::Error, place: &Path) -> StateError {
    let path = place.to_owned();
    let cause = text(e);
    let code = match e.code() {
        Some(code) => code.code(),
        // The server asks for one, and there is none to send.
        None if cause.contains("password missing") => "28P01",
        None => return StateError::Io { path, cause },
    };
    let next = match code {
        "28P01" | "28000" => {
            "Check the user and the password: they are taken from the connection string, PGUSER and PGPASSWORD, or ~/.pgpass"
        }
        "3D000" => "Create the database (`createdb NAME`), or name another one",
        "3F000" => "Create the schema, or name another one",
        "42501" => {
            "Grant the role what it needs: CREATE on the database, or on a schema that is there, for the first run; SELECT, INSERT, UPDATE and DELETE on the tables `weir_*` afterwards. The first run of a newer weir must be by who owns the tables"
        }
        "53300" => "Wait until others are done, or raise max_connections",
        "55P03" => {
            return StateError::Busy {
                path,
                seconds: BUSY_SECONDS,
            };
        }
        "53100" => return StateError::Full { path },
        "25006" => {
            return StateError::ReadOnly {
                path,
                cause: format!("{cause}; it may be a standby"),
            };
        }
        "XX001" | "XX002" => {
            return StateError::Damaged {
                path,
                cause,
                last_good: None,
            };
        }
        _ => return StateError::Io { path, cause },
    };
    StateError::Refused {
        path,
        cause,
        next: next.into(),
    }
}
