//! What a worker says to the engine, heard on the wire: gRPC in HTTP/2 without TLS.
//!
//! Headers stay as they are. Which command a message is follows from its fields: of all that
//! a worker sends, only a failure has a number and then a text, and only a variable that is
//! to stay local has a flag third.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use serde_json::Value;
use servicenow_worker::zeebe::proto::{FailJobRequest, SetVariablesRequest};

/// What a client's side of an HTTP/2 connection begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Length, type, flags and stream of a frame.
const FRAME_HEAD: usize = 9;
/// Compression and length of a gRPC message.
const MESSAGE_HEAD: usize = 5;
const DATA: u8 = 0;
const RESET: u8 = 3;
const IS_END: u8 = 1;
const IS_PADDED: u8 = 8;

/// A command that is worth noting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Failure { job: i64, how: Failure },
    Announcement(Announcement),
}

/// How a job was failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Retries that it is left with.
    pub(crate) retries: i32,
    /// Seconds until it is offered again.
    pub(crate) backoff: i64,
}

/// That a work note is about to be written: by which job, in which attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Announcement {
    job: String,
    since: String,
}

/// All that was passed on to the engine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// The failures of each job, in order.
    pub(crate) failures: BTreeMap<i64, Vec<Failure>>,
    /// Attempts at work notes, however often each was announced.
    pub(crate) announcements: BTreeSet<Announcement>,
}

/// Listens to one connection.
#[derive(Debug, Default)]
pub(super) struct Ear {
    bytes: Vec<u8>,
    is_greeted: bool,
    streams: BTreeMap<u32, Vec<u8>>,
}

impl Heard {
    pub(super) fn note(&mut self, word: Word) {
        match word {
            Word::Failure { job, how } => self.failures.entry(job).or_default().push(how),
            Word::Announcement(announcement) => drop(self.announcements.insert(announcement)),
        }
    }

    /// Adds what was heard elsewhere.
    pub(super) fn extend(&mut self, other: Self) {
        for (job, failures) in other.failures {
            self.failures.entry(job).or_default().extend(failures);
        }
        self.announcements.extend(other.announcements);
    }
}

impl Ear {
    /// The words that the next piece of data ends.
    pub(super) fn hears(&mut self, piece: &[u8]) -> Vec<Word> {
        self.bytes.extend_from_slice(piece);
        if !self.is_greeted {
            if self.bytes.len() < PREFACE.len() {
                return Vec::new();
            }
            assert!(self.bytes.starts_with(PREFACE), "a worker does not speak HTTP/2");
            self.bytes.drain(..PREFACE.len());
            self.is_greeted = true;
        }
        let mut words = Vec::new();
        while let Some(frame) = take_frame(&mut self.bytes) {
            self.read_frame(&frame, &mut words);
        }
        words
    }

    fn read_frame(&mut self, frame: &[u8], words: &mut Vec<Word>) {
        let (head, payload) = frame.split_at(FRAME_HEAD);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7fff_ffff;
        match head[3] {
            DATA => {
                let said = self.streams.entry(stream).or_default();
                said.extend_from_slice(without_padding(payload, head[4]));
                while let Some(message) = take_message(said) {
                    words.extend(word(&message));
                }
                if head[4] & IS_END != 0 {
                    self.streams.remove(&stream);
                }
            }
            RESET => drop(self.streams.remove(&stream)),
            _ => {}
        }
    }
}

fn take_frame(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = u32::from_be_bytes([0, *bytes.first()?, *bytes.get(1)?, *bytes.get(2)?]);
    take(bytes, FRAME_HEAD + length as usize)
}

fn without_padding(payload: &[u8], flags: u8) -> &[u8] {
    match payload {
        [padding, rest @ ..] if flags & IS_PADDED != 0 => &rest[..rest.len() - *padding as usize],
        payload => payload,
    }
}

fn take_message(said: &mut Vec<u8>) -> Option<Vec<u8>> {
    let head = said.first_chunk::<MESSAGE_HEAD>()?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    Some(take(said, MESSAGE_HEAD + length as usize)?.split_off(MESSAGE_HEAD))
}

fn take(bytes: &mut Vec<u8>, count: usize) -> Option<Vec<u8>> {
    (bytes.len() >= count).then(|| bytes.drain(..count).collect())
}

fn word(message: &[u8]) -> Option<Word> {
    if let Ok(failure) = FailJobRequest::decode(message)
        && !failure.error_message.is_empty()
    {
        let how = Failure { retries: failure.retries, backoff: failure.retry_back_off / 1_000 };
        return Some(Word::Failure { job: failure.job_key, how });
    }
    let request = SetVariablesRequest::decode(message).ok().filter(|request| request.local)?;
    let variables: Value = serde_json::from_str(&request.variables).ok()?;
    let intent = &variables["serviceNowIntent"];
    let text = |name: &str| intent[name].as_str().map(str::to_owned);
    Some(Word::Announcement(Announcement { job: text("jobKey")?, since: text("since")? }))
}

#[test]
fn failures_and_announcements_are_heard_among_other_commands_in_any_pieces() {
    use servicenow_worker::zeebe::proto::{
        CompleteJobRequest, ThrowErrorRequest, UpdateJobTimeoutRequest,
    };
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    };
    let message = |bytes: Vec<u8>| {
        let length = u8::try_from(bytes.len()).unwrap();
        [&[0, 0, 0, 0, length], bytes.as_slice()].concat()
    };
    let text = || "{\"a\":1}".to_owned();
    let failure = FailJobRequest {
        job_key: 7,
        retries: 3,
        error_message: "no answer".to_owned(),
        retry_back_off: 61_500,
        variables: text(),
        ..Default::default()
    };
    let intent = r#"{"serviceNowIntent":{"jobKey":"8","since":"2026-06-01T12:00:00Z"}}"#;
    let announcement = SetVariablesRequest {
        element_instance_key: 9,
        variables: intent.to_owned(),
        local: true,
        ..Default::default()
    };
    let complete = CompleteJobRequest { job_key: 7, variables: text(), ..Default::default() };
    let timeout = UpdateJobTimeoutRequest { job_key: 7, timeout: 5_000, ..Default::default() };
    let error = ThrowErrorRequest {
        job_key: 7,
        error_code: "SN".to_owned(),
        error_message: text(),
        variables: text(),
        ..Default::default()
    };
    let (failure, error) = (message(failure.encode_to_vec()), message(error.encode_to_vec()));
    let said = [
        PREFACE.to_vec(),
        frame(4, 0, 0, &[0; 6]),
        frame(DATA, IS_END, 1, &message(complete.encode_to_vec())),
        frame(DATA, 0, 3, &failure[..11]),
        frame(DATA, IS_END, 5, &message(timeout.encode_to_vec())),
        frame(DATA, IS_END | IS_PADDED, 3, &[&[2], &failure[11..], &[0, 0]].concat()),
        frame(DATA, IS_END, 7, &error),
        frame(DATA, 0, 9, &message(announcement.encode_to_vec())),
        frame(DATA, IS_END, 9, &[]),
    ]
    .concat();
    let expected = [
        Word::Failure { job: 7, how: Failure { retries: 3, backoff: 61 } },
        Word::Announcement(Announcement {
            job: "8".to_owned(),
            since: "2026-06-01T12:00:00Z".to_owned(),
        }),
    ];
    for size in 1..said.len() {
        let mut ear = Ear::default();
        let words: Vec<_> = said.chunks(size).flat_map(|piece| ear.hears(piece)).collect();
        assert_eq!(words, expected, "in pieces of {size}");
    }
}
