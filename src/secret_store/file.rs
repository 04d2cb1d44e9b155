//! One file a secret, read again when it changed.

use std::{
    collections::HashMap,
    fmt,
    fs::{self, File, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use secrecy::SecretString;
use tokio::time::Instant;

use super::MAX_SECRET_BYTES;
use crate::ports::SecretUnreadable;

/// How long a file is taken as unchanged without a look at it.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// A directory of secrets, with what was read from it.
pub(super) struct Directory {
    path: PathBuf,
    read: Mutex<HashMap<String, Entry>>,
}

/// What was read, and of which state of the file.
struct Entry {
    value: SecretString,
    stamp: Stamp,
    checked: Instant,
}

/// What differs when a file was written again or replaced by another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { modified: metadata.modified().ok(), bytes: metadata.len(), inode }
    }
}

impl Directory {
    /// A directory that is there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if !fs::metadata(path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { path: path.to_owned(), read: Mutex::default() })
    }

    /// The secret of that name; the name has been checked.
    pub(super) fn secret(&self, name: &str) -> Result<Option<SecretString>, SecretUnreadable> {
        let now = Instant::now();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = read.get(name)
            && now.duration_since(entry.checked) < TRUSTED_FOR
        {
            return Ok(Some(entry.value.clone()));
        }
        let looked = self.look(name, read.remove(name), now).map_err(|error| SecretUnreadable {
            name: name.to_owned(),
            message: error.to_string(),
        })?;
        Ok(looked.map(|entry| {
            let value = entry.value.clone();
            read.insert(name.to_owned(), entry);
            value
        }))
    }

    /// Looks at the file and reads it unless `known` is its present state.
    fn look(&self, name: &str, known: Option<Entry>, now: Instant) -> io::Result<Option<Entry>> {
        let path = self.path.join(name);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // Opening a pipe would wait for a writer.
        if !metadata.is_file() {
            return Err(invalid("it is not a file"));
        }
        if let Some(entry) = known
            && entry.stamp == Stamp::of(&metadata)
        {
            return Ok(Some(Entry { checked: now, ..entry }));
        }
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // The stamp of the opened file, which may be a newer one than was looked at.
        let stamp = Stamp::of(&file.metadata()?);
        Ok(Some(Entry { value: read_secret(file)?, stamp, checked: now }))
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

/// Reads a secret without the newline that editors and `echo` put at its end.
fn read_secret(file: File) -> io::Result<SecretString> {
    let mut bytes = Vec::new();
    file.take(MAX_SECRET_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_SECRET_BYTES {
        return Err(invalid(format!("it is larger than {MAX_SECRET_BYTES} bytes")));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8 text"))?;
    let end = text
        .strip_suffix('\n')
        .map_or(text.len(), |line| line.strip_suffix('\r').unwrap_or(line).len());
    text.truncate(end);
    Ok(SecretString::from(text))
}

fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}
