//! Secrets from files and variables, with files replaced while the store is in use.

use std::{fs, path::Path, time::Duration};

use secrecy::ExposeSecret;
use servicenow_worker::{
    ports::SecretProvider,
    secret_store::{Config, Error, MAX_SECRET_BYTES, SecretStore},
};

fn store(directory: &Path, environment: &[(&str, &str)]) -> SecretStore {
    let config = Config { directory: Some(directory.to_owned()), ..Config::default() };
    let environment = environment.iter().map(|&(key, value)| (key.to_owned(), value.to_owned()));
    SecretStore::new(&config, environment).unwrap()
}

fn read(store: &SecretStore, name: &str) -> Option<String> {
    store.secret(name).unwrap().map(|secret| secret.expose_secret().to_owned())
}

async fn a_second_later() {
    tokio::time::advance(Duration::from_secs(1)).await;
}

#[test]
fn variables_with_the_prefix_are_secrets_and_no_others() {
    let environment = [("SECRET_SN_PASSWORD", "p\n"), ("HOME", "/root")];
    let environment = environment.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let store = SecretStore::new(&Config::default(), environment).unwrap();
    assert_eq!(read(&store, "SN_PASSWORD").as_deref(), Some("p\n"), "taken as it is");
    for name in ["HOME", "SECRET_SN_PASSWORD", "sn_password", ""] {
        assert_eq!(read(&store, name), None, "{name}");
    }
    assert!(!format!("{store:?}").contains("p\n"));
}

#[test]
fn a_file_wins_over_a_variable_of_the_same_name() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("BOTH"), "file").unwrap();
    let store = store(directory.path(), &[("SECRET_BOTH", "variable"), ("SECRET_ONE", "one")]);
    assert_eq!(read(&store, "BOTH").as_deref(), Some("file"));
    assert_eq!(read(&store, "ONE").as_deref(), Some("one"));
}

#[test]
fn one_newline_at_the_end_of_a_file_is_not_part_of_the_secret() {
    let directory = tempfile::tempdir().unwrap();
    let cases = [
        ("A", "x\n", "x"),
        ("B", "x\r\n", "x"),
        ("C", " x\n\n", " x\n"),
        ("D", "", ""),
        ("E", "x\r", "x\r"),
    ];
    for (name, content, _) in cases {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let store = store(directory.path(), &[]);
    for (name, _, secret) in cases {
        assert_eq!(read(&store, name).as_deref(), Some(secret), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_written_again_is_read_again_within_a_second() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("PASSWORD");
    fs::write(&file, "old").unwrap();
    let store = store(directory.path(), &[]);
    assert_eq!(read(&store, "PASSWORD").as_deref(), Some("old"));

    fs::write(&file, "newer").unwrap();
    assert_eq!(read(&store, "PASSWORD").as_deref(), Some("old"), "not looked at yet");
    a_second_later().await;
    assert_eq!(read(&store, "PASSWORD").as_deref(), Some("newer"));

    fs::remove_file(&file).unwrap();
    a_second_later().await;
    assert_eq!(read(&store, "PASSWORD"), None);
    fs::write(&file, "again").unwrap();
    assert_eq!(read(&store, "PASSWORD").as_deref(), Some("again"), "absence is not remembered");
}

/// Kubernetes keeps the files in a dated folder, links `..data` to it, links every secret
/// through `..data`, and swaps that one link by a rename when the secret changes.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_kubernetes_mount_is_followed_through_its_swap() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for (folder, content) in [("..2026_01", "old-1\n"), ("..2026_02", "new-1\n")] {
        fs::create_dir(root.join(folder)).unwrap();
        fs::write(root.join(folder).join("PASSWORD"), content).unwrap();
    }
    symlink("..2026_01", root.join("..data")).unwrap();
    symlink("..data/PASSWORD", root.join("PASSWORD")).unwrap();
    let store = store(root, &[]);
    assert_eq!(read(&store, "PASSWORD").as_deref(), Some("old-1"));

    symlink("..2026_02", root.join("..data_tmp")).unwrap();
    fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    a_second_later().await;
    assert_eq!(read(&store, "PASSWORD").as_deref(), Some("new-1"));
}

#[test]
fn no_name_reaches_out_of_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let inside = directory.path().join("secrets");
    fs::create_dir_all(inside.join("sub")).unwrap();
    for file in ["outside", "secrets/.hidden", "secrets/sub/deep", "secrets/ok"] {
        fs::write(directory.path().join(file), "x").unwrap();
    }
    let store = store(&inside, &[]);
    assert_eq!(read(&store, "ok").as_deref(), Some("x"));
    let absolute = directory.path().join("outside");
    for name in ["../outside", "..", ".", ".hidden", "sub/deep", absolute.to_str().unwrap()] {
        assert_eq!(read(&store, name), None, "{name}");
    }
}

#[test]
fn what_is_there_but_unreadable_is_an_error_even_beside_a_variable() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("BINARY"), [0xff, 0xfe]).unwrap();
    fs::write(directory.path().join("HUGE"), "x".repeat(MAX_SECRET_BYTES + 1)).unwrap();
    fs::write(directory.path().join("LARGEST"), "x".repeat(MAX_SECRET_BYTES)).unwrap();
    fs::create_dir(directory.path().join("FOLDER")).unwrap();
    let store = store(directory.path(), &[("SECRET_BINARY", "variable")]);
    for (name, said) in [("BINARY", "UTF-8"), ("HUGE", "65536 bytes"), ("FOLDER", "not a file")] {
        let error = store.secret(name).unwrap_err();
        assert_eq!(error.name, name);
        assert!(error.message.contains(said), "{error}");
    }
    assert_eq!(read(&store, "LARGEST").unwrap().len(), MAX_SECRET_BYTES);
}

#[test]
fn a_directory_that_is_not_there_is_a_mistake_in_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { directory: Some(directory.path().join("none")), ..Config::default() };
    let error = SecretStore::new(&config, []).unwrap_err();
    assert!(matches!(error, Error::Directory { .. }));
    assert!(error.to_string().starts_with("secrets.directory '"), "{error}");
}
