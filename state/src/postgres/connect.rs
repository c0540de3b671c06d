//! Making a connection.

use super::{fault::Trouble, settings::PostgresSettings};
use tokio_postgres::{Client, NoTls};

/// Connects. What may pass by itself (the server restarts, the network is away) is
/// [`Trouble::Lost`].
pub(super) async fn connect(settings: &PostgresSettings) -> Result<Client, Trouble> {
    let config = settings.config();
    match settings.tls()? {
        None => {
            let (client, connection) = config.connect(NoTls).await.map_err(failed)?;
            drive(connection);
            Ok(client)
        }
        Some(tls) => {
            let (client, connection) = config.connect(tls).await.map_err(failed)?;
            drive(connection);
            Ok(client)
        }
    }
}

fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static) {
    tokio::spawn(async {
        // Whoever asks on it is told as well.
        if let Err(e) = connection.await {
            tracing::debug!(%e, "a connection to the state's server ended");
        }
    });
}

/// A server that does not answer now may do so later; one that says no will say it again.
fn failed(e: tokio_postgres::Error) -> Trouble {
    use std::error::Error as _;
    let refused = e.as_db_error().is_some()
        || e.to_string().contains("authentication")
        || e.to_string().contains("invalid")
        || e.to_string().contains("TLS")
            && e.source()
                .is_none_or(|s| !s.is::<std::io::Error>() || s.to_string().contains("certificate"));
    match refused {
        true => Trouble::from(e),
        false => Trouble::Lost(super::fault::text(&e)),
    }
}
