//! Keys, wrapped and unwrapped; texts and files, sealed and opened.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};
use weir_state::encryption::{
    Encryption, EncryptionError, KeySource, Keyring, Passphrase, WrappedKey, is_sealed, open_file,
    seal_file,
};

type Tested = Result<(), Box<dyn std::error::Error>>;

fn file(path: &Path) -> Encryption {
    Encryption::new(KeySource::File(path.into()))
}

fn passphrase(text: &str) -> KeySource {
    KeySource::Passphrase(Passphrase::new(text))
}

fn new_ring(encryption: &Encryption) -> Result<Keyring, Box<dyn std::error::Error>> {
    Ok(encryption.new_data_key()?.ok_or("there is a primary")?)
}

/// As a store keeps them.
fn kept(ring: &Keyring) -> Result<Vec<WrappedKey>, Box<dyn std::error::Error>> {
    ring.wrapped()
        .map(|w| Ok(WrappedKey::from_text(&w.to_text())?))
        .collect()
}

#[test]
fn a_key_file_is_made_once_for_its_owner_alone() -> Tested {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("deep/er/key");
    assert!(KeySource::create_file(&path)?);
    let first = fs::read(&path)?;
    assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    assert!(!KeySource::create_file(&path)?, "there is one");
    assert_eq!(fs::read(&path)?, first);
    assert_eq!(
        fs::read_dir(dir.path().join("deep/er"))?.count(),
        1,
        "no second copy of the key is left"
    );
    Ok(())
}

#[test]
fn what_each_source_wraps_it_unwraps() -> Tested {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("key");
    KeySource::create_file(&path)?;
    // A key management service of one line: it reverses what it is given.
    let reverse = vec!["sh".to_owned(), "-c".to_owned(), "rev".to_owned()];
    let command = KeySource::Command {
        wrap: reverse.clone(),
        unwrap: reverse,
    };
    for source in [KeySource::File(path), passphrase("correct horse"), command] {
        let encryption = Encryption::new(source);
        let ring = new_ring(&encryption)?;
        let sealed = ring.seal("resource a", "s3cr3t")?;
        assert!(Keyring::is_sealed(&sealed) && !sealed.contains("s3cr3t"));
        let again = encryption.unlock(kept(&ring)?)?;
        assert_eq!(again.open("resource a", &sealed)?, "s3cr3t");
    }
    Ok(())
}

#[test]
fn equal_texts_are_sealed_differently() -> Tested {
    let ring = new_ring(&Encryption::new(passphrase("p")))?;
    assert_ne!(ring.seal("a", "text")?, ring.seal("a", "text")?);
    Ok(())
}

#[test]
fn a_text_opens_only_whole_and_where_it_was_put() -> Tested {
    let ring = new_ring(&Encryption::new(passphrase("p")))?;
    let sealed = ring.seal("resource a", "text")?;
    let elsewhere = ring.open("resource b", &sealed);
    assert!(matches!(elsewhere, Err(EncryptionError::Changed { .. })));
    for at in 0..sealed.len() {
        let mut bytes = sealed.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes)?;
        assert!(ring.open("resource a", &changed).is_err(), "byte {at}");
        assert!(
            ring.open("resource a", &sealed[..at]).is_err(),
            "cut at {at}"
        );
    }
    let plain = ring.open("resource a", "text");
    assert!(matches!(plain, Err(EncryptionError::NotSealed { .. })));
    Ok(())
}

#[test]
fn keys_that_do_not_fit_say_what_is_asked_for() -> Tested {
    let dir = tempfile::tempdir()?;
    let [right, wrong, none, text] = ["right", "wrong", "none", "text"].map(|n| dir.path().join(n));
    KeySource::create_file(&right)?;
    KeySource::create_file(&wrong)?;
    fs::write(&text, "hello")?;
    let ring = new_ring(&file(&right))?;
    let refused = |encryption: &Encryption| -> Result<String, Box<dyn std::error::Error>> {
        match encryption.unlock(kept(&ring)?) {
            Ok(_) => Err("it was unlocked".into()),
            Err(e) => Ok(e.to_string().replace(&*dir.path().to_string_lossy(), "DIR")),
        }
    };
    assert!(
        refused(&file(&none))?.starts_with("the key file DIR/none is not there, and without it")
    );
    assert!(refused(&file(&wrong))?.contains("and this was encrypted with the key "));
    assert!(refused(&file(&text))?.starts_with("DIR/text is no key file of weir: no line begins"));
    let other = refused(&Encryption::new(passphrase("p")))?;
    assert!(
        other.starts_with("this was encrypted with a key of kind \"file\""),
        "{other}"
    );
    let ring = new_ring(&Encryption::new(passphrase("right")))?;
    let wrong = Encryption::new(passphrase("wrong")).unlock(kept(&ring)?);
    assert_eq!(wrong.err(), Some(EncryptionError::WrongPassphrase));
    Ok(())
}

#[test]
fn a_command_that_fails_says_why() {
    for (script, why) in [
        (
            "echo no permission >&2; exit 3",
            "no permission (exit status: 3)",
        ),
        ("true", "it printed nothing"),
    ] {
        let wrap = vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()];
        let source = KeySource::Command {
            wrap,
            unwrap: Vec::new(),
        };
        let error = Encryption::new(source).new_data_key().err();
        let error = error.map(|e| e.to_string()).unwrap_or_default();
        assert_eq!(error, format!("the key command `sh` failed: {why}"));
    }
}

#[test]
fn a_fallback_opens_what_the_primary_does_not() -> Tested {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("key");
    KeySource::create_file(&path)?;
    let old = new_ring(&file(&path))?;
    let new = Encryption {
        primary: Some(passphrase("new")),
        fallbacks: vec![passphrase("other"), KeySource::File(path)],
    };
    let sealed = old.seal("a", "text")?;
    assert_eq!(new.unlock(kept(&old)?)?.open("a", &sealed)?, "text");
    let newer = new_ring(&new)?;
    let alone = Encryption::new(passphrase("new")).unlock(kept(&newer)?)?;
    assert_eq!(alone.open("a", &newer.seal("a", "text")?)?, "text");
    Ok(())
}

#[test]
fn a_newer_data_key_seals_and_the_old_one_still_opens() -> Tested {
    let encryption = Encryption::new(passphrase("p"));
    let first = new_ring(&encryption)?;
    let before = first.seal("a", "before")?;
    let second = new_ring(&encryption)?;
    let both = encryption.unlock(kept(&first.with(&second))?)?;
    assert_eq!(both.open("a", &before)?, "before");
    let after = both.seal("a", "after")?;
    assert_eq!(second.open("a", &after)?, "after");
    assert!(first.open("a", &after).is_err());
    Ok(())
}

#[test]
fn a_file_carries_its_key_and_opens_only_whole() -> Tested {
    let encryption = Encryption::new(passphrase("p"));
    let ring = new_ring(&encryption)?;
    let sealed = seal_file(&ring, None, b"a plan with s3cr3t")?;
    assert!(is_sealed(&sealed) && !is_sealed(b"a plan"));
    assert!(!sealed.windows(6).any(|w| w == b"s3cr3t"));
    assert_eq!(open_file(&encryption, &sealed)?, b"a plan with s3cr3t");
    for cut in [1, 20, sealed.len() / 2, sealed.len() - 1] {
        assert!(open_file(&encryption, &sealed[..cut]).is_err(), "{cut}");
    }
    let mut changed = sealed.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert!(open_file(&encryption, &changed).is_err());
    Ok(())
}

#[test]
fn a_file_finds_the_key_file_it_was_sealed_with() -> Tested {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("key");
    KeySource::create_file(&path)?;
    let sealed = seal_file(&new_ring(&file(&path))?, Some(&path), b"a plan")?;
    let elsewhere = file(&dir.path().join("elsewhere"));
    assert_eq!(open_file(&elsewhere, &sealed)?, b"a plan");
    fs::remove_file(&path)?;
    let error = open_file(&elsewhere, &sealed).err();
    assert!(
        matches!(error, Some(EncryptionError::NoFile { .. })),
        "{error:?}"
    );
    Ok(())
}
